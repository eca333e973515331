"""Why a mood: the words that carried it, what else it could have been, what the voice added.

A word's weight is what the group's probability loses when the word is left out. It is
found by classifying the text once more for each word, all of them in one batch:

    texts = variants(text)
    without = <group probabilities of texts>      (n, 7)
    explain(text, reading, without)

Window, command line and API show the same `Explanation`.

Source: leave-one-out, after Li, Monroe and Jurafsky, "Understanding neural networks
through representation erasure", 2016.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from samantha_desktop.core.emotions import GROUP_WORDS, GROUPS
from samantha_desktop.core.mood import EmotionReading, Scored

MAX_WORDS = 40
"""Later words are not weighed: each costs one more reading of the whole text."""

N_ALTERNATIVES = 3
"""So many groups are shown."""

MIN_WEIGHT = 0.05
"""A word that moves the probability by less carries nothing. Source: a word taken at random
moves it by 0.08 on average, the strongest word of a sentence by 0.61."""

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


@dataclass(frozen=True)
class Word:
    """A word where it stands.

    Attributes:
        text: as it was written, without punctuation.
        start: index of its first character in the text.
    """

    text: str
    start: int

    @property
    def end(self) -> int:
        """Index after its last character."""
        return self.start + len(self.text)


@dataclass(frozen=True)
class WeightedWord:
    """A word and what it did.

    Attributes:
        word: which.
        weight: probability of the group with the word, less that without it, [-1, 1].
    """

    word: Word
    weight: float


@dataclass(frozen=True)
class Explanation:
    """The one structure that is shown of why a mood was read.

    Attributes:
        reading: what is explained.
        group: the group that the words are weighed for: the most probable one, claimed or
            not; empty when there are no words.
        alternatives: the most probable groups, most probable first.
        words: those that carried the group or spoke against it, strongest first.
        voice: what the voice added, one plain sentence.
    """

    reading: EmotionReading
    group: str
    alternatives: tuple[Scored, ...]
    words: tuple[WeightedWord, ...]
    voice: str

    def document(self) -> dict[str, Any]:
        """The explanation as JSON output shows it."""
        return {
            **self.reading.document(),
            "explained": self.group,
            "alternatives": [group._asdict() for group in self.alternatives],
            "words": [
                {"word": item.word.text, "start": item.word.start, "weight": item.weight}
                for item in self.words
            ],
            "voice": self.voice,
        }


def words_of(text: str) -> tuple[Word, ...]:
    """The words that are weighed, the first `MAX_WORDS` of the text."""
    found = (Word(match[0], match.start()) for match in _WORD.finditer(text))
    return tuple(word for _, word in zip(range(MAX_WORDS), found, strict=False))


def variants(text: str) -> tuple[str, ...]:
    """The text without each of `words_of`, in their order. Punctuation stays."""
    return tuple(text[: word.start] + text[word.end :] for word in words_of(text))


def attributions(
    text: str,
    groups: tuple[float, ...],
    without: NDArray[np.floating],
    group: str,
) -> tuple[WeightedWord, ...]:
    """What each word did for a group, strongest first.

    Args:
        text: what was classified.
        groups: (7,) its group probabilities.
        without: (n_words, 7) those of its `variants`.
        group: one of `GROUPS`.
    """
    column = GROUPS.index(group)
    weights = groups[column] - without[:, column].astype(np.float64)
    weighted = [
        WeightedWord(word, float(weight))
        for word, weight in zip(words_of(text), weights, strict=True)
    ]
    return tuple(sorted(weighted, key=lambda item: -abs(item.weight)))


def explain(text: str, reading: EmotionReading, without: NDArray[np.floating]) -> Explanation:
    """Put together why.

    Args:
        text: the words that were classified: of a translation, the English ones.
        reading: what was read from them.
        without: (n_words, 7) group probabilities of `variants(text)`.
    """
    alternatives: tuple[Scored, ...] = ()
    words: tuple[WeightedWord, ...] = ()
    group = ""
    if reading.word_arousal is not None:
        scored = map(Scored, GROUPS, reading.groups)
        alternatives = tuple(sorted(scored, key=lambda item: -item.probability)[:N_ALTERNATIVES])
        group = alternatives[0].name
        weighed = attributions(text, reading.groups, without, group)
        words = tuple(item for item in weighed if abs(item.weight) >= MIN_WEIGHT)
    return Explanation(reading, group, alternatives, words, _of_the_voice(reading))


_AUDIBLE_AROUSAL = 0.3
"""Ordinary sentences of one speaker differ by so much."""


def _of_the_voice(reading: EmotionReading) -> str:
    arousal = reading.voice_arousal
    if arousal is None:
        return "Nothing was heard of the voice, or too little to compare it."
    if abs(arousal) < _AUDIBLE_AROUSAL:
        return "The voice sounds as usual."
    heard = "more excited" if arousal > 0 else "calmer"
    if reading.is_mixed:
        word = GROUP_WORDS[reading.group]
        return f"The voice sounds {heard} than usual, which does not go with {word} words."
    return f"The voice sounds {heard} than usual."
