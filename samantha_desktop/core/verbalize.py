"""From a clause as written to what the voice is given.

English is written out by rules, applied one after another from the special to
the plain; each works on what the ones before left. Other languages get their
numbers written out where num2words knows the language; eSpeak NG reads the rest.
"""

from __future__ import annotations

import re
from typing import Literal

import num2words

from samantha_desktop.core.verbalize_amounts import AMOUNT_RULES
from samantha_desktop.core.verbalize_dates import DATE_RULES, TIME_RULES
from samantha_desktop.core.verbalize_numbers import CODE_RULES, NUMBER_RULES
from samantha_desktop.core.verbalize_words import (
    ABBREVIATION_RULES,
    ACRONYM_RULES,
    ADDRESS_RULES,
    MATH_RULES,
    PRODUCT_RULES,
    SYMBOL_RULES,
)

_ENGLISH_RULES = (
    *ADDRESS_RULES,
    *DATE_RULES,
    *TIME_RULES,
    *ABBREVIATION_RULES,
    *CODE_RULES,
    *PRODUCT_RULES,
    *AMOUNT_RULES,
    *MATH_RULES,
    *NUMBER_RULES,
    *SYMBOL_RULES,
    *ACRONYM_RULES,
)

_VULGAR_FRACTIONS = {"½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅛": "1/8"}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_GLYPHS = str.maketrans("₀₁₂₃₄₅₆₇₈₉⁄\u2011\u2126", "0123456789/-Ω")
_SPACE_IN_NUMBER = re.compile(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3}(?!\d))")
_ROUND_WITH_SPACES = re.compile(r"(?<![\w.,])\d{1,3}(?: \d{3}){0,4} 000(?![\d-]| \d)")

_DECIMAL_COMMA_LANGUAGES = frozenset({"de", "es", "fr", "it", "nl", "pt"})
_FOREIGN_NUMBER = re.compile(
    r"(?<![\w.,:/+-])(?:\d{1,3}(?:\.\d{3}){1,4}|\d{1,15})(?:,\d{1,15})?(?![\w:/+-]|[.,]\d)"
)

_END_MARK = re.compile(r"[.!?…,;:。！？，、；：—][\"'”’)\]»」』]{0,4}\Z")


def verbalize(
    text: str, *, language: str = "en", ends: Literal["sentence", "clause", "cut"] = "sentence"
) -> str:
    """Write out what a voice would read wrongly: numbers, symbols, abbreviations.

    Words and the punctuation that shapes the melody stay as they are. The time
    taken grows linearly with the text.

    Args:
        text: a clause without markdown, emoji and URLs.
        language: of the text, as "en" or "en-GB".
        ends: how the clause ends. A "sentence" gets its full stop, a "cut" one a
            comma, so that the voice does not fall in mid-phrase.
    Returns: "" when nothing can be said.
    """
    if not any(char.isalnum() for char in text):
        return ""
    code = language.partition("-")[0].lower()
    text = " ".join(_SPACE_IN_NUMBER.sub("", text).split())
    text = _ROUND_WITH_SPACES.sub(lambda m: m[0].replace(" ", ""), text)
    if code == "en":
        text = _english(text)
    elif code in _DECIMAL_COMMA_LANGUAGES:
        text = _FOREIGN_NUMBER.sub(lambda m: _foreign_number(m[0], code), text)
    if _END_MARK.search(text):
        return text
    return text + {"sentence": ".", "clause": "", "cut": ","}[ends]


def _english(text: str) -> str:
    text = re.sub("(\\d?)([½⅓⅔¼¾⅛])", _vulgar_fraction, text.translate(_GLYPHS))
    text = re.sub("[⁻⁰¹²³⁴-⁹]{1,9}", lambda m: f"^{m[0].translate(_SUPERSCRIPTS)}", text)
    text = re.sub("μ(?=[mgs]\\b)", "µ", text)
    for pattern, say in _ENGLISH_RULES:
        text = pattern.sub(say, text)
    return re.sub(r" (?=[.,;:!?)])(?! \.\w)", "", " ".join(text.split()))


def _vulgar_fraction(match: re.Match[str]) -> str:
    return f"{match[1]} {_VULGAR_FRACTIONS[match[2]]}" if match[1] else _VULGAR_FRACTIONS[match[2]]


def _foreign_number(number: str, language: str) -> str:
    digits = number.replace(".", "").replace(",", ".")
    value = float(digits) if "." in digits else int(digits)
    is_year = language in ("de", "nl") and re.fullmatch(r"1[1-9]\d\d", number)
    return str(num2words.num2words(value, lang=language, to="year" if is_year else "cardinal"))
