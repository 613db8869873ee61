"""The routes as they are served: FastAPI tells what each takes and answers, and is in no request's way.

It would check arguments, solve dependencies and encode what comes back. Here a handler takes a request and returns its
answer, and so those layers would cost more for each request than all that the handler does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send


class Handler:
    """A handler as an ASGI application; what it raises goes on to the guard."""

    def __init__(self, handle: Callable[[Request], Awaitable[Response]]) -> None:
        self._handle = handle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._handle(Request(scope, receive, send))
        await answer(scope, receive, send)


def served(described: Iterable[BaseRoute]) -> list[BaseRoute]:
    """Returns routes to the same handlers, in the same order.

    Raises:
        TypeError: One is neither a route of FastAPI's nor a WebSocket of its.
    """
    return [_served(route) for route in described]


def _served(described: BaseRoute) -> BaseRoute:
    match described:
        case APIRoute():
            route = Route(described.path, Handler(described.endpoint), name=described.name)
            route.methods = set(described.methods or ())  # given to the constructor, HEAD would come with GET
            return route
        case APIWebSocketRoute():
            return WebSocketRoute(described.path, described.endpoint, name=described.name)
        case _:
            raise TypeError(f"{described!r} is no route that is described")
