"""What a waiting client's hang-up does to its job: nothing, unless the request says that it cancels.

Servers tell a handler that its client has hung up, and Serve cancels it (but for a POST, see `unwatched`). So work that
has been begun runs in tasks of the application: the handler waits for them and can be cancelled at any moment.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import Future
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from ditto.domain.job import Job
from ditto.domain.request import Request
from ditto.errors import DittoError
from ditto.runtime.service import ServicePort, Submitted

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Background:
    """The tasks that outlive the handlers that started them; none outlives the application."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Returns the task that does this work."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def hang_up(receive: Receive) -> None:
    """Returns when the client has gone. The body must have been read, or be none."""
    while (await receive())["type"] != "http.disconnect":
        pass


class Line:
    """The line to a client that waits: it may hang up, and may want to hear now and then that it is not forgotten.

    Args:
        silence_s: The pause after which `on_silence` is called, again and again; None: never.
    """

    def __init__(
        self, receive: Receive, silence_s: float | None = None, on_silence: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self._receive = receive
        self._silence_s = silence_s
        self._on_silence = on_silence
        self._gone: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self._gone = asyncio.create_task(hang_up(self._receive))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gone.cancel()

    async def until(self, work: Awaitable[T]) -> T:
        """Returns what comes of the work, which is cancelled where nobody waits for it any more.

        Raises:
            ClientDisconnect: The client has hung up.
        """
        working = asyncio.ensure_future(work)
        try:
            while True:
                waited = {working, self._gone}
                await asyncio.wait(waited, timeout=self._silence_s, return_when=asyncio.FIRST_COMPLETED)
                if working.done():
                    return working.result()
                if self._gone.done():
                    raise ClientDisconnect
                if self._on_silence is not None:
                    await self._on_silence()
        finally:
            if not working.done():
                working.cancel()
                await asyncio.wait({working})


@asynccontextmanager
async def begun(
    service: ServicePort, asked: Request, background: Background, *, live: bool = False
) -> AsyncIterator[Future[Submitted]]:
    """Yields the acceptance of the job; a hang-up in the block cancels it, where the request says so.

    Args:
        live: Whether its replies are followed while they are written.
    """
    accepted = background.start(service.submit(asked, live=live))
    try:
        yield asyncio.shield(accepted)
    except (ClientDisconnect, asyncio.CancelledError, OSError):
        if asked.on_disconnect == "cancel":
            background.start(_cancel(service, accepted))
        raise


async def ask(
    service: ServicePort, asked: Request, receive: Receive, background: Background, listens_after_s: float
) -> Job:
    """Returns the job when it has ended.

    Args:
        listens_after_s: Where a hang-up changes nothing for the job, it is listened for after so long: most answers are
            there before, and a task is what it would cost each of them.

    Raises:
        ClientDisconnect: The client has hung up, and the job is being cancelled or goes on, as the request said.
    """
    if asked.on_disconnect != "cancel":
        asking = background.start(service.ask(asked))
        try:
            await asyncio.wait([asking], timeout=listens_after_s)
        except asyncio.CancelledError:
            asking.add_done_callback(_take_error)
            raise
        if not asking.done():
            async with Line(receive) as line:
                await line.until(asyncio.shield(asking))
        return asking.result().job
    async with begun(service, asked, background) as accepted, Line(receive) as line:
        return await line.until(service.wait((await line.until(accepted)).job.id))


def _take_error(asking: asyncio.Task[Submitted]) -> None:
    """Takes the error that nobody is left to be told of."""
    if not asking.cancelled():
        asking.exception()


async def _cancel(service: ServicePort, accepted: asyncio.Task[Submitted]) -> None:
    """Cancels the job that this client began; one that an idempotency key led to may be waited for by others."""
    try:
        submitted = await accepted
        if submitted.created:
            await service.cancel(submitted.job.id)
    except DittoError as error:
        _log.warning("a job was not cancelled after a hang-up", extra={"error": type(error).__name__})
