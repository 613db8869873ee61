"""JSON Schemas of results: is one usable, what providers are told of it, and which value a reply holds.

A reply may hold its value bare, in a code fence, in prose, or slightly damaged. Every such place is tried in that
order, and the first value that validates is taken; repairing comes last. Providers want an object at the root, so any
other root is wrapped as `{"value": …}` for them, and a reply may come either way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import json_repair
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError

from ditto.domain.spec import JSON
from ditto.errors import DittoError

_FENCE = re.compile(r"```[\w-]*[ \t]*\n(.*?)```", re.DOTALL)
_OPAQUE = frozenset({"const", "enum", "default", "examples"})
_WRAPPER = "value"
_SHOWN_PROBLEMS = 5
_SHOWN_CHARS = 200


class Misfit(DittoError):
    """A reply holds no value that satisfies the schema; the message is the validator's words."""


def complaints(schema: dict[str, Any]) -> list[str]:
    """Returns why this schema cannot be used, nothing where it can."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        where = "/".join(str(part) for part in error.absolute_path)
        return [f"no valid JSON Schema{f' at {where}' if where else ''}: {_short(error.message)}"]
    except RecursionError:
        return ["no valid JSON Schema: nested too deeply"]
    return [complaint for ref in _refs(schema) if (complaint := _ref_complaint(ref, schema))]


def wrap(schema: dict[str, Any]) -> dict[str, Any]:
    """Returns the schema with an object at its root: itself, or an object whose `value` it describes."""
    if schema.get("type") == "object":
        return schema
    inner = _moved(schema, f"#/properties/{_WRAPPER}")
    return {
        "type": "object",
        "properties": {_WRAPPER: inner},
        "required": [_WRAPPER],
        "additionalProperties": False,
    }


def read(text: str, schema: dict[str, Any]) -> JSON:
    """Returns the value that a reply gives for this schema.

    Raises:
        Misfit: No value in it validates.
    """
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    wrapped = schema.get("type") != "object"
    problem: str | None = None
    for candidate in _candidates(text, schema):
        values = [candidate]
        if wrapped and isinstance(candidate, dict) and set(candidate) == {_WRAPPER}:
            values.insert(0, candidate[_WRAPPER])
        for value in values:
            found = _problem(validator, value)
            if found is None:
                return value
            problem = problem or found
    raise Misfit(problem or "the reply holds no JSON")


def problem(text: str, schema: dict[str, Any]) -> str | None:
    """Returns why a reply does not satisfy the schema, in the validator's words, or None when it does."""
    try:
        read(text, schema)
    except Misfit as misfit:
        return str(misfit)
    return None


def satisfied(value: JSON, schema: dict[str, Any]) -> bool:
    """Tells whether a value satisfies the schema."""
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return bool(validator.is_valid(value))


def _candidates(text: str, schema: dict[str, Any]) -> Iterator[JSON]:
    stripped = text.strip()
    yield from _parsed(stripped)
    for fenced in _FENCE.findall(text):
        yield from _parsed(fenced.strip())
    yield from sorted(_embedded(stripped), key=lambda value: -len(json.dumps(value)))
    if _takes_bare_text(schema):
        yield stripped.strip("\"'`")
    start = re.search(r"[\[{]", stripped)
    if start:
        repaired = json_repair.loads(stripped[start.start() :], skip_json_loads=True)
        if repaired != "":
            yield repaired


def _parsed(text: str) -> Iterator[JSON]:
    try:
        yield json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return


def _embedded(text: str) -> Iterator[JSON]:
    decoder = json.JSONDecoder(parse_constant=_refuse_constant)
    position = 0
    while (start := re.compile(r"[\[{]").search(text, position)) is not None:
        try:
            value, position = decoder.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            position = start.start() + 1
        else:
            yield value


def _refuse_constant(name: str) -> JSON:
    raise ValueError(f"{name} is no JSON")


def _takes_bare_text(schema: dict[str, Any]) -> bool:
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    return "string" in kinds or any(isinstance(allowed, str) for allowed in schema.get("enum", []))


def _problem(validator: Draft202012Validator, value: JSON) -> str | None:
    errors = sorted(validator.iter_errors(value), key=lambda error: [str(part) for part in error.absolute_path])
    if not errors:
        return None
    words = [_words(error) for error in errors[:_SHOWN_PROBLEMS]]
    if len(errors) > _SHOWN_PROBLEMS:
        words.append(f"and {len(errors) - _SHOWN_PROBLEMS} more")
    return "; ".join(words)


def _words(error: ValidationError) -> str:
    where = "".join(f"/{part}" for part in error.absolute_path)
    return f"{where}: {_short(error.message)}" if where else _short(error.message)


def _short(message: str) -> str:
    return message if len(message) <= _SHOWN_CHARS else f"{message[: _SHOWN_CHARS - 1]}…"


def _refs(node: JSON) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("$ref", "$dynamicRef") and isinstance(value, str):
                yield value
            elif key not in _OPAQUE:
                yield from _refs(value)
    elif isinstance(node, list):
        for item in node:
            yield from _refs(item)


def _ref_complaint(ref: str, schema: dict[str, Any]) -> str | None:
    if not ref.startswith("#"):
        return f"$ref {_short(ref)!r} points outside the schema; only references within it are followed"
    if not ref.startswith("#/"):
        return None
    node: JSON = schema
    for part in ref[2:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict) and key in node:
            node = node[key]
        elif isinstance(node, list) and key.isdigit() and int(key) < len(node):
            node = node[int(key)]
        else:
            return f"$ref {_short(ref)!r} points to nothing"
    return None


def _moved(node: JSON, prefix: str) -> JSON:
    if isinstance(node, list):
        return [_moved(item, prefix) for item in node]
    if not isinstance(node, dict):
        return node
    moved = {}
    for key, value in node.items():
        if key == "$ref" and isinstance(value, str) and (value == "#" or value.startswith("#/")):
            moved[key] = prefix + value[1:]
        else:
            moved[key] = value if key in _OPAQUE else _moved(value, prefix)
    return moved
