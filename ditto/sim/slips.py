"""Getting a filled schema wrong on purpose: valid but false, incomplete, or outright invalid."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from ditto.sim.asked import Body, share
from ditto.sim.schema_filling import resolved

_DEPTH = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One scalar of a value: where it stands, and its schema."""

    path: tuple[str | int, ...]
    schema: Body


def falsified(schema: Body, value: Any, key: str) -> Any:
    """Returns the value with one leaf changed to another that the schema allows; `key` decides which.

    Numbers, flags, dates and choices go first; a text is changed only where there is nothing else.
    """
    changes: list[tuple[Leaf, Any]] = []
    last: list[tuple[Leaf, Any]] = []
    for leaf in leaves(schema, value):
        old = _at(value, leaf.path)
        new = _other(leaf.schema, old)
        if new is not None:
            (last if isinstance(old, str) and new == "unknown" else changes).append((leaf, new))
    if not (changes or last):
        return value
    among = changes or last
    leaf, new = among[int(share("leaf", key) * len(among))]
    return _with(value, leaf.path, new)


def shortened(schema: Body, value: Any, key: str) -> Any:
    """Returns the value without an optional property or without the last line of a list; else falsified."""
    root = resolved(schema, schema)
    if isinstance(value, dict):
        optional = [name for name in value if name not in (root.get("required") or ())]
        if optional:
            dropped = optional[int(share("drop", key) * len(optional))]
            return {name: part for name, part in value.items() if name != dropped}
        for name, part in value.items():
            if isinstance(part, list) and len(part) > 1:
                return value | {name: part[:-1]}
    return falsified(schema, value, key)


def broken(schema: Body, value: Any) -> Any:
    """Returns the value with one leaf, or all of it, of a type that the schema does not allow."""
    for leaf in leaves(schema, value):
        old = _at(value, leaf.path)
        if "enum" in leaf.schema or "const" in leaf.schema or isinstance(old, int | float):
            return _with(value, leaf.path, "somewhere between two and many")
        if isinstance(old, str):
            return _with(value, leaf.path, {"text": old})
    return "none" if not isinstance(value, str) else [value]


def leaves(schema: Body, value: Any) -> Iterator[Leaf]:
    """Yields the scalars of a value with their schemas, in order."""
    yield from _leaves(schema, value, (), schema)


def _leaves(schema: Any, value: Any, path: tuple[str | int, ...], root: Body) -> Iterator[Leaf]:
    if not isinstance(schema, dict) or len(path) > _DEPTH:
        return
    schema = resolved(schema, root)
    if isinstance(value, dict):
        for name, part in (schema.get("properties") or {}).items():
            if name in value:
                yield from _leaves(part, value[name], (*path, name), root)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _leaves(schema.get("items"), item, (*path, at), root)
    else:
        yield Leaf(path=path, schema=schema)


def _other(schema: Body, old: Any) -> Any:
    """Another value that the schema allows, None where there is none at hand."""
    if "const" in schema:
        return None
    if isinstance(schema.get("enum"), list):
        others = [option for option in schema["enum"] if option != old and option is not None]
        return others[0] if others else None
    if isinstance(old, bool):
        return not old
    if isinstance(old, int | float):
        for new in (old + 1, old - 1):
            if schema.get("minimum", new) <= new <= schema.get("maximum", new):
                return new
        return None
    if isinstance(old, str):
        try:
            return (date.fromisoformat(old) + timedelta(days=1)).isoformat()
        except ValueError:
            return None if old == "unknown" or "pattern" in schema or "format" in schema else "unknown"
    return None


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        value = value[part]
    return value


def _with(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    if not path:
        return new
    changed = copy.deepcopy(value)
    _at(changed, path[:-1])[path[-1]] = new
    return changed
