"""Dates and times as answers: which one a reply gives, and which of a panel's are the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import median_low

from ditto.domain.merging import dates, languages, sentences
from ditto.domain.merging.dates import Date
from ditto.domain.spec import JSON

_ASKS_YEAR = re.compile(r"\b(?:year|jahr|année|en quel an|año|anno|ano|jaar|roku?|rok|год\w*)\b|年", re.IGNORECASE)
_ASKS_MORE = re.compile(
    r"\b(?:date|day|month|datum|tag|monat|jour|mois|día|fecha|mes|giorno|data|mese|dia|дат\w*)\b", re.IGNORECASE
)
_ASKS_TIME = re.compile(
    r"\b(?:what time|at what hour|which hour|uhrzeit|wie viel uhr|um wie viel|quelle heure|qué hora|che ora|que "
    r"horas|hoe laat"
    r"|которого часа|во сколько|który|o której)\b|几点|何時|몇 시",
    re.IGNORECASE,
)
_DAY_FIRST = re.compile(r"(?<!\d)(?:1[3-9]|2\d|3[01])[/-]\d{1,2}[/-]\d{2,4}|\b(?:dd|tt|jj)[/.-]mm\b", re.IGNORECASE)
_MONTH_FIRST = re.compile(r"(?<!\d)\d{1,2}[/-](?:1[3-9]|2\d|3[01])[/-]\d{2,4}|\bmm[/.-]dd\b", re.IGNORECASE)


_DIGIT = re.compile(r"\d")
_FIRST = (2000, 1, 1)
_LAST_YEAR = 9999
_SHORT_CHARS = 60


def given(text: str, finals: Sequence[JSON], question: str) -> Date | None:
    """Returns the date or time that a reply gives; of a question that states some itself, the last that it does not."""
    stated = (*dates.mentioned(question), *dates.times(question)) if _DIGIT.search(question) else ()
    short = [text] if len(text) <= _SHORT_CHARS else []
    marked = [str(final) for final in finals]
    said = sentences.of(text)
    if stated:
        for piece in (*marked, *short, *reversed(said)):
            if (fresh := _fresh(piece, stated)) is not None:
                return fresh
    for piece in (*marked, *short, *said):
        if (found := dates.found(piece)) is not None:
            return found
    return None


def _fresh(piece: str, stated: Sequence[Date]) -> Date | None:
    """Returns the last date of a text that is not stated already, else its last such time."""
    known = {(each.month, each.day) for each in stated if each.day is not None} | {
        (each.hour, each.minute) for each in stated if each.hour is not None
    }
    days = [day for day in dates.mentioned(piece) if day.day is not None and (day.month, day.day) not in known]
    if days:
        return days[-1]
    if any(each.day is not None for each in stated):
        return None
    times = [time for time in dates.times(piece) if (time.hour, time.minute) not in known]
    return times[-1] if times else None


def compared(read: Sequence[Date | None], question: str) -> list[tuple[Hashable, JSON] | None]:
    """Returns for each date of a panel a key that is equal where they are the same, and how it is shown.

    Compared is down to the part that the question asks for, else that the panel gives in the median; the time of day
    where it is asked for or most give one. A date that is less exact joins the more exact one that it fits, if only
    one does.
    """
    present = [each for each in read if each is not None]
    meant = _meant(present, question)
    timed = sum(each.hour is not None for each in meant)
    with_time = bool(_ASKS_TIME.search(question)) or 2 * timed > len(meant)
    parts = _parts(meant, question) if not _ASKS_TIME.search(question) else 0
    zone = _usual_zone(meant)
    exact = [_exact(each, parts, zone, with_time) for each in meant]
    stands_for = _fitted(exact)
    answers = iter([(stands_for[each], dates.shown(each)) for each in exact])
    return [None if each is None else next(answers) for each in read]


def firm(question: str) -> bool:
    """Tells whether dates are compared the same beside any others: where the year alone is asked for."""
    return bool(_ASKS_YEAR.search(question)) and not _ASKS_MORE.search(question) and not _ASKS_TIME.search(question)


def _meant(present: Sequence[Date], question: str) -> list[Date]:
    """Returns every date as it is meant: the day first where question or panel show that they write it so."""
    clear = {_day(each) for each in present if each.or_else is None}
    if _MONTH_FIRST.search(question):
        day_first = False
    else:
        day_first = bool(_DAY_FIRST.search(question)) or languages.of(question) not in (None, "en", "zh", "ja", "ko")
    meant = []
    for each in present:
        other = each.or_else
        if other is None:
            meant.append(each)
        elif (_day(each) in clear) != (_day(other) in clear):
            meant.append(other if _day(other) in clear else replace(each, or_else=None))
        else:
            meant.append(other if day_first else replace(each, or_else=None))
    return meant


def _day(each: Date) -> tuple[int | None, int | None, int | None]:
    return each.year, each.month, each.day


def _parts(present: Sequence[Date], question: str) -> int:
    given = [each.parts for each in present if each.parts and each.year is not None]
    if not given or (_ASKS_YEAR.search(question) and not _ASKS_MORE.search(question)):
        return 1
    return median_low(given)


def _usual_zone(present: Sequence[Date]) -> int | None:
    zones = Counter(each.zone for each in present if each.zone is not None)
    return max(zones, key=lambda zone: (zones[zone], -abs(zone), zone)) if zones else None


def _exact(each: Date, parts: int, zone: int | None, with_time: bool) -> Date:
    """Returns what is compared of a date, its time in the zone that most use."""
    day = dates.down_to(each, parts) if parts else Date()
    if not with_time or each.hour is None:
        return day if day.parts or parts else Date(hour=each.hour, minute=each.minute)
    shift = timedelta(minutes=0 if zone is None or each.zone is None else zone - each.zone)
    whole = day.parts == len(_FIRST) and 1 < (day.year or 0) < _LAST_YEAR
    start = (day.year or 1, day.month or 1, day.day or 1) if whole else _FIRST
    moment = datetime(*start, each.hour, each.minute or 0, each.second or 0) + shift
    moved = Date(moment.year, moment.month, moment.day) if whole else day
    return replace(moved, hour=moment.hour, minute=moment.minute, second=moment.second)


def _fitted(exact: Sequence[Date]) -> dict[Date, Date]:
    """Returns for each date the more exact one that it fits, if it fits only one, else the date itself."""
    stands_for: dict[Date, Date] = {}
    by_parts: dict[tuple[int | None, ...], set[Date]] = {}
    for each in sorted(set(exact), key=lambda each: (-each.parts, repr(each))):
        finer = by_parts.get(_day(each), set()) if each.hour is None else set()
        stands_for[each] = next(iter(finer)) if len(finer) == 1 else each
        for coarser in {(each.year, each.month, None), (each.year, None, None), (None, each.month, each.day)}:
            if each.hour is None and coarser != _day(each):
                by_parts.setdefault(coarser, set()).add(stands_for[each])
    for each in [date for date in stands_for if date.span > 1]:
        within = {stands_for[other] for other in stands_for if other.span < each.span and _holds(each, other)}
        stands_for[each] = next(iter(within)) if len(within) == 1 else each
    return stands_for


def _holds(span: Date, other: Date) -> bool:
    """Tells whether a decade, a century or a season holds another date."""
    return other.year is not None and span.year is not None and 0 <= other.year - span.year <= span.span - other.span
