"""Dates and times of day in English, as a person reads them out.

Sources: ISO 8601 for year-month-day; slashes are read as month/day/year, the
American order, unless that cannot be; dots as day.month.year. Full hours after
noon on the 24-hour clock are "hundred", as on timetables.
"""

from __future__ import annotations

import re

from samantha_desktop.core.verbalize_numbers import Rule, cardinal, ordinal, year

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_WEEKDAYS = {
    "Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday",
    "Thur": "Thursday", "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday",
}  # fmt: skip

_MONTH = (
    r"(Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|"
    r"Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
_DAY = r"([12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)?"
_YEAR = r"(1\d{3}|20\d\d)"
_MERIDIEM = r"(?:([AaPp])\.[Mm]\.(?!\Z)|([AaPp])\.?[Mm]\b)"


def _month(name: str) -> str:
    return next(month for month in _MONTHS if month.startswith(name[:3]))


def _date(year_digits: str, month: int, day: str) -> str:
    return f"{_MONTHS[month - 1]} {ordinal(day)}, {year(year_digits)}"


def _year_first(match: re.Match[str]) -> str:
    spoken = _date(match[1], int(match[2]), match[3])
    return f"{spoken}, at " if match[4] else spoken


def _slashed(match: re.Match[str]) -> str:
    month, day = int(match[1]), int(match[2])
    if month > 12:
        month, day = day, month
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return " slash ".join(cardinal(match[part]) for part in (1, 2, 3))
    written = match[3]
    full = written if len(written) == 4 else f"{'19' if int(written) > 50 else '20'}{written}"
    return _date(full, month, str(day))


def _dotted(match: re.Match[str]) -> str:
    day, month = int(match[1]), int(match[2])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0]
    return _date(match[3], month, match[1])


def _year_and_month(match: re.Match[str]) -> str:
    if int(match[2]) == (int(match[1]) + 1) % 100:  # 2007-08: a season, not August
        return match[0]
    return f"{_MONTHS[int(match[2]) - 1]} {year(match[1])}"


def _month_first(match: re.Match[str]) -> str:
    spoken = f"{_month(match[1])} {ordinal(match[2])}"
    if match[3]:
        spoken += f" to {ordinal(match[3])}"
    return f"{spoken}, {year(match[4])}" if match[4] else spoken


def _day_first(match: re.Match[str]) -> str:
    spoken = f"the {ordinal(match[1])}"
    if match[2]:
        spoken += f" to the {ordinal(match[2])}"
    spoken += f" of {_month(match[3])}"
    return f"{spoken}, {year(match[4])}" if match[4] else spoken


def _meridiem(match: re.Match[str], dotted: int, plain: int) -> str:
    """Hyphens, since a lone A would be read as the article."""
    return f" {letter.upper()}-M" if (letter := match[dotted] or match[plain]) else ""


def _clock(hours: str, minutes: str, meridiem: str = "") -> str:
    hour, minute = int(hours), int(minutes)
    if minute:
        spoken = f"oh {cardinal(minutes[-1])}" if minute < 10 else cardinal(minutes)
        return f"{cardinal(str(hour))} {spoken}{meridiem}"
    if meridiem:
        return f"{cardinal(str(hour))}{meridiem}"
    if hour in (0, 24):
        return "midnight"
    return f"{cardinal(str(hour))} {'hundred' if hour > 12 else 'o’clock'}".replace("’", "'")


def _hours_and_minutes(match: re.Match[str]) -> str:
    spoken = _clock(match[1], match[2], _meridiem(match, 4, 5))
    if match[3] and int(match[3]):
        spoken += f" and {cardinal(str(int(match[3])))} second{'' if int(match[3]) == 1 else 's'}"
    return f"{spoken} to " if match[6] else spoken


def _hour(match: re.Match[str]) -> str:
    spoken = _clock(match[1], match[2] or "00", _meridiem(match, 3, 4))
    return f"{spoken} to " if match[5] else spoken


def _until(match: re.Match[str]) -> str:
    """The first time of "5-6 pm", "10:30–11 am"."""
    return f"{_clock(match[1], match[2]) if match[2] else cardinal(match[1])} to "


DATE_RULES: tuple[Rule, ...] = (
    (
        re.compile(
            r"(?<![\w-])(\d{4})[-/](0[1-9]|1[0-2]|[1-9])[-/](0[1-9]|[12]\d|3[01]|[1-9])"
            r"(?:([T ])(?=\d\d:\d\d)|(?![\w/-]))"
        ),
        _year_first,
    ),
    (re.compile(r"(?<![\w/])(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})(?![\w/])"), _slashed),
    (re.compile(r"(?<![\w.])(\d{1,2})\.(\d{1,2})\.((?:19|20)\d\d)(?!\w|\.\d)"), _dotted),
    (re.compile(r"(?<![\w.,:/-])((?:19|20)\d\d)-(0[1-9]|1[0-2])(?![\w-])"), _year_and_month),
    (
        re.compile(rf"\b(Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun)(?:\.,?|,)(?= (?:{_MONTH}|\d))"),
        lambda m: f"{_WEEKDAYS[m[1]]},",
    ),
    (
        re.compile(rf"\b{_MONTH} {_DAY}(?: ?[-–] ?{_DAY})?(?:,? {_YEAR})?(?![\w:%]|[.,/]\d)"),
        _month_first,
    ),
    (
        re.compile(
            rf"(?:\b[Tt]he )?(?<![\w.,:/$€£-]){_DAY}(?: ?[-–] ?{_DAY})?(?: of)? {_MONTH}"
            rf"(?:,? {_YEAR})?(?!\w)"
        ),
        _day_first,
    ),
    (re.compile(rf"\b{_MONTH}(?= (?:1\d|20)\d\d\b)"), lambda m: _month(m[1])),
    (
        re.compile(r"\b(Jan|Feb|Apr|Aug|Sept?|Oct|Nov|Dec)\.(?!\Z)"),
        lambda m: _month(m[1]),
    ),
    (re.compile(r"\b(Mon|Tues?|Wed|Thurs?|Fri)\.(?!\Z)"), lambda m: _WEEKDAYS[m[1]]),
)

TIME_RULES: tuple[Rule, ...] = (
    (
        re.compile(
            r"(?<![\w:.,/-])(\d{1,2})(?::([0-5]\d))? ?[-–] ?"
            rf"(?=\d{{1,2}}(?:[:.][0-5]\d)? ?{_MERIDIEM})"
        ),
        _until,
    ),
    (
        re.compile(
            r"(?<![\w:.,])([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d)(?:\.\d{1,9})?Z?)?"
            rf"(?: ?{_MERIDIEM})?(?![\d:])( ?[-–] ?(?=\d{{1,2}}:\d\d))?"
        ),
        _hours_and_minutes,
    ),
    (
        re.compile(
            rf"(?<![\w:.,/])(1[0-2]|0?[1-9])(?:\.([0-5]\d))? ?{_MERIDIEM}( ?[-–] ?(?=\d))?"
        ),
        _hour,
    ),
    (re.compile(r"(?<![\w:.,])(\d{1,2}) ?[hH] ?([0-5]?\d) ?m(?:in)?\b"),
     lambda m: f"{_counted(m[1], 'hour')} and {_counted(m[2], 'minute')}"),
)  # fmt: skip


def _counted(number: str, unit: str) -> str:
    return f"{cardinal(str(int(number)))} {unit}{'' if int(number) == 1 else 's'}"
