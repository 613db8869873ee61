"""JSON bodies as they come in: nothing is believed of a response before it is checked."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from pydantic_core import from_json

from ditto.domain.spec import JSON
from ditto.errors import CallInvalidReply


def decoded(body: bytes) -> JSON:
    """Returns the decoded JSON, or None where the body is none."""
    with suppress(ValueError):  # of what it takes it makes the same as `json`, but there is JSON that it does not take
        return from_json(body)
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def reply_object(body: bytes) -> dict[str, Any]:
    """Returns the JSON object that a successful response must be.

    Raises:
        CallInvalidReply: It is not.
    """
    value = decoded(body)
    if not isinstance(value, dict):
        raise CallInvalidReply("the response is empty" if not body.strip() else "the response is no JSON object")
    return value


def as_object(value: JSON) -> dict[str, Any]:
    """Returns the value if it is an object, an empty one otherwise."""
    return value if isinstance(value, dict) else {}


def as_list(value: JSON) -> list[Any]:
    """Returns the value if it is a list, an empty one otherwise."""
    return value if isinstance(value, list) else []


def as_text(value: JSON) -> str:
    """Returns the value if it is a string, an empty one otherwise."""
    return value if isinstance(value, str) else ""


def as_count(value: JSON) -> int | None:
    """Returns a count of tokens if the value is one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
