"""Server-sent events: a job's journal as it is written, with a comment now and then while it is silent."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ditto.domain.event_view import render_event
from ditto.domain.events import Recorded
from ditto.errors import BadRequest, DittoError
from ditto.http.hang_up import hang_up

_log = logging.getLogger(__name__)


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
    """Sends the events of one job until it has ended or the client has hung up."""

    media_type = "text/event-stream"

    def __init__(self, job_id: str, events: AsyncIterator[Recorded], heartbeat_s: float) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._job_id = job_id
        self._events = events
        self._heartbeat_s = heartbeat_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        gone = asyncio.create_task(hang_up(receive))
        try:
            async for chunk in self._chunks(gone):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except DittoError as error:
            # The answer has begun, so the stream ends early; its reader resumes after the last number it has.
            _log.warning("an event stream was cut off", extra={"job_id": self._job_id, "error": type(error).__name__})
        finally:
            gone.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _chunks(self, gone: asyncio.Task[None]) -> AsyncIterator[bytes]:
        coming = asyncio.ensure_future(anext(self._events))
        try:
            while True:
                await asyncio.wait({coming, gone}, timeout=self._heartbeat_s, return_when=asyncio.FIRST_COMPLETED)
                if coming.done():
                    try:
                        recorded = coming.result()
                    except StopAsyncIteration:
                        return
                    yield self._event(recorded)
                    coming = asyncio.ensure_future(anext(self._events))
                elif gone.done():
                    return
                else:
                    yield KEEPALIVE_COMMENT
        finally:
            coming.cancel()
            await asyncio.wait({coming})
            close = getattr(self._events, "aclose", None)
            if close is not None:
                await close()

    def _event(self, recorded: Recorded) -> bytes:
        data = json.dumps(render_event(self._job_id, recorded), ensure_ascii=True, separators=(",", ":"))
        return format_sse_event(data_str=data, event=recorded.event.kind, id=str(recorded.seq))
