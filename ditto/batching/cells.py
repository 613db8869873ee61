"""Between the cells of a table and values: what a CSV cell of a request means, and how an output row fills a table.

In a table a text stands as it is, and anything else as JSON. What was a text and what was JSON that looks alike is not
told apart again when a table is read; so it looks the same when it is written once more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic.alias_generators import to_camel

from ditto.domain.spec import JSON

_TEXTS = frozenset({"prompt", "system", "ensemble", "strategy", "judge", "placement", "onDisconnect", "idempotencyKey"})
_LISTS = frozenset({"models", "stop"})


class Kind(StrEnum):
    """What the cells of one column hold."""

    TEXT = "text"
    WHOLE = "whole"
    NUMBER = "number"
    YES_OR_NO = "yes or no"
    VALUE = "value"
    JSON = "json"


COLUMNS: dict[str, Kind] = {
    "id": Kind.TEXT,
    "file": Kind.TEXT,
    "line": Kind.WHOLE,
    "state": Kind.TEXT,
    "result": Kind.VALUE,
    "answer": Kind.VALUE,
    "confidence": Kind.NUMBER,
    "agreement": Kind.NUMBER,
    "needsReview": Kind.YES_OR_NO,
    "intent": Kind.TEXT,
    "chosenModel": Kind.TEXT,
    "supportingModels": Kind.JSON,
    "dissent": Kind.JSON,
    "basis": Kind.JSON,
    "fields": Kind.JSON,
    "firstPass": Kind.JSON,
    "label": Kind.VALUE,
    "correct": Kind.YES_OR_NO,
    "responses": Kind.JSON,
    "errors": Kind.JSON,
    "error": Kind.JSON,
    "warnings": Kind.JSON,
    "calls": Kind.WHOLE,
    "inputTokens": Kind.WHOLE,
    "outputTokens": Kind.WHOLE,
    "totalMs": Kind.NUMBER,
    "usage": Kind.JSON,
    "timings": Kind.JSON,
    "metadata": Kind.JSON,
    "jobId": Kind.TEXT,
    "host": Kind.TEXT,
    "key": Kind.TEXT,
    "attempt": Kind.WHOLE,
}
"""The columns of an output table, in order."""

_ALSO = {
    "calls": ("usage", "calls"),
    "inputTokens": ("usage", "inputTokens"),
    "outputTokens": ("usage", "outputTokens"),
    "totalMs": ("timings", "total"),
}
"""Columns that say again what stands in another, for who cannot read JSON in a cell."""


def request_of(columns: Mapping[str, JSON]) -> dict[str, Any]:
    """Returns the request in a row of text cells; an empty one says nothing."""
    return {name: _meant(to_camel(name), str(cell)) for name, cell in columns.items() if cell not in ("", None)}


def row_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the cells of an output row: text, numbers, yes or no, None."""
    row = {name: _cell(kind, record.get(name)) for name, kind in COLUMNS.items()}
    return row | {name: (record.get(whole) or {}).get(part) for name, (whole, part) in _ALSO.items()}


def record_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the output row that has these cells, which may all be text.

    Raises:
        ValueError, KeyError: It is none.
    """
    if "key" not in row or "id" not in row:
        raise KeyError("key")
    found = {name: _value(kind, row.get(name)) for name, kind in COLUMNS.items() if name not in _ALSO}
    optional = ("file", "firstPass", "label", "correct", "responses")
    return {name: value for name, value in found.items() if value is not None or name not in optional}


def _meant(name: str, cell: str) -> JSON:
    if name in _TEXTS:
        return cell
    if name in _LISTS and not cell.startswith("["):
        return [part.strip() for part in cell.split(",")]
    try:
        return json.loads(cell)
    except ValueError:
        choices = [part.strip() for part in cell.split(",")]
        return choices if name == "answer" and len(choices) > 1 else cell


def _cell(kind: Kind, value: Any) -> Any:
    if value is None:
        return None
    match kind:
        case Kind.JSON:
            return _json(value)
        case Kind.VALUE:
            return value if isinstance(value, str) else _json(value)
        case _:
            return value


def _value(kind: Kind, cell: Any) -> Any:
    if cell is None or cell == "":
        return None
    match kind:
        case Kind.JSON:
            return json.loads(cell)
        case Kind.WHOLE:
            return int(cell)
        case Kind.NUMBER:
            return float(cell)
        case Kind.YES_OR_NO:
            return cell is True or cell == "true"
        case Kind.TEXT | Kind.VALUE:
            return cell


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
