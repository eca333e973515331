"""Word error rate: how far a recognised text is from what was said.

Spelling that no ear can tell apart must not count, so both sides are brought to
plain spoken words first. English rules for numbers; other languages are compared
as written.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from samantha_desktop.core.verbalize_numbers import cardinal, ordinal, year

_SAME_WORD = {
    "ok": "okay",
    "mr": "mister",
    "mrs": "missus",
    "dr": "doctor",
    "vs": "versus",
    "alright": "all right",
    "percent": "per cent",
    "km": "kilometers",
    "kilometres": "kilometers",
    "kg": "kilograms",
}
_CURRENCIES = {"$": "dollars", "€": "euros", "£": "pounds"}

_MONEY = re.compile(r"([$€£])\s?(\d[\d,]*(?:\.\d+)?)")
_CLOCK = re.compile(r"\b(\d{1,2}):(\d{2})\b")
_WITH_COMMAS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_YEAR = re.compile(r"1[1-9]\d\d|20[1-9]\d")
_DOTTED_LETTERS = re.compile(r"\b(?:[a-z]\.){2,}")
_APOSTROPHES = re.compile(r"['’ʼ`]")
_NOT_A_WORD = re.compile(r"[^\w]+|_+")
_AND_IN_NUMBER = re.compile(r"\b(hundred|thousand|million|billion) and\b")


@dataclass(frozen=True)
class WordErrors:
    """Errors against a reference; add several to pool them over a corpus.

    Attributes:
        n_errors: words substituted, left out or put in.
        n_words: words of the reference.
    """

    n_errors: int = 0
    n_words: int = 0

    @property
    def rate(self) -> float:
        """Errors per reference word; may exceed 1. An empty reference counts as one word."""
        return self.n_errors / max(1, self.n_words)

    def __add__(self, other: WordErrors) -> WordErrors:
        return WordErrors(self.n_errors + other.n_errors, self.n_words + other.n_words)


def normalize_words(text: str) -> list[str]:
    """Bring a text to lower-case spoken words without punctuation.

    Digits become words ("7:30" and "seven thirty", "50%" and "fifty per cent" are
    the same), hyphens separate, apostrophes vanish.
    """
    text = unicodedata.normalize("NFKC", text).lower()
    text = _DOTTED_LETTERS.sub(lambda m: m[0].replace(".", ""), text)
    text = _MONEY.sub(lambda m: f" {cardinal(m[2])} {_CURRENCIES[m[1]]} ", text)
    text = _WITH_COMMAS.sub(lambda m: f" {cardinal(m[0])} ", text)
    text = _CLOCK.sub(_spoken_clock, text)
    text = text.replace("%", " percent ").replace("&", " and ").replace("°", " degrees ")
    text = _ORDINAL.sub(lambda m: f" {ordinal(m[1])} ", text)
    text = _NUMBER.sub(_spoken_number, text)
    text = _APOSTROPHES.sub("", text)
    words = _NOT_A_WORD.sub(" ", text).split()
    joined = " ".join(_SAME_WORD.get(word, word) for word in words)
    return _AND_IN_NUMBER.sub(r"\1", joined).split()


def count_word_errors(reference: str, hypothesis: str) -> WordErrors:
    """Count word errors between two texts, normalised alike.

    Source: Levenshtein distance over words, the usual definition of word error rate.
    """
    expected, heard = normalize_words(reference), normalize_words(hypothesis)
    previous = list(range(len(heard) + 1))
    for row, word in enumerate(expected, start=1):
        current = [row]
        for column, other in enumerate(heard, start=1):
            current.append(
                min(
                    previous[column] + 1,
                    current[-1] + 1,
                    previous[column - 1] + (word != other),
                )
            )
        previous = current
    return WordErrors(n_errors=previous[-1], n_words=len(expected))


def word_error_rate(reference: str, hypothesis: str) -> float:
    """Word errors per word of the reference: 0 is perfect, more than 1 is possible."""
    return count_word_errors(reference, hypothesis).rate


def _spoken_number(match: re.Match[str]) -> str:
    number = match[0]
    return f" {year(number) if _YEAR.fullmatch(number) else cardinal(number)} "


def _spoken_clock(match: re.Match[str]) -> str:
    hours, minutes = int(match[1]), int(match[2])
    if minutes == 0:
        return f" {hours} o'clock "
    return f" {hours} oh {minutes} " if minutes < 10 else f" {hours} {minutes} "
