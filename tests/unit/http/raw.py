"""One exchange with an ASGI application, message by message: for streams, hang-ups and slow bodies."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

from starlette.types import ASGIApp, Message


class Exchange:
    """A request whose client can wait, go on sending, or hang up."""

    def __init__(self, app: ASGIApp, method: str, path: str, headers: dict[str, str] | None = None) -> None:
        self._app = app
        self._scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
            "server": ("ditto", 80),
            "client": ("test", 1),
            "scheme": "http",
            "app": app,
        }
        self._incoming: asyncio.Queue[Message] = asyncio.Queue()
        self._outgoing: asyncio.Queue[Message] = asyncio.Queue()
        self.handler: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self.handler = asyncio.create_task(self._app(self._scope, self._incoming.get, self._outgoing.put))  # type: ignore[arg-type]  # a coroutine
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.handler.cancel()
        await asyncio.wait({self.handler})

    def send(self, body: bytes, *, more: bool = False) -> None:
        self._incoming.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def hang_up(self) -> None:
        self._incoming.put_nowait({"type": "http.disconnect"})

    @property
    def unread(self) -> int:
        """How many of the sent messages the application has not taken."""
        return self._incoming.qsize()

    async def received(self) -> Message:
        return await self._outgoing.get()

    async def status(self) -> int:
        message = await self.received()
        assert message["type"] == "http.response.start"
        status: int = message["status"]
        return status
