"""What a waiting client's hang-up does to its job: nothing, unless the request says that it cancels.

Serve cancels the handler when the client hangs up, other servers only tell it. Work that has been begun therefore
runs in tasks of the application: the handler waits for them and can be cancelled at any moment.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
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


async def ask(service: ServicePort, asked: Request, receive: Receive, background: Background) -> Job:
    """Returns the job when it has ended.

    Raises:
        ClientDisconnect: The client has hung up, and the job is being cancelled as the request said.
    """
    if asked.on_disconnect != "cancel":
        return (await asyncio.shield(background.start(service.ask(asked)))).job
    accepted = background.start(service.submit(asked))
    ended = background.start(_end(service, accepted))
    gone = asyncio.create_task(hang_up(receive))
    try:
        await asyncio.wait({ended, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            raise ClientDisconnect
        return ended.result()
    finally:
        gone.cancel()
        if not ended.done():
            ended.add_done_callback(_heard)
            background.start(_cancel(service, accepted))


def _heard(ended: asyncio.Task[Job]) -> None:
    """Takes note of an error that nobody waits for any more, so that it is not reported as forgotten."""
    if not ended.cancelled():
        ended.exception()


async def _end(service: ServicePort, accepted: asyncio.Task[Submitted]) -> Job:
    return await service.wait((await accepted).job.id)


async def _cancel(service: ServicePort, accepted: asyncio.Task[Submitted]) -> None:
    """Cancels the job that this client began; one that an idempotency key led to may be waited for by others."""
    try:
        submitted = await accepted
        if submitted.created:
            await service.cancel(submitted.job.id)
    except DittoError as error:
        _log.warning("a job was not cancelled after a hang-up", extra={"error": type(error).__name__})
