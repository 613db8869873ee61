"""Answers as JSON, and every error in the one shape of the contract."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import uuid
from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticSerializationError, to_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from ditto.domain.spec import JSON
from ditto.errors import (
    Conflict,
    CrashLoop,
    DeadlineExceeded,
    HolderGone,
    InternalError,
    JobCancelled,
    JobError,
    MethodNotAllowed,
    NotFound,
    RateLimited,
    RequestTimeout,
    ServiceError,
    StoreUnavailable,
    TooLarge,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
    service_error,
)
from ditto.http.openai.errors import openai_error

_log = logging.getLogger(__name__)
_FULL_S = 5
"""When to ask a full service again: jobs take seconds."""
_UNAVAILABLE_S = 2
_LINGER_BYTES = 64 * 1024 * 1024
JOB_ID = "x-ditto-job-id"
"""The header that names the job of an answer or an error."""
OPENAI = "/v1/"
"""Where OpenAI's contract begins."""


class Json(JSONResponse):
    """Compact JSON in UTF-8. Half of a surrogate pair, which UTF-8 cannot hold, is written as its JSON escape."""

    def render(self, content: JSON) -> bytes:
        return encoded(content)


def encoded(content: JSON) -> bytes:
    """Returns decoded JSON as `Json` writes it.

    Pydantic's encoder takes two fifths of the time. What it refuses, and what it may have written of a number that is
    none, is left to Python's.

    Raises:
        ValueError: A number is not finite.
    """
    try:
        written = to_json(content, inf_nan_mode="constants")
    except PydanticSerializationError:
        written = None
    if written is not None and b"NaN" not in written and b"Infinity" not in written:
        return written
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


class Refusal(Json):
    """An error for a request whose body has not been read.

    A server that closes the connection on unread bytes resets it, and the sender may never see why. So the answer is
    sent whole, and what still comes is read and thrown away for a while before the exchange ends.
    """

    def __init__(self, content: JSON, status_code: int, headers: Mapping[str, str], linger_s: float) -> None:
        super().__init__(content, status_code, {**headers, "connection": "close"})
        self._linger_s = linger_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        if not scope.get("state", {}).get("body_ended", False):
            await _discard(receive, self._linger_s)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _discard(receive: Receive, linger_s: float) -> None:
    discarded = 0
    try:
        async with asyncio.timeout(linger_s):
            while discarded < _LINGER_BYTES:
                message = await receive()
                discarded += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        return


def error_body(error: ServiceError) -> dict[str, Any]:
    """Returns the error as decoded JSON in the contract's shape."""
    body: dict[str, Any] = {"type": error.type, "message": error.message, "details": error.details}
    if error.job_id is not None:
        body["jobId"] = error.job_id
    return {"error": body}


def path_of(scope: Scope) -> str:
    """Returns the path as the routes know it."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def told(error: ServiceError, scope: Scope) -> dict[str, Any]:
    """Returns the error as decoded JSON, in the shape that the clients of this route read."""
    path = path_of(scope)
    return openai_error(error, path) if path.startswith(OPENAI) else error_body(error)


def respond(request: Request, error: ServiceError, linger_s: float) -> Response:
    """Returns the answer that tells this error."""
    if isinstance(error, TooLarge | UnsupportedMediaType | RequestTimeout):
        return refusal(error, request.scope, 0.0 if isinstance(error, RequestTimeout) else linger_s)
    return Json(told(error, request.scope), error.status, _headers(error))


def refusal(error: ServiceError, scope: Scope, linger_s: float) -> Refusal:
    """Returns the answer that tells this error to who may still be sending a body."""
    return Refusal(told(error, scope), error.status, _headers(error), linger_s)


def _headers(error: ServiceError) -> dict[str, str]:
    job = {} if error.job_id is None else {JOB_ID: error.job_id}
    return {**job, **_asides(error)}


def _asides(error: ServiceError) -> dict[str, str]:
    match error:
        case JobError() | DeadlineExceeded() | JobCancelled() | CrashLoop() | Conflict():
            return {"x-should-retry": "false"}
        case InternalError() if error.job_id is not None:  # the job has ended so, and the same again would be it again
            return {"x-should-retry": "false"}
        case Unauthorized():
            return {"www-authenticate": "Bearer"}
        case RateLimited() | Unavailable():
            return {"retry-after": str(_retry_after_s(error))}
        case _:
            return {}


def _retry_after_s(error: ServiceError) -> int:
    given_ms = error.details.get("retryAfter") if isinstance(error.details, Mapping) else None
    if isinstance(given_ms, int | float):
        return max(1, math.ceil(given_ms / 1000))
    return _FULL_S if isinstance(error, RateLimited) else _UNAVAILABLE_S


def of_framework(request: Request, error: HTTPException) -> ServiceError:
    """Returns the contract's error for one that the framework raised by itself."""
    path = request.url.path
    match error.status_code:
        case 404:
            return NotFound(f"there is no {path}")
        case 405:
            return MethodNotAllowed(f"{path} does not take {request.method}")
        case _:
            return service_error("", error.status_code, str(error.detail))


def service_error_of(error: Exception) -> ServiceError:
    """Returns the contract's error for any; one that nobody foresaw is logged under the id that its message names."""
    match error:
        case ServiceError():
            return error
        case StoreUnavailable():
            return Unavailable(str(error) or "the store does not answer")
        case HolderGone():
            return Unavailable("the job is changing hands")
    error_id = uuid.uuid4().hex[:12]
    _log.error("a request failed unexpectedly", exc_info=error, extra={"error_id": error_id})
    return InternalError(f"something went wrong here; it is logged under {error_id}", {"id": error_id})
