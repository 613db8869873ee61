"""The keywords that pick an object's properties by their names, and `pattern`: as jsonschema has them, but by RE2.

jsonschema matches patterns by Python's backtracking engine, in four places, and tells evaluated properties apart by
comparing each with each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from jsonschema.exceptions import ValidationError

from ditto.domain.schemas.keywords import REFERENCES
from ditto.domain.schemas.patterns import pattern
from ditto.domain.spec import JSON


def matches(validator: Any, source: str, text: str) -> bool:
    """Tells whether a pattern matches anywhere in a text, and counts the steps of it."""
    searched = pattern(source)
    validator.format_checker.take(searched.steps(text))
    return searched.found_in(text)


def pattern_keyword(validator: Any, wanted: str, instance: JSON, schema: JSON) -> Iterator[ValidationError]:
    """Yields what is wrong where a text does not match."""
    if isinstance(instance, str) and not matches(validator, wanted, instance):
        yield ValidationError(f"{instance!r} does not match {wanted!r}")


def pattern_properties(
    validator: Any, wanted: dict[str, Any], instance: JSON, schema: JSON
) -> Iterator[ValidationError]:
    """Yields what is wrong with the properties whose names match."""
    if not isinstance(instance, dict):
        return
    for source, below in wanted.items():
        for name, value in instance.items():
            if matches(validator, source, name):
                yield from validator.descend(value, below, path=name, schema_path=source)


def additional_properties(validator: Any, wanted: JSON, instance: JSON, schema: JSON) -> Iterator[ValidationError]:
    """Yields what is wrong with the properties that neither `properties` nor `patternProperties` names."""
    if not isinstance(instance, dict):
        return
    named, sources = schema.get("properties", {}), schema.get("patternProperties", {})
    extras = [
        name
        for name in instance
        if name not in named and not any(matches(validator, source, name) for source in sources)
    ]
    if isinstance(wanted, dict):
        for name in extras:
            yield from validator.descend(instance[name], wanted, path=name)
    elif not wanted and extras:
        yield ValidationError(f"Additional properties are not allowed ({_unexpected(extras)})")


def unevaluated_properties(validator: Any, wanted: JSON, instance: JSON, schema: JSON) -> Iterator[ValidationError]:
    """Yields what is wrong with the properties that no other keyword has judged."""
    if not isinstance(instance, dict):
        return
    known = _evaluated(validator, instance, schema)
    wrong = [
        name
        for name, value in instance.items()
        if name not in known and not _holds(validator.descend(value, wanted, path=name, schema_path=name))
    ]
    if wrong:
        yield ValidationError(f"Unevaluated properties are not allowed ({_unexpected(wrong)})")


def _evaluated(validator: Any, instance: dict[str, JSON], schema: JSON) -> set[str]:
    """Returns the names that a schema, or one that judges the same object and holds, has judged."""
    if not isinstance(schema, dict):
        return set()
    validator.format_checker.take(1 + len(schema))
    known = set(schema.get("properties", ())) & instance.keys()
    for source in schema.get("patternProperties", ()):
        known.update(name for name in instance if matches(validator, source, name))
    for keyword in ("additionalProperties", "unevaluatedProperties"):
        if keyword in schema:
            known.update(n for n, value in instance.items() if _holds(validator.descend(value, schema[keyword])))
    for keyword in REFERENCES:
        if keyword in schema:
            resolved = validator._resolver.lookup(schema[keyword])
            there = validator.evolve(schema=resolved.contents, _resolver=resolved.resolver)
            known |= _evaluated(there, instance, resolved.contents)
    for inner in _holding(validator, instance, schema):
        known |= _evaluated(validator, instance, inner)
    return known


def _holding(validator: Any, instance: dict[str, JSON], schema: dict[str, Any]) -> Iterator[JSON]:
    """Yields the schemas right below one that judge the same object and hold."""
    for keyword in ("allOf", "oneOf", "anyOf"):
        yield from (inner for inner in schema.get(keyword, ()) if _holds(validator.descend(instance, inner)))
    yield from (inner for name, inner in schema.get("dependentSchemas", {}).items() if name in instance)
    if "if" in schema:
        held = _holds(validator.descend(instance, schema["if"]))
        yield from (schema[keyword] for keyword in (("if", "then") if held else ("else",)) if keyword in schema)


def _holds(errors: Iterable[ValidationError]) -> bool:
    return next(iter(errors), None) is None


def _unexpected(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in sorted(names))
    return f"{shown} {'was' if len(names) == 1 else 'were'} unexpected"
