"""Every value that a reply may mean: bare, in a code fence, in prose, as calls, or slightly damaged; in that order.

How much is tried is bounded by the reply's length, so that no reply takes long: a bracket that opens nothing costs a
little, and what costs more than reading the reply a few times over is given up. Where prose holds several values, the
longest come first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from heapq import nlargest
from itertools import islice

from ditto.domain.schemas import calls, mending
from ditto.domain.schemas.sizes import MAX_PARTS
from ditto.domain.spec import JSON

_FENCE = re.compile(r"```[\w-]*[ \t]*\n(.*?)```", re.DOTALL)
_OPENS = re.compile(r'\{\s*["}]|\[\s*(?:[\]\[{"\-\d]|true|false|null)')
_BRACKETS = {"{": "}", "[": "]"}
_MAX_FENCES = 50
_MAX_EMBEDDED = 100
_FIRST_WINDOW_CHARS = 256
_SPARE_CHARS = 500_000
_START_CHARS = 100
_DEEP_CHARS = 20_000
"""What trying one start costs beside the characters that it reads, and where it is nested too deeply to be read."""


def candidates(text: str, *, bare_text: bool) -> Iterator[JSON]:
    """Yields the values that a reply may mean, the likeliest first; with `bare_text` the reply itself may be one."""
    stripped = text.strip()
    yield from _parsed(stripped)
    for fence in islice(_FENCE.finditer(text), _MAX_FENCES):
        yield from _parsed(fence[1].strip())
    for _, value in nlargest(_MAX_EMBEDDED, _embedded(stripped), key=lambda found: found[0]):
        yield value
    if bare_text:
        yield _unquoted(stripped)
    yield from calls.shapes(stripped)
    yield from mending.mended(stripped)


def _parsed(text: str) -> Iterator[JSON]:
    if _too_many(text) or (text[:1] in _BRACKETS and not text.endswith(_BRACKETS[text[:1]])):
        return
    try:
        yield json.loads(text)
    except (ValueError, RecursionError):
        return


def _embedded(text: str) -> Iterator[tuple[int, JSON]]:
    """Yields the values in a text with their lengths."""
    decoder = json.JSONDecoder()
    left = len(text) + _SPARE_CHARS
    position, window = 0, _FIRST_WINDOW_CHARS
    while left > 0 and (start := _OPENS.search(text, position)) is not None:
        position = start.start()
        piece = text[position : position + window]
        left -= len(piece) + _START_CHARS
        if _too_many(piece):
            position, window = position + 1, _FIRST_WINDOW_CHARS
            continue
        try:
            value, length = decoder.raw_decode(piece)
        except (ValueError, RecursionError) as error:
            left -= _DEEP_CHARS if isinstance(error, RecursionError) else 0
            if len(piece) == window and _may_go_on(error, piece):
                window *= 16
            else:
                position, window = position + 1, _FIRST_WINDOW_CHARS
        else:
            yield length, value
            position, window = position + length, _FIRST_WINDOW_CHARS


def _too_many(text: str) -> bool:
    """Tells whether a value would have more parts than are kept, without making them; texts in it have commas too."""
    return text.count("[") + text.count("{") > MAX_PARTS or text.count(",") > 4 * MAX_PARTS


def _may_go_on(error: Exception, piece: str) -> bool:
    """Tells whether a value could only not be read because the piece of text ends."""
    if not isinstance(error, json.JSONDecodeError):
        return False
    return error.msg.startswith(("Unterminated", "Invalid \\")) or error.pos >= len(piece) - len("-Infinity")


def _unquoted(text: str) -> str:
    """Returns a text without the one pair of quotes around it."""
    quote = text[:1]
    if len(text) > 1 and quote in ('"', "'", "`") and text.endswith(quote) and quote not in text[1:-1]:
        return text[1:-1]
    return text
