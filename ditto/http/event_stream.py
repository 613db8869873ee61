"""Server-sent events: a job's journal as it is written, with a comment now and then while it is silent.

Only what is journalled has an id: a browser that reconnects names the last one it saw, whatever came after it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ditto.domain.events import Recorded
from ditto.domain.live import Live
from ditto.errors import BadRequest, DittoError
from ditto.http.following import ReaderStalled, event_text, followed, taken
from ditto.http.hang_up import hang_up
from ditto.http.limits import Limits

_log = logging.getLogger(__name__)
_PIECE_BYTES = 64 * 1024


def resumes_after(request: Request, asked: int) -> int:
    """Returns the journal number to go on after.

    A browser that reconnects repeats the address of its first request, so what it saw last counts more than `?after=`.

    Raises:
        BadRequest: `Last-Event-ID` is no journal number.
    """
    seen = request.headers.get("last-event-id", "")
    if not seen:
        return asked
    if not seen.isascii() or not seen.isdecimal() or len(seen) > 15:
        details = [{"path": "Last-Event-ID", "message": "must be the number of an event"}]
        raise BadRequest("a header is wrong", details)
    return int(seen)


class EventStream(Response):
    """Sends the events of one job until it has ended or its reader has gone."""

    media_type = "text/event-stream"

    def __init__(self, job_id: str, events: AsyncIterator[Recorded | Live], limits: Limits) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._job_id = job_id
        self._events = events
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        gone = asyncio.create_task(hang_up(receive))
        try:
            async with aclosing(followed(self._events, gone, self._limits.heartbeat_s)) as told:
                async for event in told:
                    await self._put(send, KEEPALIVE_COMMENT if event is None else self._event(event))
        except (DittoError, ReaderStalled) as error:
            # The answer has begun, so the stream ends early; its reader resumes after the last number it has.
            _log.warning("an event stream was cut off", extra={"job_id": self._job_id, "error": type(error).__name__})
            if isinstance(error, ReaderStalled):
                return
        finally:
            gone.cancel()
        with suppress(ReaderStalled):  # it has been told all
            await taken(send({"type": "http.response.body", "body": b"", "more_body": False}), self._limits.stalled_s)

    async def _put(self, send: Send, chunk: bytes) -> None:
        """Sends piece by piece: the server keeps a whole piece for a reader that does not take it."""
        for begin in range(0, len(chunk), _PIECE_BYTES):
            piece = chunk[begin : begin + _PIECE_BYTES]
            message = {"type": "http.response.body", "body": piece, "more_body": True}
            await taken(send(message), self._limits.stalled_s)

    def _event(self, told: Recorded | Live) -> bytes:
        number = str(told.seq) if isinstance(told, Recorded) else None
        return format_sse_event(data_str=event_text(self._job_id, told), event=told.event.kind, id=number)
