"""A job followed by a reader: its events as they come, a sign of life in each pause, and no waiting for who stalls.

What is not journalled (replies while they are written) comes between the events, and has no number.

One source, two framings: server-sent events and WebSocket. What a reader has not taken is not kept for it beyond one
read of the journal; who takes nothing for a while is let go, and may come back and go on after the last number it has.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from typing import Any

from ditto.domain.event_view import render_event
from ditto.domain.events import Recorded
from ditto.domain.live import Live


class ReaderStalled(Exception):
    """The reader takes nothing any more."""


async def followed(
    events: AsyncIterator[Recorded | Live], over: asyncio.Future[None], silence_s: float
) -> AsyncGenerator[Recorded | Live | None, None]:
    """Yields each event as it comes, and None after each pause without one, until the job has ended.

    Args:
        over: Done when the reader wants no more; there is no other way to know it.
    """
    coming = asyncio.ensure_future(anext(events))
    try:
        while True:
            waited: set[asyncio.Future[Any]] = {coming, over}
            await asyncio.wait(waited, timeout=silence_s, return_when=asyncio.FIRST_COMPLETED)
            if coming.done():
                try:
                    told = coming.result()
                except StopAsyncIteration:
                    return
                yield told
                coming = asyncio.ensure_future(anext(events))
            elif over.done():
                return
            else:
                yield None
    finally:
        coming.cancel()
        await asyncio.wait({coming})
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()


def event_text(job_id: str, told: Recorded | Live) -> str:
    """Returns the event as one line of JSON, in ASCII."""
    return json.dumps(render_event(job_id, told), ensure_ascii=True, separators=(",", ":"))


async def taken(sending: Awaitable[None], within_s: float) -> None:
    """Returns when the connection has room for the next piece.

    Raises:
        ReaderStalled: It has had none for so long.
    """
    try:
        async with asyncio.timeout(within_s):
            await sending
    except TimeoutError:
        raise ReaderStalled from None
