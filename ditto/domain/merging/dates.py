"""Dates as models write them, down to the part that is given: a year, a month of a year, a day.

`03/04/2018` is read as month and day, as most models mean it, unless the first part is above twelve.
"""

from __future__ import annotations

import re
from datetime import date

Date = tuple[int, int | None, int | None]
"""Year, month, day; what is not given is None."""

_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>[12]\d{3})"
_FORMS = tuple(
    re.compile(rf"(?<![\w.]){form}(?![\w-]|\.\d)", re.IGNORECASE)
    for form in (
        r"(?P<year>\d{4})[-/.年](?P<month>[01]?\d)[-/.月](?P<day>[0-3]?\d)日?(?:T[\d:.Z+-]*)?",
        rf"{_MONTH} {_DAY},? (?:of )?{_YEAR}",
        rf"{_DAY} (?:of )?{_MONTH},? {_YEAR}",
        r"(?P<month>\d{1,2})[/.](?P<day>\d{1,2})[/.](?P<year>\d{4})",
        rf"{_MONTH},? (?:of )?{_YEAR}",
        rf"{_YEAR}",
    )
)


def found(text: str) -> Date | None:
    """Returns the first date of the most exact form that a text holds."""
    for form in _FORMS:
        match = form.search(text)
        if match and (read := _date(match)):
            return read
    return None


def entire(text: str) -> Date | None:
    """Returns the date that a text is, down to the day; None where there is more or less to it."""
    for form in _FORMS[:4]:
        match = form.fullmatch(text.strip())
        if match:
            return _date(match)
    return None


def down_to(value: Date, parts: int) -> Date:
    """Returns the first one, two or three parts of a date."""
    year, month, day = value
    return (year, month if parts > 1 else None, day if parts > 2 else None)


def shown(value: Date) -> str:
    """Returns the date in ISO 8601, as far as it is given."""
    year, month, day = value
    return f"{year:04d}" + (f"-{month:02d}" if month else "") + (f"-{day:02d}" if day else "")


def _date(match: re.Match[str]) -> Date | None:
    parts = match.groupdict()
    year, month, day = int(parts["year"]), _month(parts.get("month")), parts.get("day")
    if day is None:
        return (year, month, None)
    days = int(day)
    if month is not None and month > 12:
        month, days = days, month
    try:
        date(year, month or 1, days)
    except ValueError:
        return None
    return (year, month, days)


def _month(text: str | None) -> int | None:
    if text is None:
        return None
    if text.isdigit():
        return int(text)
    return next(number for number, name in enumerate(_MONTHS, start=1) if name.startswith(text[:3].lower()))
