"""The guard around the gate and the routes: whatever is raised behind it is told in the contract's shape.

What nobody foresaw is told as a 500 that names an id, and the rest of it is logged under that id.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ditto.http import responses


class Guard:
    """Answers what was raised; a WebSocket's handler does so itself.

    Args:
        linger_s: How long the rest of a refused body is read, so that its sender gets to the answer.
    """

    def __init__(self, app: ASGIApp, linger_s: float) -> None:
        self._app = app
        self._linger_s = linger_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True  # every answer begins with its head
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            return
        except Exception as error:  # the last place where an answer can still be given
            answer = self._answer(error, Request(scope))
            if started:
                raise
            await answer(scope, receive, send)

    def _answer(self, error: Exception, request: Request) -> Response:
        if not isinstance(error, HTTPException):
            return responses.respond(request, responses.service_error_of(error), self._linger_s)
        answer = responses.respond(request, responses.of_framework(request, error), self._linger_s)
        answer.headers.update(error.headers or {})
        if error.status_code == 405:
            answer.headers["allow"] = ", ".join(_methods(request))
        return answer


def _methods(request: Request) -> list[str]:
    """Returns the methods that this path takes; the framework names those of one of its routes."""
    taken: set[str] = set()
    for route in request.app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            taken |= getattr(route, "methods", None) or set()
    return sorted(taken)
