"""One exchange with an ASGI application, message by message: for streams, hang-ups, slow bodies and WebSockets."""

from __future__ import annotations

import asyncio
import json
from types import TracebackType
from typing import Any, Self

from starlette.types import ASGIApp, Message


class Exchange:
    """A request whose client can wait, go on sending, or hang up.

    Args:
        room: So many messages may wait to be read; 0: any number.
    """

    def __init__(
        self, app: ASGIApp, method: str, path: str, headers: dict[str, str] | None = None, *, room: int = 0
    ) -> None:
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
        self._outgoing: asyncio.Queue[Message] = asyncio.Queue(room)
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


class Socket:
    """A WebSocket whose client can read message by message, stop reading, send, or hang up."""

    def __init__(self, app: ASGIApp, path: str, headers: dict[str, str] | None = None) -> None:
        self._app = app
        path, _, query = path.partition("?")
        named = {"host": "ditto", **(headers or {})}
        self._scope: dict[str, Any] = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
            "subprotocols": [],
            "server": ("ditto", 80),
            "client": ("test", 1),
            "scheme": "ws",
            "app": app,
        }
        self._incoming: asyncio.Queue[Message] = asyncio.Queue()
        self._outgoing: asyncio.Queue[Message] = asyncio.Queue()
        self._room = asyncio.Event()
        self._room.set()
        self.handler: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self._incoming.put_nowait({"type": "websocket.connect"})
        self.handler = asyncio.create_task(self._app(self._scope, self._incoming.get, self._put))  # type: ignore[arg-type]  # a coroutine
        assert (await self._outgoing.get())["type"] == "websocket.accept"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.handler.cancel()
        await asyncio.wait({self.handler})

    def send(self, said: Any) -> None:
        """Sends this as JSON, text as it is, bytes as a binary message."""
        match said:
            case bytes():
                self._incoming.put_nowait({"type": "websocket.receive", "bytes": said})
            case str():
                self._incoming.put_nowait({"type": "websocket.receive", "text": said})
            case _:
                self._incoming.put_nowait({"type": "websocket.receive", "text": json.dumps(said)})

    def hang_up(self) -> None:
        self._incoming.put_nowait({"type": "websocket.disconnect", "code": 1001})

    def stop_reading(self) -> None:
        self._room.clear()

    async def received(self) -> Any:
        """Returns the next message, decoded."""
        message = await self._outgoing.get()
        assert message["type"] == "websocket.send", message
        return json.loads(message["text"])

    async def closed(self) -> tuple[list[Any], int, str]:
        """Returns the messages until the close, its code and its reason."""
        messages = []
        while (message := await self._outgoing.get())["type"] == "websocket.send":
            messages.append(json.loads(message["text"]))
        await self.handler
        return messages, message["code"], message["reason"]

    async def _put(self, message: Message) -> None:
        await self._room.wait()
        await self._outgoing.put(message)
