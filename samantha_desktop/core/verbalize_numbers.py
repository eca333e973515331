"""English numbers, as a person reads them out."""

from __future__ import annotations

from functools import lru_cache

import num2words

_MAX_NUMBER_DIGITS = 15
"""Longer ones are read digit by digit: nobody follows a quadrillion."""

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@lru_cache(maxsize=4096)
def cardinal(number: str) -> str:
    """Words for "1,250", "3.5", "-4" or "007"."""
    number = number.replace(",", "").replace("−", "-")
    if number.startswith("-"):
        return f"minus {cardinal(number[1:])}"
    whole, dot, decimals = number.partition(".")
    if len(whole) > _MAX_NUMBER_DIGITS or (len(whole) > 1 and whole.startswith("0")):
        words = digit_by_digit(whole)
    else:
        words = _plain(str(num2words.num2words(int(whole or "0"))))
    return f"{words} point {digit_by_digit(decimals)}" if dot else words


@lru_cache(maxsize=1024)
def ordinal(number: str) -> str:
    """Words for "3" in "3rd"."""
    number = number.replace(",", "")
    if len(number) > _MAX_NUMBER_DIGITS:
        return digit_by_digit(number)
    return _plain(str(num2words.num2words(int(number), to="ordinal")))


@lru_cache(maxsize=1024)
def year(number: str) -> str:
    """Words for "1984": nineteen eighty-four."""
    return _plain(str(num2words.num2words(int(number), to="year")))


def digit_by_digit(digits: str) -> str:
    """Words for each digit; what is no digit is left out."""
    return " ".join(_DIGITS[int(char)] for char in digits if char.isdecimal())


def _plain(words: str) -> str:
    return words.replace(",", "")
