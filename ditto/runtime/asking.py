"""A process's line to a holder: under load jobs go out gathered, and what came of them comes back by a long poll.

Between two nodes a message costs both sides together a millisecond of CPU, which is as much as most jobs take. So where
many jobs are under way, the next ones gather while one message is on its way, and their ends gather for the one that is
always open. On one node they go out one by one, over a channel. The holder keeps what came of a job until the line says
that it has seen it. When the holder is gone all who wait are told so, and nothing is sent again: the journal knows what
has become of their jobs.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Protocol

from ditto.domain.job import Job
from ditto.domain.spec import JobSpec
from ditto.errors import DittoError, HolderGone, InternalError
from ditto.runtime.listening import heard
from ditto.store.port import Claim

log = logging.getLogger("ditto.asking")

FEW = 24
"""Up to so many jobs under way go out each by itself: that is quicker where there is little to gather."""
POLL_S = 30.0
FORGET_S = 90.0
"""A line that has not been heard of for so long is gone, with whoever waited there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A job that is to be accepted."""

    job_id: str
    spec: JobSpec
    claim: Claim | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What came of a job: itself, when it had ended or had been waited for, or why it was not accepted."""

    number: int
    job_id: str
    result: Job | DittoError


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What came, and the epoch of the instance that says so: another one knows nothing of what this one was asked."""

    epoch: int
    came: list[Came]


class AskedPort(Protocol):
    """A holder in another process. Every method may raise `HolderGone`."""

    async def accept_one(self, job_id: str, spec: JobSpec, claim: Claim | None, wait_s: float) -> Job: ...

    async def accept_all(self, line: str, asked: list[Asked], wait_s: float) -> int: ...

    async def came(self, line: str, seen: int, wait_s: float) -> Heard: ...


class Asking:
    """The line of one process to one holder.

    Args:
        new_id: Mints a name for the line, which the holder knows it by.
        few: Up to so many jobs under way go out each by itself.
    """

    def __init__(self, port: AskedPort, new_id: Callable[[], str], *, few: int = FEW) -> None:
        self._port = port
        self._new_id = new_id
        self._few = few
        self._alone = 0
        self._unsent: list[Asked] = []
        self._waiting: dict[str, asyncio.Future[Job]] = {}
        self._line = new_id()
        self._epoch: int | None = None
        self._seen = 0
        self._sender: asyncio.Task[None] | None = None
        self._poller: asyncio.Task[None] | None = None

    async def accept(self, job_id: str, spec: JobSpec, claim: Claim | None, wait_s: float) -> Job:
        """Returns the job, and raises, as the holder's `accept` does."""
        if wait_s != POLL_S or self._alone + len(self._waiting) < self._few or job_id in self._waiting:
            self._alone += 1
            try:
                return await self._port.accept_one(job_id, spec, claim, wait_s)
            finally:
                self._alone -= 1
        came: asyncio.Future[Job] = asyncio.get_running_loop().create_future()
        self._waiting[job_id] = came
        self._unsent.append(Asked(job_id=job_id, spec=spec, claim=claim))
        self._wake()
        try:
            return await came
        finally:
            self._waiting.pop(job_id, None)
            if not self._waiting and self._poller is not None:
                self._poller.cancel()

    def _wake(self) -> None:
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send())
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())

    async def _send(self) -> None:
        while self._unsent:
            asked, self._unsent = self._unsent, []
            try:
                self._saw(await heard(self._port.accept_all(self._line, asked, POLL_S), 0.0))
            except DittoError as error:
                for each in asked:
                    self._settle(each.job_id, error)

    async def _poll(self) -> None:
        while self._waiting:
            line = self._line
            try:
                told = await heard(self._port.came(line, self._seen, POLL_S), POLL_S)
            except DittoError as error:
                self._break_off(error)
                continue
            if line == self._line and self._saw(told.epoch):
                for each in told.came:
                    self._settle(each.job_id, each.result)
                    self._seen = each.number

    def _saw(self, epoch: int) -> bool:
        """Notes the holder's instance; returns False where it is another one, which nobody here waits for."""
        if self._epoch not in (None, epoch):
            self._break_off(HolderGone("the holder has been begun anew"))
            return False
        self._epoch = epoch
        return True

    def _break_off(self, error: DittoError) -> None:
        """Has all who wait look for their jobs elsewhere; nobody waits for what is kept under the line's old name."""
        self._line, self._epoch, self._seen = self._new_id(), None, 0
        self._unsent.clear()
        for job_id in list(self._waiting):
            self._settle(job_id, error)

    def _settle(self, job_id: str, result: Job | DittoError) -> None:
        waiting = self._waiting.pop(job_id, None)
        if waiting is None or waiting.done():
            return  # whoever asked has gone
        if isinstance(result, DittoError):
            waiting.set_exception(result)
        else:
            waiting.set_result(result)


@dataclass(slots=True)
class _Desk:
    """What one line has to be told, by number. `news` is set while there is something that it has not seen."""

    heard_at: float
    kept: dict[int, Came] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)


class Desks:
    """The holder's end of all lines.

    Args:
        accept: Accepts a job, waits for it, and returns it.
        own: Runs something until it is done or the holder closes.
    """

    def __init__(
        self,
        accept: Callable[[str, JobSpec, Claim | None, float], Awaitable[Job]],
        own: Callable[[Coroutine[None, None, None]], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._accept = accept
        self._own = own
        self._clock = clock
        self._numbers = itertools.count(1)
        """Of all desks together: a line whose desk was forgotten says how far it has seen, and must miss nothing."""
        self._desks: dict[str, _Desk] = {}

    def accept_all(self, line: str, asked: list[Asked], wait_s: float) -> None:
        """Begins to accept these jobs."""
        self._tidy()
        desk = self._desk(line)
        for each in asked:
            self._own(self._one(desk, each, wait_s))

    async def came(self, line: str, seen: int, wait_s: float) -> list[Came]:
        """Returns what came behind number `seen`, waiting for the first of it up to `wait_s`."""
        desk = self._desk(line)
        desk.kept = {number: came for number, came in desk.kept.items() if number > seen}
        if not desk.kept:
            desk.news.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await desk.news.wait()
            except TimeoutError:
                pass
            desk.heard_at = self._clock()
        return [came for number, came in desk.kept.items() if number > seen]

    async def _one(self, desk: _Desk, asked: Asked, wait_s: float) -> None:
        result: Job | DittoError
        try:
            result = await self._accept(asked.job_id, asked.spec, asked.claim, wait_s)
        except DittoError as error:
            result = error
        except Exception as error:  # who waits must hear of it, whatever Ditto stumbled on
            log.exception("job not accepted", extra={"job_id": asked.job_id})
            result = InternalError(f"accepting a job failed: {type(error).__name__}; the log says more", None)
        number = next(self._numbers)
        desk.kept[number] = Came(number=number, job_id=asked.job_id, result=result)
        desk.news.set()

    def _desk(self, line: str) -> _Desk:
        now = self._clock()
        desk = self._desks.setdefault(line, _Desk(heard_at=now))
        desk.heard_at = now
        return desk

    def _tidy(self) -> None:
        before = self._clock() - FORGET_S
        for line in [line for line, desk in self._desks.items() if desk.heard_at < before]:
            del self._desks[line]
