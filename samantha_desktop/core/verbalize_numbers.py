"""English numbers, as a person reads them out.

Sources: The Chicago Manual of Style, chapter 9 (years, decades, fractions, dates);
the North American Numbering Plan's habit of reading telephone numbers digit by digit.

All patterns repeat a bounded number of times, so that no text makes them slow.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

import num2words

Rule: TypeAlias = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]
"""A pattern and what is said for its matches."""

NUMBER = r"(?:(?:\d{1,3}(?:,\d{3}){1,6}(?!\d)|\d{1,40})(?:\.\d{1,40})?|(?<![\w.])\.\d{1,40})"
"""1250, 1,250, 3.5 or .5; without a sign."""

AMOUNT = (
    r"(?<![\w.,/:])(?:(?<![\w)])[-−])?"
    rf"(?:(?:\d{{1,4}} )?\d{{1,3}}/\d{{1,3}}|{NUMBER}(?: ?[-–] ?{NUMBER})?)"
)
"""A signed number, a fraction ("3/4", "1 1/2") or a range ("3-5")."""

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_N_DIGITS_OF_CODE = 7
"""From here on, a number without commas is a code or a telephone number, unless it is round."""

_MAX_NUMBER_DIGITS = 15
"""Even with commas, nobody follows more."""

_MAX_NAMED_DENOMINATOR = 20
""" "Three twentieths", but "three over twenty-one"."""

_ROMAN_DIGITS = {"I": 1, "V": 5, "X": 10, "L": 50}


def word_set(words: str) -> frozenset[str]:
    """A set of words, written with spaces between them."""
    return frozenset(words.split())


@lru_cache(maxsize=4096)
def cardinal(number: str) -> str:
    """Words for "1,250", "3.5", "-4", ".5" or "007"."""
    if number[0] in "-−":
        return f"minus {cardinal(number[1:])}"
    whole, dot, decimals = number.partition(".")
    digits = whole.replace(",", "")
    is_code = len(digits) >= _N_DIGITS_OF_CODE and "," not in whole and not digits.endswith("000")
    is_padded = len(digits) > 1 and int(digits[0]) == 0
    if is_code or is_padded or len(digits) > _MAX_NUMBER_DIGITS:
        words = digit_by_digit(digits)
    else:
        words = _words(int(digits or "0"), "cardinal")
    return f"{words} point {digit_by_digit(decimals)}" if dot else words


@lru_cache(maxsize=1024)
def ordinal(number: str) -> str:
    """Words for "22", as in "22nd"."""
    digits = number.replace(",", "")
    if len(digits) > _MAX_NUMBER_DIGITS:
        return digit_by_digit(digits)
    return _words(int(digits), "ordinal")


@lru_cache(maxsize=1024)
def year(number: str) -> str:
    """Words for "1984": nineteen eighty-four."""
    return _words(int(number), "year").replace("oh-", "oh ")


def digit_by_digit(digits: str) -> str:
    """Words for each digit; what is no digit is left out."""
    return " ".join(_DIGITS[int(char)] for char in digits if char.isdecimal())


def plural(word: str) -> str:
    """The plural of a number or a unit: fifty -> fifties, six -> sixes, third -> thirds."""
    if word.endswith("y"):
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("x", "ch")) else f"{word}s"


def amount(text: str) -> str:
    """Words for what `AMOUNT` matches."""
    if text[0] in "-−":
        return f"minus {amount(text[1:])}"
    if "/" in text:
        whole, _, part = text.rpartition(" ")
        words = _fraction(*part.split("/"))
        if not whole:
            return words
        return f"{cardinal(whole)} and {words.replace('one half', 'a half')}"
    return " to ".join(cardinal(part.strip()) for part in re.split("[-–]", text))


def _fraction(numerator: str, denominator: str) -> str:
    """Words for 1/2, 3/4, 5/8; "over" where there is no name (120/80)."""
    above, below = int(numerator), int(denominator)
    if above == below:  # 50/50, 4/4
        return f"{cardinal(numerator)} {cardinal(denominator)}"
    if below in (10, 100) and above < below:  # more often marks than tenths
        return f"{cardinal(numerator)} out of {cardinal(denominator)}"
    if not 2 <= below <= _MAX_NAMED_DENOMINATOR or not 1 <= above < 100:
        return f"{cardinal(numerator)} over {cardinal(denominator)}"
    name = {2: "half", 4: "quarter"}.get(below) or ordinal(denominator)
    if above != 1:
        name = "halves" if below == 2 else plural(name)
    return f"{cardinal(numerator)} {name}"


def _words(number: int, way: str) -> str:
    return str(num2words.num2words(number, to=way)).replace(",", "")


def _roman(numeral: str) -> int:
    """The value of a Roman numeral below 90, or 0 if it is none."""
    if not re.fullmatch(r"(?:XL|L?X{0,3})(?:IX|IV|V?I{0,3})", numeral):
        return 0
    values = [_ROMAN_DIGITS[char] for char in numeral]
    following = [*values[1:], 0]
    return sum(v if v >= after else -v for v, after in zip(values, following, strict=True))


# ------------------------------------------------- telephones, codes, versions


def _phone(match: re.Match[str]) -> str:
    """Digits one by one, with a breath where the groups end."""
    groups = ", ".join(digit_by_digit(group) for group in re.findall(r"\d+", match[0]))
    return f"plus {groups}" if match[0].startswith("+") else groups


def _short_phone(match: re.Match[str]) -> str:
    is_range = match[1].endswith("0") and match[2].endswith("0")  # 500-1500
    return f"{cardinal(match[1])} to {cardinal(match[2])}" if is_range else _phone(match)


def _version(match: re.Match[str]) -> str:
    lead = "version " if match[1] in ("v", "V") else match[1]
    return lead + " point ".join(cardinal(part) for part in match[2].split("."))


def _dotted_numbers(match: re.Match[str]) -> str:
    parts = match[0].split(".")
    if len(parts) == 4:  # an internet address
        return " dot ".join(digit_by_digit(part) for part in parts)
    return " point ".join(cardinal(part) for part in parts)


_PROGRAMS = "Python |Java |PHP |CUDA |Linux |[Kk]ernel |Node |Ubuntu |Debian |macOS |iOS |Android "


# ------------------------------------------------------------- years, numerals

_YEAR_LEADS = word_set(
    "in since by before after until till during from of circa year summer winter spring autumn "
    "fall early late mid january february march april may june july august september october "
    "november december"
)
_EARLY_YEAR_LEADS = word_set("in since until year")
_COUNTED = word_set("people men women children")
_NOT_COUNTED = word_set("was is has does as this its his")
_DECADE_LEADS = word_set("the his her their my your our early mid late in s")

_REGNAL = (
    r"(?:Henry|Louis|Elizabeth|George|Charles|Edward|Richard|William|James|Mary|Pope|Pius|Paul|"
    r"Benedict|Napoleon|Philip|Felipe|Carlos|Ferdinand|Frederick|Wilhelm|Catherine|Nicholas|"
    r"Alexander|Ivan|Otto|Leo|Francis|Gregory|Innocent|Urban|Clement|Gustav|Christian|Peter|"
    r"Ramesses|Ptolemy|Darius|Margrethe|Harald|Haakon|(?:Queen|King|Emperor|Tsar) [A-Z][a-z]{1,20})"
)
_NUMBERED = (
    r"(?:[Cc]hapter|[Pp]art|[Aa]ct|[Ss]cene|[Vv]olume|[Bb]ook|[Ss]ection|[Aa]rticle|[Pp]hase|"
    r"[Tt]ype|[Ll]evel|[Ss]tage|[Ee]pisode|World War|Super Bowl|[Tt]itle|[Cc]lass|[Aa]ppendix)"
)
_NOT_THE_PRONOUN = r"(?=[,.;:!?)]|\Z| (?:of|became|ruled|reigned|died)\b)"


def _word_before(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 24) : match.start()]
    found = re.search(r"([A-Za-z]+)\W\Z", before)
    return found[1].lower() if found else ""


def _is_count(match: re.Match[str]) -> bool:
    """Whether things are counted: "1984 pages", not "in 1984 prices rose"."""
    found = re.match(r" ([a-z]+)", match.string[match.end() : match.end() + 24])
    if not found or _word_before(match) in _YEAR_LEADS:
        return False
    noun = found[1]
    is_plural = len(noun) > 2 and noun.endswith("s") and noun not in _NOT_COUNTED
    return is_plural or noun in _COUNTED


def _year(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 2) : match.start()]
    is_negative = re.fullmatch(r"[^\w)]?[-−]", before)
    is_early = int(match[0]) < 1100 and _word_before(match) not in _EARLY_YEAR_LEADS
    return match[0] if is_negative or is_early or _is_count(match) else year(match[0])


def _year_range(match: re.Match[str]) -> str:
    first, last = match[1], match[2]
    if len(last) == 4:
        return f"{year(first)} to {year(last)}"
    return f"{year(first)} to {f'oh {cardinal(last[1])}' if last[0] == '0' else cardinal(last)}"


def _decade(match: re.Match[str]) -> str:
    mark, digits = match[1], match[2]
    is_duration = len(digits) == 2 and not mark and _word_before(match) not in _DECADE_LEADS
    if is_duration:  # "wait 30s"
        return f"{cardinal(digits)} seconds"
    words = year(digits) if len(digits) == 4 else cardinal(digits)
    head, _, last = words.rpartition(" ")
    return f"{head.removeprefix('one')} {plural(last)}".strip()  # hundreds


def _numeral(match: re.Match[str]) -> str:
    value = _roman(match[2])
    return f"{match[1]} {cardinal(str(value))}" if value else match[0]


def _regnal(match: re.Match[str]) -> str:
    value = _roman(match[2])
    return f"{match[1]} the {ordinal(str(value))}" if value else match[0]


def _minus_or_to(match: re.Match[str]) -> str:
    """Between two numbers: a difference if it is spaced or computed, else a range."""
    before = match.string[max(0, match.start() - 24) : match.start()]
    following = match.string[match.end() : match.end() + 48]
    if re.search(r"[^\W\d_][\d.]{1,20}\Z", before):  # i7-8700
        return match[0]
    is_computed = match[1] == " - " or "−" in match[1] or re.match(r"[\d.,]* ?[=+×*]", following)
    return " minus " if is_computed else " to "


def _any_number(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 1) : match.start()]
    after = match.string[match.end() : match.end() + 1]
    head = " " if before.isalnum() else ""
    return f"{head}{cardinal(match[0])}{' ' if after.isalnum() else ''}"


# ----------------------------------------------------------------------- rules

CODE_RULES: tuple[Rule, ...] = (
    (re.compile(r"(?<![\w+])\+\d{1,3}(?:[ -]?\(?\d{1,5}\)?){2,6}(?!\w)"), _phone),
    (re.compile(r"(?<!\w)\(\d{3}\)[ -]?\d{3}[ -]\d{4}(?!\w)"), _phone),
    (re.compile(r"(?<![\w.,-])\d{3}([ .])\d{3}\1\d{4}(?!\w)"), _phone),
    (re.compile(r"(?<![\w.,-])\d{4}(?: \d{4}){2,4}(?!\w)"), _phone),
    (re.compile(r"(?<![\w.,-])\d{1,6}(?:-\d{1,8}){2,5}(?![\w-])"), _phone),
    (re.compile(r"(?<![\w.,$€£-])(\d{3})-(\d{4})(?![\w-]| ?[=%])"), _short_phone),
    (
        re.compile(
            r"\b((?:[Cc]all|[Dd]ial|[Cc]ode|[Pp]in|PIN|[Zz]ip|ZIP|[Ee]xtension)(?: is| code)? )"
            r"(\d{3,10})(?![\w.,:-]?\d)(?! [a-z]{3,20}s\b)"
        ),
        lambda m: m[1] + digit_by_digit(m[2]),
    ),
    (
        re.compile(
            rf"(?<!\w)([vV]|[Vv]ersion |{_PROGRAMS})"
            r"((?:0|[1-9]\d{0,3})(?:\.\d{1,4}){0,4})(?![\d.]?\d)(?!\w)"
        ),
        _version,
    ),
    (re.compile(r"(?<![\d.])\d{1,9}(?:\.\d{1,9}){2,6}(?![\d.]?\d)"), _dotted_numbers),
    (re.compile(r"(?<![\w.,])(['’]?)(\d{1,2}0|\d{3}0)['’]?s\b"), _decade),
    (re.compile(r"(?<![\w/])24/7(?![\w/])"), lambda m: "twenty-four seven"),
    (re.compile(r"(?<![\w/])9/11(?![\w/])"), lambda m: "nine eleven"),
)
"""Numbers that stand for something. After dates, before amounts."""

NUMBER_RULES: tuple[Rule, ...] = (
    (
        re.compile(
            r"(?<![\w.,:/#-])(1[1-9]\d\d|20\d\d) ?[-–] ?(1[1-9]\d\d|20\d\d|(?<!\s)\d\d)"
            r"(?![\w.,]?\d)(?! ?=)"
        ),
        _year_range,
    ),
    (
        re.compile(r"(?<![\w.,:/#])(?:1\d\d\d|20\d\d)(?![\w-]|[.,:/]\d)(?! ?[+*/×÷=−])"),
        _year,
    ),
    (
        re.compile(r"(?<![\d.])(\d{1,3}(?:,\d{3}){1,4}|\d{1,15})(?:st|nd|rd|th)\b", re.IGNORECASE),
        lambda m: ordinal(m[1]),
    ),
    (
        re.compile(r"(?<![\w.,/])(?:\d{1,4} )?\d{1,4}/\d{1,4}(?![\w/]| ?=)"),
        lambda m: amount(m[0]),
    ),
    (re.compile(r"(?<=\d)( ?[–−] ?| - |-)(?=\.?\d)"), _minus_or_to),
    (re.compile(r"(?<=\d) ?: ?(?=\d)"), lambda m: " to "),
    (re.compile(r"(?<![\w)])[-−] ?(?=\.?\d)"), lambda m: "minus "),
    (re.compile(rf"\b({_REGNAL}) ([IVX]{{2,6}}|[VX])\b"), _regnal),
    (re.compile(rf"\b({_REGNAL}) (I)\b{_NOT_THE_PRONOUN}"), _regnal),
    (re.compile(r"\bWW(II?)\b"), lambda m: f"World War {cardinal(str(len(m[1])))}"),
    (re.compile(rf"\b({_NUMBERED}) ([IVXL]{{1,7}})\b"), _numeral),
    (re.compile(r"\b([A-Z][a-z]{2,20}) (I{2,3}|VI{2,3}|IX|X[IVX]{1,4})\b"), _numeral),
    (re.compile(NUMBER), _any_number),
)
"""What remains of numbers, from the special to the plain. Leaves no digit."""
