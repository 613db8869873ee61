"""Values in a reader's words: durations, shares, counts, moments, and text that is safe for a terminal."""

from __future__ import annotations

import json
import re
from datetime import datetime

from ditto.domain.spec import JSON

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Escape sequences would let a reply write anywhere on the screen; direction marks, reorder it."""


def printable(text: str) -> str:
    """Returns the text without what would control a terminal; line breaks and tabs stay."""
    return _CONTROL.sub("", text.replace("\r\n", "\n"))


def one_line(text: str, limit: int = 200) -> str:
    """Returns the first words on one line, at most `limit` characters."""
    words = " ".join(printable(text[: 4 * limit]).split())
    return words if len(words) <= limit else f"{words[: limit - 1]}…"


def value(content: JSON) -> str:
    """Returns text as it is, and any other value as readable JSON."""
    return printable(content if isinstance(content, str) else json.dumps(content, indent=2, ensure_ascii=False))


def short(content: JSON, limit: int = 80) -> str:
    """Returns a value in one line."""
    return one_line(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False), limit)


def duration(seconds: float) -> str:
    """Returns `0.03 s`, `8.1 s`, `2 min 5 s`, `3 h 20 min`."""
    if seconds < 10:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def share(part: float) -> str:
    """Returns a probability or a share in percent. Only what is certain is written as 0 % or 100 %."""
    percent = part * 100
    if 0 < percent < 1:
        return "under 1 %"
    if 99 < percent < 100:
        return "over 99 %"
    return f"{percent:.0f} %"


def count(number: int, one: str, many: str | None = None) -> str:
    """Returns `1 row`, `1,204 rows`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def age(then: datetime, now: datetime) -> str:
    """Returns how long ago that was."""
    seconds = (now - then).total_seconds()
    if seconds < 1:
        return "now"
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"
