"""What providers are told of a schema: they want an object at the root, so any other root is wrapped into one."""

from __future__ import annotations

from typing import Any

from ditto.domain.schemas.keywords import NAMED, OPAQUE, REFERENCES
from ditto.domain.spec import JSON

WRAPPER = "value"


def wraps(schema: dict[str, Any]) -> bool:
    """Tells whether providers are told of this schema in a wrapper."""
    return schema.get("type") != "object"


def wrap(schema: dict[str, Any]) -> dict[str, Any]:
    """Returns the schema with an object at its root: itself, or an object whose `value` it describes."""
    if not wraps(schema):
        return schema
    rootless = {key: value for key, value in schema.items() if key != "$id"}
    return {
        "type": "object",
        "properties": {WRAPPER: _moved(rootless, f"#/properties/{WRAPPER}")},
        "required": [WRAPPER],
        "additionalProperties": False,
    }


def _moved(schema: JSON, prefix: str) -> JSON:
    """Returns a schema, or a list of them, whose references follow its root to where it now stands."""
    if isinstance(schema, list):
        return [_moved(item, prefix) for item in schema]
    if not isinstance(schema, dict) or "$id" in schema:
        return schema
    return {key: _moved_keyword(key, value, prefix) for key, value in schema.items()}


def _moved_keyword(key: str, value: JSON, prefix: str) -> JSON:
    if key in REFERENCES and isinstance(value, str):
        return prefix + value[1:] if value == "#" or value.startswith("#/") else value
    if key in OPAQUE:
        return value
    if key in NAMED and isinstance(value, dict):
        return {name: _moved(part, prefix) for name, part in value.items()}
    return _moved(value, prefix)
