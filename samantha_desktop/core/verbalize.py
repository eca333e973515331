"""From a clause as written to what the voice is given."""

from __future__ import annotations

import re
from typing import Literal

from samantha_desktop.core import verbalize_numbers as numbers

_MONEY_NAMES = {"$": ("dollar", "dollars"), "€": ("euro", "euros"), "£": ("pound", "pounds")}
_SYMBOLS = {"&": " and ", "%": " percent", "+": " plus ", "=": " equals ", "°": " degrees "}

_MONEY = re.compile(r"([$€£])(\d[\d,]*(?:\.\d+)?)")
_CLOCK = re.compile(r"\b([01]?\d|2[0-3]):([0-5]\d)\b")
_ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b")
_YEAR = re.compile(r"(?<![\d,.])(?:1[1-9]\d\d|20\d\d)(?![\d,.]?\d)")
_NUMBER = re.compile(r"(?:(?<!\w)[-−])?\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?:(?<!\w)[-−])?\d+(?:\.\d+)?")
_END_MARK = re.compile(r"[.!?…,;:。！？，、；：—–][\"'”’)\]»]*\Z")


def verbalize(
    text: str, *, language: str = "en", ends: Literal["sentence", "clause", "cut"] = "sentence"
) -> str:
    """Write out what a voice would read wrongly: numbers, symbols, abbreviations.

    Args:
        text: a clause without markdown, emoji and URLs.
        language: of the text; only English is written out.
        ends: how the clause ends; a "cut" one gets a comma so that the voice stays up.
    Returns: "" when nothing can be said.
    """
    if not any(char.isalnum() for char in text):
        return ""
    if language.partition("-")[0].lower() == "en":
        text = _english(text)
    text = " ".join(text.split())
    if _END_MARK.search(text):
        return text
    return text + {"sentence": ".", "clause": "", "cut": ","}[ends]


def _english(text: str) -> str:
    text = _MONEY.sub(
        lambda m: f"{numbers.cardinal(m[2])} {_MONEY_NAMES[m[1]][m[2] != '1']}", text
    )
    text = _CLOCK.sub(_clock, text)
    text = _ORDINAL.sub(lambda m: numbers.ordinal(m[1]), text)
    text = _YEAR.sub(lambda m: numbers.year(m[0]), text)
    text = _NUMBER.sub(lambda m: numbers.cardinal(m[0]), text)
    for symbol, words in _SYMBOLS.items():
        text = text.replace(symbol, words)
    return text


def _clock(match: re.Match[str]) -> str:
    hours, minutes = numbers.cardinal(match[1]), match[2]
    if minutes == "00":
        return f"{hours} o'clock"
    return f"{hours} {'oh ' if minutes[0] == '0' else ''}{numbers.cardinal(str(int(minutes)))}"
