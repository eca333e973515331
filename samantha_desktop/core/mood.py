"""From what was read in each turn to a mood: slow to change, ready to doubt, quick to forgive.

An `EmotionReading` is what one utterance shows: by its words seven groups with
calibrated probabilities and a valence, by its voice an arousal. Words and voice are
fused and never averaged into agreement: cheerful words in a flat voice stay mixed.

A `Mood` is the running mean of readings. The most probable of eight moods is shown: the
seven groups, and "not sure", whose probability is what the readings leave open.

- Each turn counts half as much as the one after it, and time fades them all.
- A rest weight pulls to neutral: when nothing is said for long, nothing else is left.
- Words without emotion weigh little: to say "yes" in tears is not to be calm.
- A mood gives way only to one that is clearly more probable, so noise changes nothing.

Samantha's own mood is a mood too: it reads the echo of what the user shows, which has
no anger, disgust or fear in it, and follows more slowly.

Nothing here knows a clock: time is passed in, in seconds, from any beginning.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from samantha_desktop.core.emotions import GROUPS, LABELS, valence_and_arousal

NOT_SURE = "not sure"
MOODS = (*GROUPS, NOT_SURE)
"""What a mood can be called."""

NEUTRAL = "neutral"

MIN_CONFIDENCE = 0.5
"""A group that is less probable is not claimed. Probabilities are calibrated, so what is
claimed is right more often than wrong."""

VOICE_SHARE = 0.6
"""Share of the voice in arousal, where both are known. Valence is the words' alone. Source:
Wagner et al., "Dawn of the transformer era in speech emotion recognition", 2023: arousal
is heard well without understanding a word, valence hardly. The figure is our own."""

MIXED_VOICE = 0.4
MIXED_DISTANCE = 0.7
"""Words and voice disagree when the voice is at least so far from usual and so far from
the arousal of the words. Source: our own; an ordinary sentence strays by 0.3."""

NEUTRAL_WEIGHT = 0.35
"""What a reading without any emotion weighs; one that is sure of an emotion weighs 1."""

MIXED_WEIGHT = 0.5
"""What a reading weighs, of its weight, when the voice contradicts the words."""

SWITCH_MARGIN = 0.12
"""By so much another mood must be more probable before it is shown."""

Source: TypeAlias = Literal["none", "words", "voice", "words and voice"]
Contrast: TypeAlias = Literal["none", "flat voice", "excited voice"]


class Scored(NamedTuple):
    """A label or a group and its probability."""

    name: str
    probability: float


@dataclass(frozen=True)
class EmotionReading:
    """What one utterance shows.

    Attributes:
        groups: probability of each of `GROUPS`, independent of each other; all 0 when
            the words say nothing: none were there, or none that could be judged.
        labels: the three most probable labels, most probable first; empty without words.
        valence: of the words, -1 unpleasant ... 1 pleasant; 0 without words.
        word_arousal: of the words, -1 calm ... 1 excited; None without words.
        voice_arousal: of the voice against its baseline; None when nothing is known of it.
        language: ISO 639-1 code of what was said.
        is_translated: the words judged are an English translation of what was said.
    """

    groups: tuple[float, ...] = (0.0,) * len(GROUPS)
    labels: tuple[Scored, ...] = ()
    valence: float = 0.0
    word_arousal: float | None = None
    voice_arousal: float | None = None
    language: str = "en"
    is_translated: bool = False

    @property
    def source(self) -> Source:
        """What it was read from."""
        if self.word_arousal is None:
            return "none" if self.voice_arousal is None else "voice"
        return "words" if self.voice_arousal is None else "words and voice"

    @property
    def confidence(self) -> float:
        """Probability of the most probable group."""
        return max(self.groups)

    @property
    def group(self) -> str:
        """The most probable group, or `NOT_SURE`."""
        if self.confidence < MIN_CONFIDENCE:
            return NOT_SURE
        return GROUPS[self.groups.index(self.confidence)]

    @property
    def arousal(self) -> float:
        """Of words and voice together; 0 when neither says anything."""
        if self.word_arousal is None or self.voice_arousal is None:
            return self.word_arousal or self.voice_arousal or 0.0
        return VOICE_SHARE * self.voice_arousal + (1.0 - VOICE_SHARE) * self.word_arousal

    @property
    def contrast(self) -> Contrast:
        """How the voice contradicts the words, if it does.

        Words without an emotion cannot be contradicted.
        """
        if self.word_arousal is None or self.voice_arousal is None:
            return "none"
        distance = self.voice_arousal - self.word_arousal
        is_plain = self.group in (NEUTRAL, NOT_SURE)
        if is_plain or abs(self.voice_arousal) < MIXED_VOICE or abs(distance) < MIXED_DISTANCE:
            return "none"
        return "excited voice" if distance > 0 else "flat voice"

    @property
    def is_mixed(self) -> bool:
        """Words and voice say different things."""
        return self.contrast != "none"

    def document(self) -> dict[str, Any]:
        """The reading as JSON output shows it."""
        return {
            "source": self.source,
            "mood": self.group,
            "groups": dict(zip(GROUPS, self.groups, strict=True)),
            "labels": [label._asdict() for label in self.labels],
            "valence": self.valence,
            "arousal": self.arousal,
            "word_arousal": self.word_arousal,
            "voice_arousal": self.voice_arousal,
            "contrast": self.contrast,
            "language": self.language,
            "is_translated": self.is_translated,
        }


def read_emotion(
    labels: NDArray[np.floating],
    groups: NDArray[np.floating],
    *,
    voice_arousal: float | None = None,
    language: str = "en",
    is_translated: bool = False,
) -> EmotionReading:
    """Make a reading of what the classifier says of the words, and of the voice.

    Args:
        labels: (28,) calibrated probabilities, as `LABELS`; all 0: it could not judge.
        groups: (7,) calibrated probabilities, as `GROUPS`.
        voice_arousal: see `EmotionReading`, and for the rest.
    """
    reading = EmotionReading(
        voice_arousal=voice_arousal, language=language, is_translated=is_translated
    )
    if not labels.any():
        return reading
    valence, word_arousal = valence_and_arousal(labels[None])[0].tolist()
    best = np.argsort(-labels, kind="stable")[:3].tolist()
    return replace(
        reading,
        groups=tuple(groups.tolist()),
        labels=tuple(Scored(LABELS[index], float(labels[index])) for index in best),
        valence=valence,
        word_arousal=word_arousal,
    )


# ------------------------------------------------------------------------- moods


@dataclass(frozen=True)
class MoodPace:
    """How fast a mood follows and forgets.

    Attributes:
        half_life_s: after so long, what was read weighs half.
        turn_share: what was read weighs so much of its weight after another turn.
        rest_weight: how strongly neutral pulls, a sure reading weighing 1.
    """

    half_life_s: float
    turn_share: float
    rest_weight: float


USER_PACE = MoodPace(half_life_s=180.0, turn_share=0.5, rest_weight=0.1)
"""A sure reading shows at once, the contrary of a long mood with the second one, and a
quarter of an hour later nothing is left. Source: our own choice."""

SAMANTHA_PACE = MoodPace(half_life_s=300.0, turn_share=0.7, rest_weight=0.3)
"""She follows more gently, and stays a little longer."""

_REST = np.array([mood == NEUTRAL for mood in MOODS] + [0.0, 0.0], dtype=np.float64)


@dataclass(frozen=True)
class Mood:
    """A mood at a time. Begin with `Mood()`, or `Mood(pace=SAMANTHA_PACE)` for her own.

    Attributes:
        name: one of `MOODS`: the one to show.
        probability: of that mood, [0, 1].
        valence: -1 unpleasant ... 1 pleasant.
        arousal: -1 calm ... 1 excited.
        contrast: how the voice contradicted the words that showed this mood last.
        at_s: the time it is true for.
        pace: how it follows and forgets.
        weight: of all readings so far, faded.
        evidence: weighted sums of them: each of `MOODS`, valence, arousal.
    """

    name: str = NEUTRAL
    probability: float = 1.0
    valence: float = 0.0
    arousal: float = 0.0
    contrast: Contrast = "none"
    at_s: float = 0.0
    pace: MoodPace = USER_PACE
    weight: float = 0.0
    evidence: tuple[float, ...] = (0.0,) * len(_REST)

    @property
    def is_mixed(self) -> bool:
        """Words and voice say different things."""
        return self.contrast != "none"

    def after(self, reading: EmotionReading, now_s: float) -> Mood:
        """The mood after one more turn."""
        faded = self._faded(now_s, self.pace.turn_share)
        emotion = max(reading.groups[: GROUPS.index(NEUTRAL)])
        weight = NEUTRAL_WEIGHT + (1.0 - NEUTRAL_WEIGHT) * emotion
        if reading.is_mixed:
            weight *= MIXED_WEIGHT
        # At MIN_CONFIDENCE, "not sure" is as probable as what was read.
        odds = MIN_CONFIDENCE / (1.0 - MIN_CONFIDENCE)
        not_sure = min(1.0, (1.0 - reading.confidence) * odds)
        read = np.array([*reading.groups, not_sure, reading.valence, reading.arousal])
        mood = replace(
            faded,
            weight=faded.weight + weight,
            evidence=tuple((np.array(faded.evidence) + weight * read).tolist()),
        )._named()
        is_of_this = mood.name == reading.group  # and not of a mood that it did not change
        return replace(mood, contrast=reading.contrast if is_of_this else "none")

    def at(self, now_s: float) -> Mood:
        """The mood when nothing was said since. Time does not run backwards."""
        aged = self._faded(now_s, 1.0)._named()
        return aged if aged.name == self.name else replace(aged, contrast="none")

    def document(self) -> dict[str, Any]:
        """The mood as JSON output and the timeline show it."""
        return {
            "mood": self.name,
            "probability": self.probability,
            "valence": self.valence,
            "arousal": self.arousal,
            "contrast": self.contrast,
        }

    def _faded(self, now_s: float, share: float) -> Mood:
        passed_s = max(0.0, now_s - self.at_s)
        share *= 0.5 ** (passed_s / self.pace.half_life_s)
        return replace(
            self,
            at_s=self.at_s + passed_s,
            weight=self.weight * share,
            evidence=tuple(share * value for value in self.evidence),
        )

    def _named(self) -> Mood:
        """Find the mood to show, once evidence has changed."""
        total = self.weight + self.pace.rest_weight
        mean = (np.array(self.evidence) + self.pace.rest_weight * _REST) / total
        probabilities = mean[: len(MOODS)]
        shown, best = MOODS.index(self.name), int(np.argmax(probabilities))
        if probabilities[best] - probabilities[shown] >= SWITCH_MARGIN:
            shown = best
        return replace(
            self,
            name=MOODS[shown],
            probability=float(probabilities[shown]),
            valence=float(mean[-2]),
            arousal=float(mean[-1]),
        )


_SHARED = ("joy", "sadness", "surprise")
"""What she feels with the user. Anger, disgust and fear she meets with calm."""


def echo(reading: EmotionReading) -> EmotionReading:
    """What the user shows, as Samantha feels it: to be read by her own mood.

    She is glad, sad or surprised with the user, and otherwise neutral. She is never
    unsure of herself.
    """
    felt = [
        probability if group in _SHARED else 0.0
        for group, probability in zip(GROUPS, reading.groups, strict=True)
    ]
    felt[GROUPS.index(NEUTRAL)] = 1.0 - max(felt)
    valence, arousal = 0.5 * reading.valence, 0.5 * reading.arousal
    return EmotionReading(
        groups=tuple(felt),
        valence=valence,
        # Unpleasant and excited at once is what anger and fear are made of.
        word_arousal=min(arousal, 0.0) if valence < 0.0 else arousal,
        language=reading.language,
    )
