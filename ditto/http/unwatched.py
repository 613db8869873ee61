"""Serve is told not to watch for a hang-up in a POST: what that begins goes on, and who waits for it listens himself.

For each request it would else begin two tasks, one of which reads on into a queue: a body that is refused would lie in
memory, however large, where the server holds it back as long as nobody reads. A GET that waits hears of a hang-up by
being cancelled, and so stays watched.
"""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

LAYERS = {"RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": f"{__name__}.layers"}
"""The variable by which a replica finds the layers around it; what a cluster says there itself does not count here."""
_UNWATCHED = (b"x-request-disconnect-disabled", b"?1")


class Unwatched:
    """Tells Serve so."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            kept = [header for header in scope["headers"] if header[0] != _UNWATCHED[0]]
            scope["headers"] = [*kept, _UNWATCHED] if scope["method"] == "POST" else kept
        await self._app(scope, receive, send)


def layers() -> list[Middleware]:
    """Returns what stands before Serve's own part of a replica."""
    return [Middleware(Unwatched)]
