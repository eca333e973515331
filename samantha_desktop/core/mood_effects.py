"""What a mood changes: what is seen of it, what is answered, and how that is spoken.

A colour never stands alone: every look has a word, and moods move differently, too.

The colours were chosen by a search, in a hue that people expect of each mood (red anger,
blue sadness ...), for the greatest smallest distance between any two of them, to normal
eyes and to eyes without working red, green or blue cones, while each stands out from its
background by 3:1 at least (WCAG 2.2, 1.4.11). A test measures both again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from samantha_desktop.core.emotions import GROUP_WORDS
from samantha_desktop.core.mood import NOT_SURE, Mood

DARK_BACKGROUND = "#14141C"
LIGHT_BACKGROUND = "#FFFFFF"
"""What the colours were chosen for; darker and lighter ones do as well."""


class MoodColour(NamedTuple):
    """sRGB, "#RRGGBB"."""

    on_dark: str
    on_light: str


COLOURS: Mapping[str, MoodColour] = MappingProxyType(
    {
        "anger": MoodColour("#C90215", "#B73E1C"),
        "disgust": MoodColour("#4FB622", "#0D3A02"),
        "fear": MoodColour("#D66FFA", "#4E0866"),
        "joy": MoodColour("#FAF544", "#B68E09"),
        "sadness": MoodColour("#2B62B6", "#2680DC"),
        "surprise": MoodColour("#A3F7EF", "#0D6879"),
        "neutral": MoodColour("#B2B4B8", "#14161C"),
        NOT_SURE: MoodColour("#82858F", "#888A8E"),
    }
)
"""Red, green, violet, yellow, blue, turquoise, and two greys."""

USER_WORDS: Mapping[str, str] = MappingProxyType({**GROUP_WORDS, NOT_SURE: NOT_SURE})
"""What completes "you sound ..."."""

OWN_WORDS: Mapping[str, str] = MappingProxyType(
    {**USER_WORDS, "joy": "glad", "sadness": "moved", "surprise": "curious", "neutral": "calm"}
)
"""What completes "she feels ..."."""


@dataclass(frozen=True)
class Movement:
    """How the orb breathes.

    Attributes:
        rate_hz: breaths per second; far below the 3 Hz at which light may harm.
        amplitude: share of the radius by which it grows.
    """

    rate_hz: float
    amplitude: float


CALM_RATE_HZ = 0.25
"""A breath in four seconds, as people breathe at rest."""


@dataclass(frozen=True)
class MoodLook:
    """What is seen of a mood.

    Attributes:
        word: the plain word, always shown.
        colour: see `COLOURS`.
        movement: see `Movement`.
    """

    word: str
    colour: MoodColour
    movement: Movement

    def document(self) -> dict[str, Any]:
        """The look as JSON output shows it."""
        return {
            "word": self.word,
            "colour": self.colour._asdict(),
            "rate_hz": self.movement.rate_hz,
            "amplitude": self.movement.amplitude,
        }


def look_of(mood: Mood, words: Mapping[str, str] = USER_WORDS) -> MoodLook:
    """What is seen of a mood.

    Args:
        mood: the user's, or Samantha's.
        words: `USER_WORDS` or `OWN_WORDS`. A voice that contradicts the words is named.
    """
    word = words[mood.name]
    if mood.is_mixed:
        word = f"{word} words, {mood.contrast}"
    return MoodLook(word, COLOURS[mood.name], movement_of(mood.arousal))


def movement_of(arousal: float) -> Movement:
    """Twice as fast and half as deep again when excited, half as fast when calm.

    Args:
        arousal: -1 calm ... 1 excited.
    """
    return Movement(rate_hz=CALM_RATE_HZ * 2.0**arousal, amplitude=0.08 + 0.04 * arousal)


# ---------------------------------------------------------------------- the answer

_TONES: Mapping[str, str] = {
    "anger": "The user sounds angry. Stay calm, take it seriously, and do not argue.",
    "disgust": "The user sounds disgusted. Show that you understand, and stay matter-of-fact.",
    "fear": "The user sounds afraid. Be calm and reassuring, one small step at a time.",
    "joy": "The user sounds happy. Be glad with them.",
    "sadness": "The user sounds sad. Be gentle, and comfort them before you give advice.",
    "surprise": "The user sounds surprised. Share it, and explain clearly.",
}

_CONTRAST_TONES: Mapping[str, str] = {
    "flat voice": "Their voice sounds flatter than their words. Ask gently how they really are.",
    "excited voice": "Their voice sounds more tense than their words. Be calm and patient.",
}


def tone_guidance(mood: Mood) -> str:
    """What the language model is told of the user's mood; empty: nothing worth it.

    Neutral and not sure say nothing: a guess that is spoken of is worse than none.
    """
    parts = (_TONES.get(mood.name, ""), _CONTRAST_TONES.get(mood.contrast, ""))
    return " ".join(part for part in parts if part)


class SpeechStyle(NamedTuple):
    """Factors on how Samantha usually speaks.

    Attributes:
        speed: of her speech.
        pause: of the length of her pauses.
    """

    speed: float = 1.0
    pause: float = 1.0


_STYLES: Mapping[str, SpeechStyle] = {
    "sadness": SpeechStyle(0.90, 1.4),
    "fear": SpeechStyle(0.94, 1.2),
    "anger": SpeechStyle(0.95, 1.1),
    "joy": SpeechStyle(1.05, 0.9),
}


def speech_style(mood: Mood) -> SpeechStyle:
    """How to speak to a user in this mood: more quietly paced to one who is sad.

    Steps of a few per cent, which are felt and not noticed.
    """
    style = _STYLES.get(mood.name, SpeechStyle())
    # Who sounds flat or tense is not hurried, however cheerful the words are.
    return style._replace(speed=min(style.speed, 1.0)) if mood.is_mixed else style
