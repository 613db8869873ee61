"""Errors as OpenAI's clients read them: a message, a type, the parameter and a code; Ditto's own words in `ditto`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ditto.domain.spec import JSON
from ditto.errors import BadRequest, IdempotencyMismatch, NotFound, RateLimited, ServiceError, Unauthorized
from ditto.http.openai import extras

_CHAT = {
    **extras.SPELLED,
    "models": "model",
    "ensemble": "model",
    "strategy": "model",
    "schema": "response_format.json_schema.schema",
    "maxTokens": "max_tokens",
    "topP": "top_p",
    "system": "messages",
    "idempotencyKey": "Idempotency-Key",
    "idempotency_key": "Idempotency-Key",
}
_RESPONSES = {
    **_CHAT,
    "messages": "input",
    "schema": "text.format.schema",
    "maxTokens": "max_output_tokens",
    "max_tokens": "max_output_tokens",
    "system": "instructions",
}
_WHOLE = frozenset({"models", "ensemble", "strategy"})
"""Fields whose parts have no name of their own in OpenAI's contract."""


def openai_error(error: ServiceError, path: str) -> dict[str, Any]:
    """Returns the error as decoded JSON in OpenAI's shape.

    Args:
        path: Of the route: it decides what a wrong field is called.
    """
    details = _renamed(error.details, _RESPONSES if path.endswith("/responses") else _CHAT)
    wrong = details[0]["path"] if isinstance(details, list) and details else ""
    own: dict[str, Any] = {"type": error.type, "details": details, "jobId": error.job_id}
    message = str(BadRequest(error.message, details)) if isinstance(error, BadRequest) else error.message
    return {
        "error": {
            "message": message,
            "type": _type(error),
            "param": wrong or None,
            "code": _code(error, wrong),
            "ditto": own,
        }
    }


def _renamed(details: JSON, names: Mapping[str, str]) -> JSON:
    """Returns the details with each wrong field called as OpenAI does; a field that has its name already keeps it."""
    if not isinstance(details, list):
        return details
    return [{**wrong, "path": _name(str(wrong["path"]), names)} for wrong in details]


def _name(path: str, names: Mapping[str, str]) -> str:
    field, dot, rest = path.partition(".")
    name = names.get(field, field)
    return name if field in _WHOLE else f"{name}{dot}{rest}"


def _type(error: ServiceError) -> str:
    if isinstance(error, RateLimited):
        return "rate_limit_error"
    return "server_error" if error.status >= 500 else "invalid_request_error"


def _code(error: ServiceError, wrong: str) -> str:
    match error:
        case NotFound() if wrong == "model":
            return "model_not_found"
        case Unauthorized():
            return "invalid_api_key"
        case RateLimited():
            return "rate_limit_exceeded"
        case IdempotencyMismatch():
            return "idempotency_mismatch"
        case _:
            return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", error.type).lower()
