"""English abbreviations, acronyms, addresses and symbols, as a person says them.

Letters are spelled with hyphens ("I-Q"), which eSpeak NG reads as the letters of
one word; an A within is written "eh", since it would be read as the article.
What eSpeak NG says right ("USB", "NASA") is left alone: every entry of the tables
was added because its reading (en-us, 1.52) was wrong.
"""

from __future__ import annotations

import re

from samantha_desktop.core.verbalize_numbers import Rule, word_set


def _spell(letters: str) -> str:
    inner = ("eh" if char == "A" else char for char in letters[1:-1])
    return "-".join([letters[0], *inner, letters[-1]])


def _any_of(words: dict[str, str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


# ---------------------------------------------------------------- abbreviations

_TITLES = {
    "Dr": "Doctor", "Mr": "Mister", "Mrs": "Missus", "Ms": "Mizz", "Prof": "Professor",
    "Rev": "Reverend", "Gen": "General", "Col": "Colonel", "Sgt": "Sergeant", "Capt": "Captain",
    "Lt": "Lieutenant", "Maj": "Major", "Sen": "Senator", "Gov": "Governor", "Pres": "President",
    "St": "Saint", "Mt": "Mount", "Ft": "Fort",
}  # fmt: skip
_AFTER_NAMES = {
    "St": "Street", "Ave": "Avenue", "Blvd": "Boulevard", "Rd": "Road", "Dr": "Drive",
    "Jr": "Junior", "Sr": "Senior", "Inc": "Incorporated", "Ltd": "Limited",
    "Corp": "Corporation", "Co": "Company",
}  # fmt: skip
_BEFORE_NUMBERS = {
    "no": "number", "nos": "numbers", "p": "page", "pp": "pages", "vol": "volume",
    "ch": "chapter", "fig": "figure", "figs": "figures", "eq": "equation", "c": "circa",
    "ca": "circa", "sec": "section", "ver": "version",
}  # fmt: skip
_WITH_FULL_STOP = {
    "approx": "approximately", "incl": "including", "excl": "excluding", "max": "maximum",
    "min": "minimum", "avg": "average", "dept": "department", "govt": "government",
    "est": "established", "tel": "telephone", "misc": "miscellaneous",
}  # fmt: skip
_ALWAYS = {
    "e.g": "for example", "i.e": "that is", "a.k.a": "also known as", "ph.d": "P-H-D",
    "etc": "et cetera", "vs": "versus", "w/o": "without", "b/c": "because", "n/a": "not available",
}  # fmt: skip

_DROPPED_STOP = r"(?:\.(?![\"'”’)]{0,3}\Z))?"
"""The full stop of an abbreviation; one that also ends the clause stays."""


def _with_case(written: str, spoken: str) -> str:
    is_title_case = written[:1].isupper() and written[1:2].islower()
    return spoken[0].upper() + spoken[1:] if is_title_case else spoken


def _initial(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 24) : match.start()]
    is_after_word = re.search(r"(?:\A|\W)[a-z]+ \Z", before)  # "vitamin C. That"
    return match[0] if is_after_word else match[1]


ABBREVIATION_RULES: tuple[Rule, ...] = (
    (
        re.compile(rf"(?<![\w.])({_any_of(_ALWAYS)})(?!\w){_DROPPED_STOP}", re.IGNORECASE),
        lambda m: _with_case(m[1], _ALWAYS[m[1].lower()]),
    ),
    (re.compile(r"(?<!\w)w/ ?"), lambda m: "with "),
    (
        re.compile(rf"(?<![\w.])((?:[A-Za-z]\.){{1,7}}[A-Za-z])(?!\w|\.\w){_DROPPED_STOP}"),
        lambda m: _spell(m[1].replace(".", "").upper()),
    ),
    (
        re.compile(rf"(?<![\w.])({_any_of(_BEFORE_NUMBERS)})\. ?(?=\d|[IVXL]{{2,7}}\b)", re.I),
        lambda m: f"{_with_case(m[1], _BEFORE_NUMBERS[m[1].lower()])} ",
    ),
    (
        re.compile(r"\b(\d{1,5}(?:st|nd|rd|th)|\d{1,5} [A-Z][a-z]{1,20}) St\b" + _DROPPED_STOP),
        lambda m: f"{m[1]} Street",
    ),
    (
        re.compile(rf"(?<![\w.'])({_any_of(_TITLES)})\.? (?=[A-Z]|and Mrs)"),
        lambda m: f"{_TITLES[m[1]]} ",
    ),
    (
        re.compile(rf"(?<=[a-z])(,? )({_any_of(_AFTER_NAMES)})(?=\.)(?! ?[A-Z]){_DROPPED_STOP}"),
        lambda m: m[1] + _AFTER_NAMES[m[2]],
    ),
    (
        re.compile(
            rf"(?<![\w.])(?<!\d )({_any_of(_WITH_FULL_STOP)})(?=\.){_DROPPED_STOP}", re.IGNORECASE
        ),
        lambda m: _with_case(m[1], _WITH_FULL_STOP[m[1].lower()]),
    ),
    (re.compile(r"(?<![\w'’.])([A-HJ-Z])\.(?= [A-Z])"), _initial),
    (re.compile(r"(?<=\d )AD\b|\bAD(?= \d)"), lambda m: "A-D"),
    (re.compile(r"(?:№|#) ?(?=\d)"), lambda m: "number "),
    (re.compile(r"§ ?(?=\d)"), lambda m: "section "),
    (re.compile(r"[~≈] ?(?=[$€£]?\d)"), lambda m: "about "),
)
"""Before numbers are written out."""


# -------------------------------------------------------------------- addresses

_SPELLED_ENDINGS = word_set("io ai uk us eu fr js ts md css html xml sql tv exe dll csv")


def _dotted_name(name: str) -> str:
    first, *rest = name.split(".")
    spoken = [_spell(part.upper()) if part in _SPELLED_ENDINGS else part for part in rest]
    return " dot ".join([first, *spoken])


def _address(match: re.Match[str]) -> str:
    name, _, host = match[0].partition("@")
    for mark, word in ((".", "dot"), ("_", "underscore"), ("+", "plus"), ("-", "dash")):
        name = name.replace(mark, f" {word} ")
    return f"{name} at {_dotted_name(host)}"


def _name_with_dots(match: re.Match[str]) -> str:
    if re.search(r"[a-z]\.[A-Z][a-z]", match[0]):  # a space was forgotten
        return match[0].replace(".", ". ")
    return _dotted_name(match[0])


ADDRESS_RULES: tuple[Rule, ...] = (
    (
        re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}(?!\w)"),
        _address,
    ),
    (
        re.compile(
            r"(?<![\w.@-])[^\W_][\w-]{1,62}(?:\.[^\W_][\w-]{0,62}){0,4}\.[A-Za-z][a-z]{1,15}(?![\w-]|\.\w)"
        ),
        lambda m: _name_with_dots(m) if re.match(r"\w*[^\W\d]", m[0]) else m[0],
    ),
)
"""First of all."""


# ---------------------------------------------------------------------- symbols

_SYMBOLS = {
    "++": " plus plus ", "+": " plus ", "==": " equals ", "=": " equals ",
    "!=": " is not equal to ", "≠": " is not equal to ", "≈": " is about ",
    "±": " plus or minus ", "<=": " is at most ",
    "≤": " is at most ", ">=": " is at least ", "≥": " is at least ", "->": " to ", "=>": " to ",
    "→": " to ", "⇒": " to ", "<": " is less than ", ">": " is greater than ", "°": " degrees ",
    "%": " percent ", "×": " times ", "÷": " divided by ", "√": " the square root of ",
    "∞": " infinity ", "&": " and ", "@": " at ", "$": " dollars ", "€": " euros ",
    "£": " pounds ", "|": ", ", "_": " ", "^": " ", "~": " ", "`": " ", "[": "(", "]": ")",
    "{": "(", "}": ")",
}  # fmt: skip
_PER = word_set("second minute hour day night week month year person")


def _is_computed(match: re.Match[str]) -> bool:
    return "=" in match.string[match.end() : match.end() + 48]


def _times_or_by(match: re.Match[str]) -> str:
    """ "5 × 6" is a product, "1920×1080" and "3 x 4 m" are sizes."""
    is_product = match[1] in ("*", " * ", " × ") or _is_computed(match)
    return " times " if is_product else " by "


def _times_or_x(match: re.Match[str]) -> str:
    """ "2x faster" is twice as fast, "y = 2x" a product with x."""
    around = match.string[max(0, match.start() - 24) : match.end() + 24]
    return " x" if "=" in around else " times"


def _slash(match: re.Match[str]) -> str:
    left, right = match[1], match[2]
    if right in _PER and left not in _PER:
        spoken = " per "
    elif (left.isupper() and right.isupper()) or left in ("and", "or"):  # TCP/IP, and/or
        spoken = " "
    else:
        spoken = " or "
    return left + spoken


PRODUCT_RULES: tuple[Rule, ...] = (
    (re.compile(r"(?<=\d)( ?[×*] ?| ?x ?)(?=\.?\d)"), _times_or_by),
    (re.compile(r"(?<=\d)[x×](?!\w)"), _times_or_x),
    (
        re.compile(r"(?<=\d)[eE]([-+]?\d{1,3})(?!\w)"),
        lambda m: f" times ten to the power of {m[1].lstrip('+')}",
    ),
)
"""Before amounts: "3 x 4 m"."""

MATH_RULES: tuple[Rule, ...] = (
    (re.compile(r"(?<=[\w)])\^2(?![\w.])"), lambda m: " squared "),
    (re.compile(r"(?<=[\w)])\^3(?![\w.])"), lambda m: " cubed "),
    (re.compile(r"(?<=[\w)])\^\(?([-−]?\w{1,9})\)?"), lambda m: f" to the power of {m[1]} "),
    (re.compile(r"(?<=\d)(?: / |/(?=\d{1,15} ?=))(?=\d)"), lambda m: " divided by "),
    (re.compile(r"(?<=\b[a-z]) [-−] (?=\d)|(?<=\d) [-−] (?=[a-z]\b)"), lambda m: " minus "),
)
"""Between amounts and plain numbers."""

SYMBOL_RULES: tuple[Rule, ...] = (
    (re.compile(r"\bAT&T\b"), lambda m: "A-T-and-T"),
    (re.compile(r"\b([A-Z])/([A-Z])\b"), lambda m: f"{m[1]}-{m[2]}"),
    (re.compile(r"\b([A-G])#(?!\w)"), lambda m: f"{m[1]}-sharp"),
    (re.compile(r"#(?=[^\W\d_])"), lambda m: " hashtag "),
    (re.compile(r"(?<![\w/])([^\W\d_]{1,24})/(?=([^\W\d_]{1,24})(?![\w/]))"), _slash),
    (re.compile(r"/"), lambda m: " slash "),
    (re.compile(r"(?<=\w) ?\* ?(?=\w)"), lambda m: " times "),
    (re.compile(r"[*#]"), lambda m: " "),
    (re.compile(_any_of(_SYMBOLS)), lambda m: _SYMBOLS[m[0]]),
    (re.compile(r"(?<!\S)(?:--?|–)(?!\S)|(?<=\w)--(?=\w)"), lambda m: " — "),
    (re.compile(r"(?<=[^\W\d_]),(?=[^\W\d_])"), lambda m: ", "),
    (re.compile(r"(?<=[^\W\d_]):(?=[^\W\d_])"), lambda m: ": "),
    (re.compile(r"(?<![\w.])\.(?=[A-Za-z])"), lambda m: " dot "),
)
"""After numbers are written out."""


# --------------------------------------------------------------------- acronyms

_SAID = {
    "IoT": "I-O-T", "iOS": "I-O-S", "PyPI": "pie P-I", "LaTeX": "lay-tech", "SaaS": "sass",
    "ONNX": "onyx", "NVMe": "N-V-M-E", "nginx": "engine X", "Qwen": "Kwen", "LLaMA": "llama",
    "stdin": "standard in", "stdout": "standard out", "stderr": "standard error",
    "CO two": "C-O two", "TL;DR": "T-L-D-R", "kHz": "kilohertz", "GmbH": "G-M-B-H",
}  # fmt: skip
_SPELLED = (
    "FAQ|AWS|IQ|SOS|UAE|UX|NYC|ETF|NGO|ASR|ROI|ISS|RIP|CI|GGUF|KPI|TLDR|PSI|CSS|HDD|GPT|NSFW|ADHD"
)
_PLURAL_LOST = "CPU|GPU|TPU|NPU|ID|TV|PC|CD|DVD|PDF|SSD|VPN|VM|LLM|PR|UFO|PIN|ATM|LED|EV|USB"
_LABELLED_A = r"\b([Pp]lan|[Vv]itamin|[Oo]ption|[Gg]rade|[Gg]roup|[Tt]ype|[Hh]epatitis) A\b(?!-)"

ACRONYM_RULES: tuple[Rule, ...] = (
    (re.compile(rf"\b({_any_of(_SAID)})\b"), lambda m: _SAID[m[1]]),
    (re.compile(rf"\b({_SPELLED})(['’]?s)?\b"), lambda m: _spell(m[1]) + ("'s" if m[2] else "")),
    (re.compile(rf"\b({_PLURAL_LOST})['’]?s\b"), lambda m: f"{_spell(m[1])}'s"),
    (re.compile(_LABELLED_A), lambda m: f"{m[1]} eh"),
)
"""Last of all."""
