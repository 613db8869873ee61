"""The gate before all routes: it asks who is there, and gives the handlers the service as that tenant sees it.

Open to everybody is only what tells nothing of anybody: whether the service lives and is ready, and how it is asked. A
request is let in or refused before its body is read and before it is looked what route it wants.
"""

from __future__ import annotations

from dataclasses import replace

from starlette.types import ASGIApp, Receive, Scope, Send

from ditto.errors import ServiceError
from ditto.http import responses
from ditto.http.door import Door

OPEN = frozenset({"/", "/healthz", "/readyz", "/docs", "/openapi.json"})
_BEARER = "bearer "


class Gate:
    """Lets requests in.

    Args:
        linger_s: How long the rest of a refused body is read, so that its sender gets to the answer.
    """

    def __init__(self, app: ASGIApp, linger_s: float) -> None:
        self._app = app
        self._linger_s = linger_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or responses.path_of(scope) in OPEN:
            await self._app(scope, receive, send)
            return
        door: Door = scope["app"].state.door
        state = scope.setdefault("state", {})
        try:
            state["door"] = replace(door, service=await door.service.admit(shown_key(scope)))
        except ServiceError as error:
            if scope["type"] == "http":
                await responses.refusal(error, scope, self._linger_s)(scope, receive, send)
                return
            state["refused"] = error  # a WebSocket is told once it stands
        await self._app(scope, receive, send)


def shown_key(scope: Scope) -> str | None:
    """Returns what the request shows as its key, None where it shows none."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            said = str(value, "latin-1")
            return said[len(_BEARER) :].strip() if said[: len(_BEARER)].lower() == _BEARER else None
    return None
