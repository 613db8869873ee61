"""A reply in one or two of its own whole sentences: its opening, or those that carry its answer.

Never half a sentence and never torn JSON: of a reply in JSON, sentences of its texts, else all of it if it is short.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from ditto.domain.merging import sentences
from ditto.domain.spec import JSON

_SHORT_CHARS = 240
_ONE_WORD_OPENING_CHARS = 12
_FIRST_DENSE_SIGN = "\u2e80"
"""From here on Unicode holds scripts that say much in few signs."""
_FENCED = re.compile(r"\A\s*```[\w+-]*\s*(.*?)\s*(?:```\s*\Z|\Z)", re.DOTALL)
_OBJECT = re.compile(r"""\{\s*["'][^"']+["']\s*:.*(?:\}|\Z)|\[\s*[{"].*(?:\]|\Z)""", re.DOTALL)
_ANSWER_CHARS = 60


def of(text: str, answer: JSON = None) -> str:
    """Returns the summary of one reply.

    Args:
        text: The reply.
        answer: The short answer that was read out of it, None where there is none.
    """
    said = sentences.of(_OBJECT.sub(" ", text) if "{" in text or "[" in text else text)
    if not said:
        said = [sentence for string in _strings(_decoded(text)) for sentence in sentences.of(string)]
    if not said:
        return _whole(text)
    carrying = _carrying(said, answer)
    if carrying is not None:
        return carrying
    opening = said[0]
    if len(said) > 1 and len(opening) <= _ONE_WORD_OPENING_CHARS and max(opening) < _FIRST_DENSE_SIGN:
        return f"{opening} {said[1]}"
    return opening


def of_value(value: JSON) -> str:
    """Returns the summary of a structured result: it whole if it is short, else what it holds."""
    if isinstance(value, str):
        return of(value) if value.strip() else value
    compact = json.dumps(value, ensure_ascii=False)
    if len(compact) <= _SHORT_CHARS:
        return compact
    if isinstance(value, list):
        return f"A list of {len(value)} items."
    return f"An object with the fields {', '.join(map(str, value))}."


def _carrying(said: list[str], answer: JSON) -> str | None:
    wanted = str(answer) if isinstance(answer, str | int | float) and not isinstance(answer, bool) else ""
    if not wanted or len(wanted) > _ANSWER_CHARS:
        return None
    pattern = re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)", re.IGNORECASE)
    hits = [sentence for sentence in said if pattern.search(sentence) or pattern.search(sentence.replace(",", ""))]
    if not hits:
        return None
    return hits[0] if said[0] == hits[0] and len(hits[0]) > _ONE_WORD_OPENING_CHARS else hits[-1]


def _decoded(text: str) -> JSON:
    fenced = _FENCED.match(text)
    source = fenced[1] if fenced else text.strip()
    start = re.search(r"[{\[]", source)
    try:
        return json.JSONDecoder(strict=False).raw_decode(source, start.start() if start else 0)[0]
    except (ValueError, RecursionError):
        return None


def _strings(value: JSON) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


def _whole(text: str) -> str:
    bare = " ".join(text.split())
    if len(bare) <= _SHORT_CHARS:
        return bare
    value = _decoded(text)
    return of_value(value) if isinstance(value, list | dict) else "A block of code."
