"""What a provider says when it does not answer, and the typed error that it means.

Every provider wraps its words in another shape; `said` finds them in all. Types follow the status, except where the
words know better: a 400 for a prompt that is too long, a 429 for an empty account.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx

from ditto.domain.spec import JSON
from ditto.errors import (
    CallAuthenticationFailed,
    CallBadRequest,
    CallContextTooLong,
    CallError,
    CallFailed,
    CallModelNotFound,
    CallOverloaded,
    CallRateLimited,
    CallTooLarge,
)
from ditto.providers.bodies import as_list, as_object, as_text, decoded

_SHOWN_CHARS = 1_000
_STATUS_OF_TYPE = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "insufficient_quota": 429,
    "api_error": 500,
    "server_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_CONTEXT = re.compile(
    r"context[ _-]?(length|window|size|limit)|maximum context|prompt is too long|input is too long|"
    r"too many (input )?tokens|reduce the length|exceeds? the (maximum|model's).{0,40}tokens|input token count"
)
_NO_MODEL = re.compile(
    r"model_not_found|invalid_model|no such model|model not exist|unknown model|invalid model|"
    r"model\b.{0,120}\b(does not exist|not found|is not a valid model)"
)
_WRONG_KEY = re.compile(r"api[ _]key not valid|api_key_invalid|invalid[ _]api[ _]key|incorrect api key")
_NO_MONEY = re.compile(
    r"insufficient_quota|credit balance|insufficient (balance|credits?)|billing_error|daily free allocation"
)
_REFUSING = re.compile(
    r"support|permit|allow|unrecogni[sz]ed|unknown|unexpected|deprecat|invalid|cannot|can't|must|should|range|"
    r"too (large|small|high|low|many|long)|maximum|greater|less|enabled|extra|unavailable"
)
_SCHEMA_WORDS = re.compile(
    r"response_format|json_schema|output_config|output_format|structured output|json[ _]mode|json_validate_failed|"
    r"json_object|guided|grammar|invalid schema"
)
_SYSTEM_WORDS = re.compile(r"system (role|message|prompt|instruction)|(developer|system) instruction|role.{0,20}system")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A provider's own words for a failure.

    Attributes:
        code: Its codes and types, blank-separated, in lower case.
        parameters: The request's fields that it names as wrong, outermost name first.
        status: The HTTP status that the body itself speaks of, where it does.
    """

    message: str = ""
    code: str = ""
    parameters: tuple[str, ...] = ()
    status: int | None = None
    retry_after_s: float | None = None

    @property
    def words(self) -> str:
        return f"{self.code} {self.message}".lower()


def said(body: bytes) -> Said:
    """Returns what the body of an unsuccessful response says, in whichever of the known shapes."""
    value = decoded(body)
    if isinstance(value, list):
        value = value[0] if value else None
    if not isinstance(value, dict):
        text = body[:_SHOWN_CHARS].decode("utf-8", "replace").strip()
        return Said(message="" if text.startswith("<") else " ".join(text.split()))
    inner: JSON = value.get("error") or next(iter(as_list(value.get("errors"))), None) or value
    if isinstance(inner, str):
        return Said(message=inner[:_SHOWN_CHARS])
    return _said_by(as_object(inner), value)


def said_by_object(value: dict[str, Any]) -> Said:
    """Returns what an object with an `error` in it says."""
    return _said_by(as_object(value.get("error")), value)


def typed(status: int, headers: httpx.Headers, words: Said) -> CallError:
    """Returns the error for a status and the words that came with it."""
    message = _sentence(status, words)
    if status == 402 or (status in (400, 403, 429) and _NO_MONEY.search(words.words)):
        return CallFailed(f"the account's quota is used up: {message}")
    if status in (400, 403, 404, 422) and _NO_MODEL.search(words.words):
        return CallModelNotFound(message)
    if status in (401, 403) or (status == 400 and _WRONG_KEY.search(words.words)):
        return CallAuthenticationFailed(message)
    if status in (400, 413, 422) and _CONTEXT.search(words.words):
        return CallContextTooLong(message)
    if status == 404:
        return CallModelNotFound(message)
    if status == 413:
        return CallTooLarge(message)
    retry_after = retry_after_s(headers)
    wait_s = words.retry_after_s if retry_after is None else retry_after
    if status == 429:
        return CallRateLimited(message, wait_s)
    if status in (408, 498) or status >= 500:
        return CallOverloaded(message, wait_s)
    return CallBadRequest(message)


def typed_from_body(words: Said) -> CallError:
    """Returns the error for a response whose status promised success and whose body is an error."""
    statuses = (status for name, status in _STATUS_OF_TYPE.items() if name in words.code.split())
    return typed(words.status or next(statuses, 502), httpx.Headers(), words)


def refused(status: int, words: Said, *, parameters: Iterable[str], schema: str) -> str | None:
    """Returns which of a request's parameters the words refuse.

    Args:
        parameters: The names that a request may have.
        schema: The name of the structured-output switch: any complaint about schemas is about it.
    """
    if status not in (200, 400, 422):
        return None
    known = [name for name in words.parameters if name in {*parameters, schema}]
    if known:
        return known[0]
    text = words.words
    if _SCHEMA_WORDS.search(text):
        return schema
    if not _REFUSING.search(text):
        return None
    if _SYSTEM_WORDS.search(text):
        return "system"
    places = sorted((at.start(), name) for name in parameters if (at := re.search(rf"\b{name}\b", text)))
    if not places:
        return None
    return places[-1][1] if "both" in text else places[0][1]


def retry_after_s(headers: httpx.Headers) -> float | None:
    """Returns how long to wait, in seconds: `retry-after-ms`, or `Retry-After` in seconds or as a date.

    A date is read against the response's own `Date`, so that no two clocks are compared.
    """
    milliseconds = _seconds(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    seconds = _seconds(value)
    if seconds is not None:
        return seconds
    then, now = _moment(value), _moment(headers.get("date"))
    return max(0.0, (then - now).total_seconds()) if then and now else None


def _said_by(inner: dict[str, Any], outer: dict[str, Any]) -> Said:
    message, details = inner.get("message"), as_list(inner.get("detail"))
    if isinstance(message, dict):
        details = details or as_list(message.get("detail"))
    texts = [as_text(message) or as_text(inner.get("detail"))]
    if not texts[0]:
        texts = [f"{_location(item)}: {as_text(as_object(item).get('msg'))}" for item in details]
    texts.append(as_text(as_object(inner.get("metadata")).get("raw")))
    causes = [as_object(item) for item in as_list(inner.get("details"))]
    codes = [inner.get("type"), inner.get("code"), inner.get("status"), *(cause.get("reason") for cause in causes)]
    named = [as_text(inner.get("param")), *(_location(item) for item in details)]
    delays = [_seconds(as_text(cause.get("retryDelay")).removesuffix("s")) for cause in causes]
    code = inner.get("code", outer.get("code"))
    return Said(
        message=" ".join("; ".join(text for text in texts if text).split())[:_SHOWN_CHARS],
        code=" ".join(str(part) for part in codes if isinstance(part, str | int)).lower(),
        parameters=tuple(re.split(r"[.\[]", name)[0] for name in named if name),
        status=code if isinstance(code, int) and 400 <= code < 600 else None,
        retry_after_s=next((delay for delay in delays if delay is not None), None),
    )


def _location(item: JSON) -> str:
    """Returns where in the request's body a validator's complaint is, `temperature` or `messages.0.role`."""
    parts = [str(part) for part in as_list(as_object(item).get("loc"))]
    return ".".join(parts[1:] if parts[:1] == ["body"] else parts)


def _sentence(status: int, words: Said) -> str:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    reason = f"{status} {phrase}".strip()
    return f"{reason}: {words.message}" if words.message else reason


def _seconds(value: str | None) -> float | None:
    try:
        seconds = float(value or "")
    except ValueError:
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _moment(value: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value or "")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
