"""Where the parts of a JSON Schema stand: which keywords hold schemas, which hold names, which hold plain data.

`default` is data as a keyword and a name inside `properties`: what a key means depends on what it stands in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ditto.domain.spec import JSON

NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"})
"""Keywords whose keys are names, and whose values are schemas."""

OPAQUE = frozenset({"const", "enum", "default", "examples", "required", "dependentRequired"})
"""Keywords that hold data, in which nothing is a keyword."""

REFERENCES = ("$ref", "$dynamicRef")

_IN_PLACE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas")


def children(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields the schemas right below one; what stands under an unknown keyword is taken for schemas."""
    for key, value in schema.items():
        if key not in OPAQUE:
            yield from _schemas(value, named=key in NAMED)


def in_place(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields the schemas right below one that judge the same value as it does."""
    for key in _IN_PLACE:
        if key in schema:
            yield from _schemas(schema[key], named=key in NAMED)


def _schemas(value: JSON, *, named: bool) -> Iterator[dict[str, Any]]:
    parts = value if isinstance(value, list) else [value]
    if named and isinstance(value, dict):
        parts = list(value.values())
    for part in parts:
        if isinstance(part, dict):
            yield part
        elif isinstance(part, list):
            yield from _schemas(part, named=False)
