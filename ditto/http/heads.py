"""The head of every request and answer: how long the first may be, and what the second tells browsers to leave alone.

An answer is data for the program that asked. It is not to be guessed to be a page, shown inside one, read by another
origin's, or kept by anybody on the way. Encryption is the proxy's in front, and so is the header that insists on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ditto.errors import BadRequest
from ditto.http.responses import JOB_ID, Json, told

_ANSWER = {
    b"x-content-type-options": b"nosniff",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}
_PREFLIGHT_S = 600


class Heads:
    """Refuses requests whose head is too long, and adds to each answer the headers that it does not have itself."""

    def __init__(self, app: ASGIApp, limit_bytes: int) -> None:
        self._app = app
        self._limit_bytes = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _completed(message.get("headers", ()))
            await send(message)

        if _bytes(scope) > self._limit_bytes:
            error = BadRequest(f"the headers, path and query are above the limit of {self._limit_bytes} bytes")
            await Json(told(error, scope), error.status, {"connection": "close"})(scope, receive, complete)
            return
        await self._app(scope, receive, complete)


def said(scope: Scope, name: bytes) -> str | None:
    """Returns what the head of a request says under this name (in small letters) first, None where it does not."""
    for known, value in scope["headers"]:
        if known == name:
            return str(value, "latin-1")
    return None


def allowing(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """Returns the application as browsers let pages of these origins use it."""
    return CORSMiddleware(
        app,
        allow_origins=list(origins),
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["authorization", "content-type", "idempotency-key", "last-event-id"],
        expose_headers=[JOB_ID, "x-should-retry", "retry-after", "location"],
        max_age=_PREFLIGHT_S,
    )


def _completed(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Returns the headers of an answer, their names in small letters, and those that it does not have itself."""
    own = list(headers)
    named = {name for name, _ in own}
    return own + [(name, value) for name, value in _ANSWER.items() if name not in named]


def _bytes(scope: Scope) -> int:
    headers = sum(len(name) + len(value) for name, value in scope["headers"])
    return headers + len(scope["path"]) + len(scope.get("query_string", b""))
