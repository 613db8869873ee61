"""Whether a schema can be used: it is one, every reference leads to a schema within it, and none runs in a circle.

References are resolved as the validator will resolve them, and the schema is tried on a value of each kind, so that
what would stop a validator stops the request instead. How much of a schema is looked at is bounded, and so is how often
its parts judge one value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError
from referencing.jsonschema import DRAFT202012

from ditto.domain.schemas.keywords import REFERENCES, children, in_place
from ditto.domain.schemas.patterns import pattern
from ditto.domain.schemas.sizes import parts
from ditto.domain.schemas.validating import Validator, resolver, short
from ditto.domain.spec import JSON
from ditto.errors import Misfit

if TYPE_CHECKING:
    from referencing._core import Resolver  # the library gives the type no public name

_MAX_PARTS = 10_000
_MAX_CHAIN = 50
_MAX_JUDGING = 5_000
_TRIALS: tuple[JSON, ...] = (None, True, 0, 0.5, "", "a", [], [None], ["a", {}], {}, {"a": 1})


def complaints(schema: dict[str, Any]) -> list[str]:
    """Returns why this schema cannot be used, nothing where it can."""
    try:
        return list(dict.fromkeys(_complaints(schema)))
    except RecursionError:
        return ["no valid JSON Schema: nested too deeply"]


def _complaints(schema: dict[str, Any]) -> list[str]:
    try:
        size = parts(schema)
        root = resolver(schema)
    except Misfit as misfit:
        return [f"no usable JSON Schema: {misfit}"]
    except Exception as error:  # noqa: BLE001  # a strange $id makes the library raise many kinds
        return [f"no usable JSON Schema: $id cannot be read: {short(str(error))}"]
    if size > _MAX_PARTS:
        return [f"no usable JSON Schema: it is made of {size} values, more than {_MAX_PARTS}"]
    if invalid := _invalid(schema):
        return [invalid]
    followed = _Followed()
    _follow(schema, root, followed)
    return followed.complaints or _of_judging(schema, followed)


def _of_judging(schema: dict[str, Any], followed: _Followed) -> list[str]:
    """Returns why judging values by this schema would not come to an end soon, or would fail."""
    lengths: dict[int, int] = {}
    if any(_chain(each, followed, lengths) > _MAX_CHAIN for each in followed.visited.values()):
        return ["no usable JSON Schema: its references run in a circle, or in too long a chain"]
    judging: dict[int, int] = {}
    if any(_judging(each, followed, judging) > _MAX_JUDGING for each in followed.visited.values()):
        return [f"no usable JSON Schema: more than {_MAX_JUDGING} of its parts judge one value"]
    validator = Validator(schema)
    for trial in _TRIALS:
        try:
            validator.problem(trial)
        except Misfit as misfit:
            return [f"no usable JSON Schema: {misfit}"]
    return []


@dataclass(slots=True)
class _Followed:
    """The schemas that were visited, and where the references of each lead; both by identity."""

    visited: dict[int, dict[str, Any]] = field(default_factory=dict)
    targets: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    checked: set[int] = field(default_factory=set)
    parts_left: int = 2 * _MAX_PARTS
    complaints: list[str] = field(default_factory=list)


def _follow(root: dict[str, Any], resolver: Resolver[JSON], followed: _Followed) -> None:
    waiting = [(root, resolver)]
    while waiting:
        schema, within = waiting.pop()
        if id(schema) in followed.visited:
            continue
        followed.visited[id(schema)] = schema
        if schema is not root and "$schema" in schema:
            followed.complaints.append("$schema may stand at the root of the schema only")
        for ref in _references(schema):
            target = _target(ref, within, followed)
            if target is not None:
                followed.targets.setdefault(id(schema), []).append(target[0])
                waiting.append(target)
        for child in children(schema):
            try:
                waiting.append((child, within.in_subresource(DRAFT202012.create_resource(child))))
            except Exception as error:  # noqa: BLE001  # a strange $id makes the library raise many kinds
                followed.complaints.append(f"$id cannot be read: {short(str(error))}")


def _references(schema: dict[str, Any]) -> Iterator[str]:
    for keyword in REFERENCES:
        if isinstance(schema.get(keyword), str):
            yield schema[keyword]


def _target(ref: str, resolver: Resolver[JSON], followed: _Followed) -> tuple[dict[str, Any], Resolver[JSON]] | None:
    """Returns the object that a reference leads to and how its own are resolved; None for a boolean or a complaint."""
    shown = repr(short(ref))
    if not ref.startswith("#"):
        followed.complaints.append(f"$ref {shown} points outside the schema; only references within it are followed")
        return None
    try:
        resolved = resolver.lookup(ref)
    except Exception:  # noqa: BLE001  # the library raises many kinds where a pointer leads through what is no schema
        followed.complaints.append(f"$ref {shown} points to nothing")
        return None
    found: JSON = resolved.contents
    if isinstance(found, bool):
        return None
    invalid = None
    if isinstance(found, dict) and id(found) not in followed.checked:
        followed.checked.add(id(found))
        followed.parts_left -= parts(found)
        invalid = _invalid(found) if followed.parts_left > 0 else "too many such targets lie one inside the other"
    if not isinstance(found, dict) or invalid:
        followed.complaints.append(f"$ref {shown} points to what is no schema{f': {invalid}' if invalid else ''}")
        return None
    return found, resolved.resolver


def _chain(schema: dict[str, Any], followed: _Followed, known: dict[int, int]) -> int:
    """Returns how many schemas judge one value one inside the other; above `_MAX_CHAIN` for a circle."""
    if id(schema) not in known:
        known[id(schema)] = _MAX_CHAIN + 1
        known[id(schema)] = 1 + max(
            (_chain(inner, followed, known) for inner in (*in_place(schema), *followed.targets.get(id(schema), ()))),
            default=0,
        )
    return known[id(schema)]


def _judging(schema: dict[str, Any], followed: _Followed, known: dict[int, int]) -> int:
    """Returns how many schemas judge one value because this one does, each as often as it does; there is no circle."""
    if id(schema) not in known:
        inner = (*in_place(schema), *followed.targets.get(id(schema), ()))
        known[id(schema)] = 1 + sum(_judging(each, followed, known) for each in inner)
    return known[id(schema)]


def _is_pattern(source: object) -> bool:
    if isinstance(source, str):
        pattern(source)
    return True


_FORMATS = FormatChecker(())
_FORMATS.checks("regex", raises=ValueError)(_is_pattern)


def _invalid(schema: dict[str, Any]) -> str | None:
    try:
        Draft202012Validator.check_schema(schema, format_checker=_FORMATS)
    except SchemaError as error:
        where = "/".join(str(part) for part in error.absolute_path)
        why = f" ({short(str(error.cause))})" if error.cause is not None else ""
        return f"no valid JSON Schema{f' at {where}' if where else ''}: {short(error.message)}{why}"
    except (OverflowError, ValueError) as error:
        return f"no valid JSON Schema: {short(str(error))}"
    return None
