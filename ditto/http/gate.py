"""The gate before all routes: it asks who is there, and gives the handlers the service as that tenant sees it.

Open to everybody is only what tells nothing of anybody: whether the service lives and is ready, and how it is asked. A
request is let in or refused before its body is read and before it is looked what route it wants.

Where no key is needed, a page of anybody's could point its own name at this machine (DNS rebinding): to the browser the
service is then of that page's origin, and shown whatever headers the page likes. So who was let in without a key must
have asked for an address, or for a name that nobody can own.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from ditto.errors import Forbidden, ServiceError
from ditto.http import responses
from ditto.http.door import Door
from ditto.http.heads import said

OPEN = frozenset({"/", "/healthz", "/readyz", "/docs", "/openapi.json"})
_BEARER = "bearer "
_PORT = re.compile(r":\d*$")


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
            service = await door.service.admit(shown_key(scope))
            if not service.tenant.keyed:
                _check_host(scope)
            state["door"] = door.seen(service)
        except ServiceError as error:
            if scope["type"] == "http":
                await responses.refusal(error, scope, self._linger_s)(scope, receive, send)
                return
            state["refused"] = error  # a WebSocket is told once it stands
        await self._app(scope, receive, send)


def _check_host(scope: Scope) -> None:
    """Returns where the request was meant for an address, for `localhost`, or for a name without a dot.

    Raises:
        Forbidden: It was meant for a name that somebody may own.
    """
    host = _PORT.sub("", said(scope, b"host") or "").strip("[].").lower()
    if _may_be_owned(host):
        raise Forbidden(f"without a key this service answers at an address or at localhost, not at {host}")


@lru_cache(maxsize=64)
def _may_be_owned(host: str) -> bool:
    """Tells whether this is a name that somebody may own."""
    if "." not in host or host.endswith(".localhost"):
        return False
    try:
        ip_address(host)
    except ValueError:
        return True
    return False


def shown_key(scope: Scope) -> str | None:
    """Returns what the request shows as its key, None where it shows none."""
    shown = said(scope, b"authorization") or ""
    return shown[len(_BEARER) :].strip() if shown[: len(_BEARER)].lower() == _BEARER else None
