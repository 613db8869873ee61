"""What a request may say to Ditto itself: the object `ditto` beside OpenAI's own fields (its clients' `extra_body`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic.alias_generators import to_camel

from ditto.domain.request import Request
from ditto.errors import BadRequest

Streaming = Literal["decided", "first"]
"""What a stream shows: the merged answer once it is decided, or the first model's reply while it is written."""

STREAM = "stream"
_SAID_OTHERWISE = frozenset(
    {
        "prompt",
        "messages",
        "models",
        "ensemble",
        "strategy",
        "temperature",
        "top_p",
        "max_tokens",
        "stop",
        "seed",
        "system",
        "metadata",
        "schema",
        "idempotency_key",
    }
)
"""Fields of Ditto's own request for which OpenAI's contract has words."""
NAMES = tuple(name for name in Request.model_fields if name.rstrip("_") not in _SAID_OTHERWISE)
SPELLED = {spelled: f"ditto.{spelled}" for name in NAMES for spelled in (name, to_camel(name))}
"""What each of them is called in an error, however it is spelled."""


def split(given: dict[str, Any] | None) -> tuple[Streaming, dict[str, Any]]:
    """Returns what a stream is to show, and the fields for Ditto's own request.

    Raises:
        BadRequest: A field is none of them.
    """
    fields = {name: value for name, value in (given or {}).items() if name != STREAM}
    streaming = (given or {}).get(STREAM)
    wrong = [{"path": f"ditto.{name}", "message": "unknown field"} for name in fields if name not in SPELLED]
    if streaming not in (None, "decided", "first"):
        wrong.append({"path": "ditto.stream", "message": 'must be "decided" or "first"'})
    if wrong:
        raise BadRequest("the request is wrong", wrong)
    return streaming or "decided", fields


def shape(words: Mapping[str, str]) -> dict[str, Any]:
    """Returns the JSON Schema of the object; its parts are those of Ditto's own request.

    Args:
        words: What each field means, by its name on the wire.
    """
    of_a_request = Request.model_json_schema(ref_template="#/components/schemas/{model}")["properties"]
    named = [to_camel(name) for name in NAMES]
    properties = {name: {**of_a_request[name], "description": words[name]} for name in named}
    return {
        "type": ["object", "null"],
        "properties": {STREAM: {"enum": [None, "decided", "first"]}, **properties},
        "additionalProperties": False,
    }
