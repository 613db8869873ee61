"""Dates and times as models write them, in several languages, down to the part that is given.

`03/04/2018` may be the third of April or the fourth of March: both are kept, the month first as the likelier, and the
panel decides (`moments`). A two-digit year is of this century up to 68.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date

_MONTHS = """
january يناير जनवरी ocak leden ιανουαρίου січня januar janvier enero gennaio janeiro januari stycznia styczeń января январь jan janv ene gen sty янв
february فبراير फरवरी फ़रवरी şubat únor φεβρουαρίου лютого februar février febrero febbraio fevereiro februari lutego luty февраля февраль feb févr fév fev lut фев
march مارس मार्च mart březen μαρτίου березня märz mars marzo março maart marca marzec марта март mar mrz mär maa мар
april أبريل إبريل अप्रैल nisan duben απριλίου квітня april avril abril aprile abril april kwietnia kwiecień апреля апрель apr avr abr kwi апр
may مايو मई mayıs květen μαΐου травня maí mai mai mayo maggio maio mei maja maj мая май may mai mag
june يونيو जून haziran červen ιουνίου червня juni juin junio giugno junho juni czerwca czerwiec июня июнь jun juin giu cze июн
july يوليو जुलाई temmuz červenec ιουλίου липня juli juillet julio luglio julho juli lipca lipiec июля июль jul juil lug lip июл
august أغسطس अगस्त ağustos srpen αυγούστου серпня augusti august août agosto agosto agosto augustus sierpnia sierpień августа август aug aoû ago sie авг
september سبتمبر सितंबर सितम्बर eylül září σεπτεμβρίου вересня september septembre septiembre settembre setembro september września wrzesień сентября сентябрь sep sept set wrz сен сент
october أكتوبر अक्टूबर अक्तूबर ekim říjen οκτωβρίου жовтня oktober octobre octubre ottobre outubro oktober października październik октября октябрь oct okt ott out paź окт
november نوفمبر नवंबर नवम्बर kasım νοεμβρίου листопада november novembre noviembre novembre novembro november listopada listopad ноября ноябрь nov lis ноя нояб
december ديسمبر दिसंबर दिसम्बर aralık prosinec δεκεμβρίου грудня desember dezember décembre diciembre dicembre dezembro december grudnia grudzień декабря декабрь dec dez déc dic gru дек
"""  # noqa: E501
_NUMBER_OF = {name: number for number, line in enumerate(_MONTHS.strip().splitlines(), 1) for name in line.split()}
_ZONES = {
    "z": 0, "utc": 0, "gmt": 0, "wet": 0, "bst": 60, "cet": 60, "mez": 60, "cest": 120, "mesz": 120, "eet": 120,
    "msk": 180,
    "ist": 330, "jst": 540, "kst": 540, "aest": 600, "est": -300, "edt": -240, "et": -300, "cst": -360, "cdt": -300,
    "mst": -420, "mdt": -360, "pst": -480, "pdt": -420, "pt": -480,
}  # fmt: skip
_NAME = r"(?P<name>(?:[^\W\d_]|[\u0900-\u097f]){3,12})\.?"
_DAY = (
    r"(?P<day>[0-3]?\d)(?:st|nd|rd|th|er|º|ª|°|-?го|\.)?"
    r"(?:(?:\s?[-–—/]\s?|\s(?:to|and|bis|und|au|et|al|y|e|до|по)\s)(?:the\s)?[0-3]?\d(?:st|nd|rd|th|er|\.)?(?=\s|,))?"
)
_YEAR = (
    r"(?P<year>[12]\d{3}"
    r"|[1-9]\d{1,3}(?=\s?(?:BCE?|AD|CE|v\. ?Chr|n\. ?Chr|av\. ?J|apr\. ?J|a\. ?C|d\. ?C|до н|н\. ?э)))"
)
_OF = r"(?:\s?-\s?|,?\s+(?:of\s+|de\s+|del\s+|di\s+|d['’])?|\s*)"
_FORMS = tuple(
    re.compile(rf"(?<![A-Za-z\d_.À-ӿ]){form}", re.IGNORECASE)
    for form in (
        r"(?P<year>\d{4})\s?[-/.年년]\s?(?P<month>[01]?\d)\s?[-/.月월]\s?(?P<day>[0-3]?\d)(?!\d)\s?[日일]?",
        rf"{_NAME}\s+{_DAY}(?:,\s*|\s+)(?:of\s+)?{_YEAR}(?![\w-])",
        rf"{_DAY}{_OF}{_NAME}{_OF}{_YEAR}(?!\d)",
        r"(?P<first>\d{1,2})(?P<sign>[-/.])(?P<second>\d{1,2})(?P=sign)(?P<year>\d{4}|\d{2})(?![\w/]|[.-]\d)",
        rf"{_NAME}{_OF}{_YEAR}(?![\w-])",
        r"(?P<year>[12]\d{3})(?:-(?P<month>0[1-9]|1[0-2])(?![\w-])|[年년]\s?(?P<far_month>1?\d)[月월])",
        rf"{_NAME}\s+{_DAY}(?![\w:/.]|,\d)",
        rf"{_DAY}{_OF}{_NAME}(?!\w)",
        r"(?P<month>1?\d)[月월]\s?(?P<day>[0-3]?\d)[日일]",
        r"(?P<year>[12]\d{3})\s?[-–/]\s?(?P<until>\d{2}|[12]\d{3})(?![\w/]|[-–.]\d)",
        r"(?P<year>[12]\d\d0)(?P<decade>['’]?s\b|er[ -]?jahren?\b|年代)",
        r"(?P<century>[12]?\d)(?:st|nd|rd|th|\.|e|º)?[ -](?:century|jahrhundert|jh\.|siècle|siglo|secolo|século"
        r"|eeuw|век\w*)",
        r"(?:AD|A\.D\.|anno)\s(?P<year>[1-9]\d{0,3})(?!\d)",
        rf"{_YEAR}(?![A-Za-z\d_-]|[.,]\d|年\d)",
        r"(?P<year>\d{3})\s*\Z",
    )
)
_WHOLE_DAY_FORMS = 4
_BEFORE_CHRIST = re.compile(r"\s?(?:BCE?\b|B\.C\.|v\.\s?Chr|av\.\s?J|a\.\s?C)", re.IGNORECASE)
_TIME = re.compile(
    r"""(?<![\w:./-])(?:T(?=\d\d:))?(?:
        (?P<hour>[012]?\d)\s?(?::|時|点|시|[hH](?=[0-5]\d))\s?(?P<minute>[0-5]\d)(?:[分분])?(?::(?P<second>[0-5]\d)(?:\.\d+)?)?(?!\d)
        (?:\s?(?P<half>[apAP])\.?\s?[mM]\b\.?)?
      | (?P<full>1?\d)\s?(?P<side>[apAP])\.?\s?[mM]\b\.?
      | (?P<clock>[012]?\d)\s?(?:Uhr|heures?|o'clock|h\b|時|点|시)(?:\s?(?P<past>[0-5]\d)(?!\d))?
      | (?P<named>noon|midday|midnight|Mittag|Mitternacht|midi|minuit)\b
    )(?:\s?(?P<zone>Z\b|[A-Z]{2,4}T\b|UTC|GMT|[A-Z]{3}\b)?\s?(?P<offset>[+-]\d{1,2}(?::?\d{2})?(?!\d))?)""",
    re.VERBOSE,
)  # fmt: skip
_JOINED_TIME = re.compile(r"(?<=\d)T(?=\d\d:\d\d)")
_SEARCHED_CHARS = 5_000
_MOST_MENTIONED = 50
_DECADE, _CENTURY = 10, 100


@dataclass(frozen=True, slots=True)
class Date:
    """A date, a time or both; what is not given is None.

    Attributes:
        zone: Minutes east of Greenwich.
        span: How many years are meant, `year` the first of them: a decade, a century, the season 2014/15.
        or_else: What it is if the day comes before the month.
    """

    year: int | None = None
    month: int | None = None
    day: int | None = None
    hour: int | None = None
    minute: int | None = None
    second: int | None = None
    zone: int | None = None
    span: int = 1
    or_else: Date | None = None

    @property
    def parts(self) -> int:
        """How many of year, month and day are given."""
        return sum(part is not None for part in (self.year, self.month, self.day))


def found(text: str) -> Date | None:
    """Returns the first of the most exact dates that a text holds, and the first time in it; or either."""
    plain = _plain(text)
    days = mentioned(plain)
    time = _time(plain)
    if not days:
        return time
    day = max(days, key=lambda each: (each.parts, each.year is not None))
    return day if time is None else _at(day, time)


def mentioned(text: str) -> list[Date]:
    """Returns the dates of a text in order; one without a year is of the only year that the text names."""
    plain = _plain(text)
    taken: list[tuple[int, int, Date]] = []
    for form in _FORMS:
        for match in form.finditer(plain):
            free = all(match.end() <= start or end <= match.start() for start, end, _ in taken)
            read = _date(match) if free else None
            if read is not None:
                taken.append((match.start(), match.end(), read))
        if len(taken) > _MOST_MENTIONED:
            break
    days = [read for _, _, read in sorted(taken, key=lambda each: each[0])]
    years = {day.year for day in days if day.year is not None and day.span == 1}
    if len(years) != 1:
        return days
    year = years.pop()
    return [replace(day, year=year) if day.year is None and _exists(year, day.month, day.day) else day for day in days]


def times(text: str) -> list[Date]:
    """Returns the times of day of a text in order."""
    return [time for match in _TIME.finditer(_plain(text)) if (time := _clock(match)) is not None]


def _plain(text: str) -> str:
    return _JOINED_TIME.sub(" ", unicodedata.normalize("NFC", text[:_SEARCHED_CHARS]))


def entire(text: str) -> Date | None:
    """Returns the date that a text is, down to the day or to the second; None where there is more or less to it."""
    bare = _JOINED_TIME.sub(" ", text.strip())
    for form in _FORMS[:_WHOLE_DAY_FORMS]:
        match = form.match(bare)
        day = _date(match) if match else None
        if match is None or day is None:
            continue
        rest = bare[match.end() :].strip(" ,")
        if not rest:
            return day
        clock = _TIME.fullmatch(rest)
        time = _clock(clock) if clock else None
        if time is not None:
            return _at(day, time)
    return None


def is_date(text: str) -> bool:
    """Tells whether a short text is a date or a time, however exact, and little else."""
    plain = _JOINED_TIME.sub(" ", text.strip())
    for form in (*_FORMS, _TIME):
        match = form.match(plain)
        if match and len(match[0].strip()) * 3 >= 2 * len(plain) and (form is _TIME or _date(match)):
            return True
    return False


def down_to(value: Date, parts: int) -> Date:
    """Returns the first one, two or three parts of a date, without its time."""
    month = value.month if parts > 1 or value.year is None else None
    day = value.day if parts > 2 or value.year is None else None
    return Date(value.year, month, day, span=value.span)


def shown(value: Date) -> str:
    """Returns a date in ISO 8601, as far as it is given."""
    year = "-" if value.year is None else f"{value.year:04d}" if value.year > 0 else f"{-value.year} BC"
    if value.span > 1 and value.year is not None:
        return _shown_span(value.year, value.span)
    day = (year if value.parts else "") + (f"-{value.month:02d}" if value.month else "")
    day += f"-{value.day:02d}" if value.day else ""
    if value.hour is None:
        return day
    clock = f"{value.hour:02d}:{value.minute or 0:02d}" + (f":{value.second:02d}" if value.second else "")
    if value.zone is not None:
        clock += "Z" if not value.zone else f"{value.zone // 60:+03d}:{value.zone % 60:02d}"
    return f"{day}T{clock}" if day else clock


def _shown_span(year: int, span: int) -> str:
    if span == _CENTURY:
        number = year // _CENTURY + 1
        ending = "th" if 10 < number < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
        return f"{number}{ending} century"
    if span == _DECADE and not year % _DECADE:
        return f"{year}s"
    return f"{year}/{(year + 1) % _CENTURY:02d}" if span == 2 else f"{year} to {year + span - 1}"


def _at(day: Date, time: Date) -> Date:
    other = _at(day.or_else, time) if day.or_else else None
    return replace(time, year=day.year, month=day.month, day=day.day, or_else=other)


def _date(match: re.Match[str]) -> Date | None:
    parts = match.groupdict()
    if parts.get("century"):
        return Date((int(parts["century"]) - 1) * _CENTURY, span=_CENTURY) if int(parts["century"]) else None
    year = int(parts["year"]) if parts.get("year") else None
    if year is not None and parts.get("decade"):
        return Date(year, span=_DECADE)
    if year is not None and parts.get("until"):
        return _span(year, parts["until"])
    if year is not None and _BEFORE_CHRIST.match(match.string, match.end()):
        year = -year
    elif year is not None and len(parts["year"]) == 2 and parts.get("first"):
        year += 2000 if year <= 68 else 1900
    if parts.get("first"):
        return _either(year, int(parts["first"]), int(parts["second"]), parts["sign"])
    month = None
    if parts.get("name"):
        month = _NUMBER_OF.get(parts["name"].lower())
        if month is None:
            return None
    elif number := parts.get("month") or parts.get("far_month"):
        month = int(number)
    day = int(parts["day"]) if parts.get("day") else None
    return Date(year, month, day) if _exists(year, month, day) else None


def _span(year: int, until: str) -> Date | None:
    last = int(until) if len(until) > 2 else year - year % _CENTURY + int(until)
    return Date(year, span=last - year + 1) if 0 < last - year < _CENTURY else None


def _either(year: int | None, first: int, second: int, sign: str) -> Date | None:
    """Returns a date in figures, the month first unless that cannot be, or points part it: that is European."""
    month_first = Date(year, first, second) if _exists(year, first, second) else None
    day_first = Date(year, second, first) if _exists(year, second, first) else None
    if sign == "." and day_first is not None:
        return day_first
    if month_first is None or day_first is None or first == second:
        return month_first or day_first
    return replace(month_first, or_else=day_first)


def _exists(year: int | None, month: int | None, day: int | None) -> bool:
    try:
        date(year if year and year > 0 else 2000, 1 if month is None else month, 1 if day is None else day)
    except ValueError:
        return False
    return True


def _time(text: str) -> Date | None:
    for match in _TIME.finditer(text):
        read = _clock(match)
        if read is not None:
            return read
    return None


def _clock(match: re.Match[str]) -> Date | None:
    if match["named"]:
        noon = match["named"].lower() in ("noon", "midday", "mittag", "midi")
        return Date(hour=12 if noon else 0, minute=0, zone=_zone(match))
    hour = int(match["hour"] or match["full"] or match["clock"])
    half = (match["half"] or match["side"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    if hour > 24:
        return None
    minute = int(match["minute"] or match["past"] or 0)
    return Date(hour=hour % 24, minute=minute, second=int(match["second"] or 0), zone=_zone(match))


def _zone(match: re.Match[str]) -> int | None:
    named = _ZONES.get((match["zone"] or "").lower())
    offset = match["offset"]
    if offset is None:
        return named
    digits = offset[1:].replace(":", "")
    minutes = int(digits) * 60 if len(digits) <= 2 else int(digits[:-2]) * 60 + int(digits[-2:])
    return (named or 0) + (-minutes if offset[0] == "-" else minutes)
