"""Money, per cents and measures in English, as a person reads them out.

Sources: ISO 4217 for the codes of currencies; NIST Special Publication 811 for
the names of units, in American spelling, and that a unit is plural unless the
number is one ("a 5 km run" is an adjective and stays singular: Chicago Manual of
Style 7.89).
"""

from __future__ import annotations

import re

from samantha_desktop.core.verbalize_numbers import (
    AMOUNT,
    NUMBER,
    Rule,
    amount,
    cardinal,
    plural,
    word_set,
)

_CURRENCIES = {
    "$": "dollar", "US$": "US dollar", "USD": "US dollar", "CA$": "Canadian dollar",
    "CAD": "Canadian dollar", "A$": "Australian dollar", "AUD": "Australian dollar",
    "€": "euro", "EUR": "euro", "£": "pound", "GBP": "pound", "¥": "yen", "JPY": "yen",
    "CHF": "Swiss franc", "₹": "rupee", "INR": "rupee", "CNY": "yuan", "RMB": "yuan",
    "₩": "won", "KRW": "won", "₽": "ruble", "₺": "lira", "₪": "shekel", "₿": "bitcoin",
    "BTC": "bitcoin", "SEK": "Swedish krona", "NOK": "Norwegian krone", "DKK": "Danish krone",
    "MXN": "Mexican peso", "NZD": "New Zealand dollar",
}  # fmt: skip
_SMALL_CHANGE = {
    "dollar": ("cent", "cents"),
    "euro": ("cent", "cents"),
    "pound": ("penny", "pence"),
}
_SCALES = {
    "k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion",
    "tn": "trillion",
}  # fmt: skip

_UNITS = {
    # length
    "km": "kilometer", "m": "meter", "cm": "centimeter", "mm": "millimeter", "µm": "micrometer",
    "nm": "nanometer", "mi": "mile", "yd": "yard", "ft": "foot", "sq ft": "square foot",
    # mass
    "kg": "kilogram", "g": "gram", "mg": "milligram", "µg": "microgram", "lb": "pound",
    "lbs": "pound", "oz": "ounce",
    # volume
    "L": "liter", "l": "liter", "mL": "milliliter", "ml": "milliliter", "cl": "centiliter",
    "dl": "deciliter", "dL": "deciliter", "fl oz": "fluid ounce", "gal": "gallon",
    "tsp": "teaspoon", "tbsp": "tablespoon",
    # temperature and angle
    "°C": "degree Celsius", "° C": "degree Celsius", "℃": "degree Celsius",
    "°F": "degree Fahrenheit", "° F": "degree Fahrenheit", "℉": "degree Fahrenheit",
    "°N": "degree north", "° N": "degree north", "°S": "degree south", "° S": "degree south",
    "°E": "degree east", "° E": "degree east", "°W": "degree west", "° W": "degree west",
    "°": "degree",
    # time
    "s": "second", "sec": "second", "secs": "second", "ms": "millisecond", "µs": "microsecond",
    "ns": "nanosecond", "min": "minute", "mins": "minute", "h": "hour", "hr": "hour",
    "hrs": "hour",
    # speed and frequency
    "kph": "kilometer per hour", "mph": "mile per hour", "Hz": "hertz", "kHz": "kilohertz",
    "MHz": "megahertz", "GHz": "gigahertz", "rpm": "R-P-M", "bpm": "beat per minute",
    "fps": "frame per second",
    # data
    "KB": "kilobyte", "kB": "kilobyte", "kb": "kilobyte", "MB": "megabyte", "mb": "megabyte",
    "GB": "gigabyte", "gb": "gigabyte", "TB": "terabyte", "tb": "terabyte", "PB": "petabyte",
    "KiB": "kibibyte", "MiB": "mebibyte", "GiB": "gibibyte", "TiB": "tebibyte",
    "kbps": "kilobit per second", "Mbps": "megabit per second", "Gbps": "gigabit per second",
    "Mbit": "megabit", "Gbit": "gigabit", "px": "pixel", "MP": "megapixel",
    # electricity, energy, pressure, sound
    "V": "volt", "mV": "millivolt", "kV": "kilovolt", "W": "watt", "kW": "kilowatt",
    "MW": "megawatt", "GW": "gigawatt", "Wh": "watt-hour", "kWh": "kilowatt-hour",
    "mAh": "milliamp-hour", "mA": "milliamp", "Ω": "ohm", "kΩ": "kiloohm", "J": "joule",
    "kJ": "kilojoule", "kcal": "kilocalorie", "Pa": "pascal", "hPa": "hectopascal",
    "kPa": "kilopascal", "psi": "P-S-I", "dB": "decibel", "ha": "hectare",
    "ppm": "part per million",
}  # fmt: skip
_PER = {
    "hour": "hour", "hr": "hour", "h": "hour", "day": "day", "d": "day", "week": "week",
    "wk": "week", "month": "month", "mo": "month", "year": "year", "yr": "year",
    "night": "night", "person": "person", "second": "second", "minute": "minute",
}  # fmt: skip
_POWERS = {"²": "square", "^2": "square", "³": "cubic", "^3": "cubic"}
_UNCHANGED = word_set("hertz kilohertz megahertz gigahertz yen yuan won R-P-M P-S-I")
_IRREGULAR = {"foot": "feet", "krona": "kronor", "krone": "kroner"}
_BEFORE_THE_NOUN = word_set(
    "square cubic fluid US Canadian Australian Swiss Swedish Norwegian Danish Mexican New Zealand"
)

_ARTICLES = word_set("a an")
_DETERMINERS = word_set("the this that my your his her its our their each every another")
_NO_NOUN = word_set(
    "of to from between in and or is are was were for on at by with that which you we he she it "
    "they i per a an the as than but if so then will would can could has have had away long tall "
    "high wide deep old ago later each more less off here there apart"
)


def _any_of(words: dict[str, str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def _plural_of(unit: str) -> str:
    head, _, rest = unit.partition(" ")
    if head in _BEFORE_THE_NOUN and rest:
        return f"{head} {_plural_of(rest)}"
    spoken = head if head in _UNCHANGED else _IRREGULAR.get(head) or plural(head)
    return f"{spoken} {rest}".strip()


def _is_adjective(match: re.Match[str]) -> bool:
    """Whether the amount describes a noun that follows: "a 5 km run"."""
    lead = re.search(r"([A-Za-z]+) \Z", match.string[max(0, match.start() - 12) : match.start()])
    noun = re.match(r" ([A-Za-z]+)", match.string[match.end() : match.end() + 24])
    if not lead or not noun:
        return False
    if lead[1].lower() in _ARTICLES:
        return True
    return lead[1].lower() in _DETERMINERS and noun[1].lower() not in _NO_NOUN


def _with_unit(written: str, unit: str, is_adjective: bool = False) -> str:
    """ "1 1/2" and "kilometer" -> one and a half kilometers."""
    if re.fullmatch(r"\d{1,3}/\d{1,3}", written):
        part = amount(written)
        article = "an" if unit[0] in "aeiou" or unit == "hour" else "a"
        return f"half {article} {unit}" if part == "one half" else f"{part} of {article} {unit}"
    is_one = written.lstrip("-−") == "1"
    return f"{amount(written)} {unit if is_one or is_adjective else _plural_of(unit)}"


def _measure(match: re.Match[str]) -> str:
    unit = _UNITS[match["unit"]]
    if power := match["power"]:
        unit = f"{_POWERS[power]} {unit}"
    if per := match["per"]:
        unit += f" per {_UNITS.get(per) or _PER[per]}"
        if match["per_power"]:
            unit += " squared" if match["per_power"][-1] in "2²" else " cubed"
    if match["gap"] == "-":  # "a 16-GB card"
        return f"{amount(match['amount'])}-{unit}"
    spoken = _with_unit(match["amount"], unit, _is_adjective(match))
    if until := match["until"]:
        spoken += " by " if until.strip() in ("x", "×") else " to "
    return spoken


def _money(match: re.Match[str]) -> str:
    currency = _CURRENCIES[match["currency"]]
    sign = "minus " if match["sign"] else ""
    until = " to " if match["until"] else ""
    low, high, scale = match["low"], match["high"], match["scale"]
    per = f" per {_UNITS.get(match['per']) or _PER[match['per']]}" if match["per"] else ""
    is_adjective = _is_adjective(match)
    if high or scale:
        words = f"{cardinal(low)} to {cardinal(high)}" if high else cardinal(low)
        scale_words = f" {_scale(scale)}" if scale else ""
        spoken = f"{words}{scale_words} {currency if is_adjective else _plural_of(currency)}"
    else:
        spoken = _price(low, currency, is_adjective)
    return f"{sign}{spoken}{per}{until}"


def _price(number: str, currency: str, is_adjective: bool) -> str:
    """ "3.50" and "dollar" -> three dollars and fifty cents."""
    whole, _, cents = number.partition(".")
    if len(cents) != 2 or currency not in _SMALL_CHANGE:
        return _with_unit(number, currency, is_adjective)
    one, several = _SMALL_CHANGE[currency]
    small = f"{cardinal(str(int(cents)))} {one if int(cents) == 1 else several}"
    if not whole.strip("0,"):
        return small
    large = _with_unit(whole, currency)
    return f"{large} and {small}" if int(cents) else large


def _money_after(match: re.Match[str]) -> str:
    currency = _CURRENCIES[match["currency"]]
    if not match["scale"]:
        return _price(match["amount"], currency, _is_adjective(match))
    name = currency if _is_adjective(match) else _plural_of(currency)
    return f"{amount(match['amount'])} {_scale(match['scale'])} {name}"


def _scale(written: str) -> str:
    word = written.strip(" -")
    return _SCALES.get(word.lower(), word)


def _inches(match: re.Match[str]) -> str:
    """27" is a size where it cannot be the end of a quotation."""
    around = match.string[max(0, match.start() - 200) : match.end() + 200]
    is_quotation = around.count('"') > 1
    return match[0] if is_quotation else _with_unit(match[1], "inch", _is_adjective(match))


def _feet_and_inches(match: re.Match[str]) -> str:
    return f"{cardinal(match[1])} foot {cardinal(match[2])}"


_SCALE = r"(?P<scale>[ -]?(?:thousand|million|billion|trillion|[kKmMbB]|mn|bn|tn)\b)?"
_ANY_PER = f"{_any_of(_UNITS)}|{_any_of(_PER)}"

AMOUNT_RULES: tuple[Rule, ...] = (
    (
        re.compile(
            rf"(?P<sign>(?<![\w)])[-−])?(?<!\w)(?P<currency>{_any_of(_CURRENCIES)}) ?"
            rf"(?P<low>{NUMBER})(?: ?[-–] ?[$€£¥₹]?(?P<high>{NUMBER}))?{_SCALE}"
            rf"(?:/(?P<per>{_ANY_PER}))?(?!\w)(?P<until> ?[-–] ?(?=[$€£¥₹]))?"
        ),
        _money,
    ),
    (
        re.compile(rf"(?P<amount>{AMOUNT}){_SCALE} ?(?P<currency>{_any_of(_CURRENCIES)})(?!\w)"),
        _money_after,
    ),
    (re.compile(rf"({AMOUNT}) ?[¢￠]"), lambda m: _with_unit(m[1], "cent")),
    (re.compile(r"(\d) ?%(?= ?[-–] ?\d{1,40}(?:\.\d{1,40})? ?%)"), lambda m: m[1]),
    (re.compile(rf"({AMOUNT}) ?%"), lambda m: f"{amount(m[1])} percent"),
    (re.compile(rf"({AMOUNT}) ?‰"), lambda m: f"{amount(m[1])} per mille"),
    (
        re.compile(r"(?<![\w.'’])(\d)['’′] ?(\d{1,2}(?:\.\d)?)(?:[\"″”]|'')?(?!\w)"),
        _feet_and_inches,
    ),
    (re.compile(rf"({AMOUNT})′"), lambda m: _with_unit(m[1], "foot")),
    (re.compile(rf"({AMOUNT})[\"″”]"), _inches),
    (
        re.compile(
            rf"(?P<amount>{AMOUNT})(?P<gap> ?|-)(?P<unit>{_any_of(_UNITS)})(?P<power>[²³]|\^[23])?"
            rf"(?:/(?P<per>{_ANY_PER})(?P<per_power>[²³]|\^[23])?)?(?![\w²³^'’/])"
            r"(?:\.(?= [a-z]))?(?P<until> ?[-–x×] ?(?=\d))?"
        ),
        _measure,
    ),
    (
        re.compile(rf"({AMOUNT})/({_any_of(_PER)})\b"),
        lambda m: f"{amount(m[1])} per {_PER[m[2]]}",
    ),
    (
        re.compile(rf"({AMOUNT}) ?(k|M|bn)\b(?![-'’])"),
        lambda m: f"{amount(m[1])} {_SCALES[m[2].lower()]}",
    ),
)
"""Amounts with their unit. After dates, before plain numbers."""
