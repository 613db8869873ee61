"""WebSocket: the events that the event stream tells, as messages; the client can cancel the job.

A browser lets a page open WebSockets to any host, also to one on loopback, and asks nobody: a page of another origin is
refused. Since browsers show a page neither status nor body of a refused handshake, everything that is wrong is told by
a message in the contract's shape of an error and a close code: 4000 and the HTTP status that it would have been.
"""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import aclosing, suppress
from typing import Any, Never
from urllib.parse import urlsplit

from starlette.websockets import WebSocket, WebSocketDisconnect

from ditto.errors import BadRequest, Forbidden, ServiceError, TooLarge
from ditto.http.door import Door
from ditto.http.following import ReaderStalled, event_text, followed, taken
from ditto.http.responses import error_body, service_error_of

_log = logging.getLogger(__name__)
ENDED = 1000
REFUSED = 4000
"""Added to the HTTP status of what is wrong."""
_HEARTBEAT = json.dumps({"kind": "heartbeat"})
_CANCEL = {"type": "cancel"}
_REASON_BYTES = 123


def check_origin(socket: WebSocket, allowed: frozenset[str]) -> None:
    """Returns where the connection comes from a page of this very service, of an allowed origin, or from no page.

    Raises:
        Forbidden: It comes from a page of another origin.
    """
    origin = socket.headers.get("origin")
    if origin is None or origin in allowed:
        return
    try:
        of_page = urlsplit(origin).netloc
    except ValueError:  # brackets that are no address
        of_page = ""
    if of_page != socket.headers.get("host"):
        raise Forbidden("a page of another origin may not follow jobs (a proxy in front must pass on Host)")


class EventSocket:
    """One connection: tells a job's events until it has ended, and cancels it where the client says so."""

    def __init__(self, socket: WebSocket, door: Door, job_id: str, after: int) -> None:
        self._socket = socket
        self._door = door
        self._job_id = job_id
        self._events = door.service.events(job_id, after)
        self._cancelling: asyncio.Task[Any] | None = None
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._over.add_done_callback(lambda over: over.cancelled() or over.exception())

    async def tell(self) -> None:
        """Returns when the job has ended.

        Raises:
            WebSocketDisconnect: The client has gone.
            ReaderStalled: It takes nothing any more.
            ServiceError: The job cannot be followed, or the client said what is none of its messages.
        """
        listening = asyncio.create_task(self._listen())
        listening.add_done_callback(self._end)
        try:
            async with aclosing(followed(self._events, self._over, self._door.limits.heartbeat_s)) as told:
                async for event in told:
                    text = _HEARTBEAT if event is None else event_text(self._job_id, event)
                    await taken(self._socket.send_text(text), self._door.limits.stalled_s)
            if self._over.done():
                self._over.result()
        finally:
            self._over.cancel()
            listening.cancel()

    async def _listen(self) -> Never:
        """Reads on whatever happens: what a client has sent and nobody reads would be kept for it."""
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", ENDED))
            _check(message, self._door.limits.message_bytes)
            if self._cancelling is None:
                self._cancelling = self._door.background.start(self._door.service.cancel(self._job_id))
                self._cancelling.add_done_callback(self._end)

    def _end(self, done: asyncio.Task[Any]) -> None:
        """Ends the telling where the client has gone or is wrong, or where its job could not be cancelled."""
        if not done.cancelled() and (error := done.exception()) is not None and not self._over.done():
            self._over.set_exception(error)


async def refuse(socket: WebSocket, error: Exception) -> None:
    """Tells what is wrong and closes, where the client is still there."""
    if isinstance(error, WebSocketDisconnect):
        return
    if isinstance(error, ReaderStalled):
        _log.warning("a reader of events has stalled")
        return
    known = service_error_of(error)
    with suppress(WebSocketDisconnect, RuntimeError):
        await socket.send_text(json.dumps(error_body(known)))
    await close(socket, REFUSED + known.status, str(known))


async def close(socket: WebSocket, code: int, reason: str) -> None:
    """Closes with as much of the reason as a close frame holds, where the client is still there."""
    with suppress(WebSocketDisconnect, RuntimeError):  # the latter where the server has given it up
        await socket.close(code, reason.encode()[:_REASON_BYTES].decode(errors="ignore"))


def _check(message: Any, limit_bytes: int) -> None:
    """Raises `ServiceError` where a message does not say that the job is to be cancelled."""
    text = message.get("text")
    if text is None:
        raise _no_message("is binary, not text")
    if len(text) > limit_bytes:
        raise TooLarge(f"the message is above the limit of {limit_bytes} bytes", {"limitBytes": limit_bytes})
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if said != _CANCEL:
        raise _no_message('is not {"type": "cancel"}, the only one there is')


def _no_message(why: str) -> ServiceError:
    return BadRequest("the message is wrong", [{"path": "", "message": why}])
