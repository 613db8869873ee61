"""A holder of jobs: the plain class behind a job's own actor and behind a shared host, which differ in number alone.

It has a name and, for each time it is started, a later epoch. It accepts jobs, runs them, answers who asks for them,
and after a crash goes on with those that the journal says are its own. While it holds jobs it renews its lease.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from ditto.domain import events as ev
from ditto.domain.events import Recorded
from ditto.domain.job import Job, fold
from ditto.domain.spec import JobSpec
from ditto.errors import (
    AppendConflict,
    HolderGone,
    IllegalMove,
    SpareTaken,
    StaleEpoch,
    StoreError,
    StoreUnavailable,
)
from ditto.runtime.calling import CallerPort, Lines
from ditto.runtime.orders import Outcome
from ditto.runtime.runner import Clock, JobRunner, first_events, numbered, persistently, utc_now
from ditto.store.port import Append, Claim, Journal

log = logging.getLogger("ditto.host")

PREFIX = "job:"
"""A job's own actor is named by it; any other holder is shared."""


@dataclass(slots=True)
class _Held:
    """A job that this holder runs. `news` is replaced each time it is set."""

    runner: JobRunner
    records: list[Recorded]
    ended: asyncio.Future[Job]
    news: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStatus:
    """`used` tells whether this holder has ever held a job."""

    name: str
    epoch: int
    open_jobs: int
    used: bool
    pid: int


class Host:
    """Holds jobs.

    Args:
        name: The actor's name: `job:<id>` for one job's own, anything else for many.
        ended: Called when a job's own actor has nothing more to do.
    """

    def __init__(
        self,
        name: str,
        *,
        journal: Journal,
        callers: Mapping[str, CallerPort],
        new_id: Callable[[], str],
        lease_s: float,
        ended: Callable[[], None] = lambda: None,
        clock: Clock = utc_now,
        pid: int = 0,
    ) -> None:
        self._name = name
        self._own_job = name.startswith(PREFIX)
        self._journal = journal
        self._callers = callers
        self._new_id = new_id
        self._lease_s = lease_s
        self._ended = ended
        self._clock = clock
        self._pid = pid
        self._epoch = 0
        self._held: dict[str, _Held] = {}
        self._accepting: set[str] = set()
        self._used = False
        self._replaced = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._lease: asyncio.Task[None] | None = None
        self._started = asyncio.Event()
        self._lines: Lines

    async def start(self) -> None:
        """Begins an epoch and goes on with the jobs that an earlier instance has not finished."""
        self._epoch = await self._journal.begin_epoch(self._name)
        self._lines = Lines(
            self._callers, holder=self._name, epoch=self._epoch, deliver=self._deliver, replaced=self._step_down
        )
        await self._adopt_all(await self._journal.held(self._name))
        self._started.set()

    async def status(self) -> HostStatus:
        """Returns what this holder does, once it has started."""
        await self._started.wait()
        return HostStatus(name=self._name, epoch=self._epoch, open_jobs=len(self._held), used=self._used, pid=self._pid)

    async def accept(self, job_id: str, spec: JobSpec, claim: Claim | None) -> Job:
        """Returns the job, accepted for good: it will end, whatever happens to this process.

        Raises:
            KeyTaken: The claim names another job; this one was not begun.
            SpareTaken: This is another job's own actor.
            StoreUnavailable: Nothing was begun.
        """
        await self._begin(job_id)
        events = first_events(job_id, spec, self._name, self._lines.pick(job_id), self._clock)
        append = Append(job_id=job_id, id=self._new_id(), after=0, events=events, claim=claim)
        self._accepting.add(job_id)
        try:
            await self._journal.append(append)
        except AppendConflict:
            return fold(job_id, await self._journal.read(job_id))
        except BaseException:
            self._used = not self._own_job
            raise
        finally:
            self._accepting.discard(job_id)
        self._run(job_id, list(numbered(append)))
        return self._held[job_id].runner.job

    async def adopt(self, job_id: str) -> None:
        """Takes over a job whose holder is gone; does nothing if it has ended or somebody else was quicker."""
        await self._started.wait()
        await self._adopt(job_id)

    async def wait(self, job_id: str, timeout_s: float) -> Job:
        """Returns the job when it has ended, or as it stands after `timeout_s`.

        Raises:
            HolderGone: The job is not here: the journal knows where.
        """
        held = await self._holding(job_id)
        await asyncio.wait([held.ended], timeout=timeout_s)
        return held.ended.result() if held.ended.done() else held.runner.job

    async def events(self, job_id: str, after: int, wait_s: float) -> list[Recorded]:
        """Returns the events behind number `after`, waiting for the first of them up to `wait_s`.

        Raises:
            HolderGone: The job is not here: the journal knows where.
        """
        held = await self._holding(job_id)
        if len(held.records) <= after:
            try:
                async with asyncio.timeout(wait_s):
                    await held.news.wait()
            except TimeoutError:
                pass
        return held.records[after:]

    async def cancel(self, job_id: str) -> Job:
        """Ends the job without a verdict and returns it.

        Raises:
            HolderGone: The job is not here: the journal knows where.
        """
        held = await self._holding(job_id)
        held.runner.cancel()
        return await asyncio.shield(held.ended)

    async def close(self) -> None:
        """Stops without ending any job: whoever holds them next goes on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._started.is_set():
            await self._lines.close()

    async def _begin(self, job_id: str) -> None:
        await self._started.wait()
        if self._replaced:
            raise HolderGone(f"{self._name} has been replaced")
        if self._own_job and self._used:
            raise SpareTaken(f"{self._name} already holds a job")
        self._used = True
        self._hold_lease()

    async def _holding(self, job_id: str) -> _Held:
        await self._started.wait()
        if job_id not in self._held and job_id not in self._accepting:
            row = await self._journal.row(job_id)
            if row is not None and row.holder == self._name and not row.state.ended:
                await self._adopt(job_id)
        held = self._held.get(job_id)
        if held is None:
            raise HolderGone(f"{self._name} does not hold job {job_id}")
        return held

    async def _adopt_all(self, job_ids: list[str]) -> None:
        """Goes on with these jobs; one that cannot be read holds no other up."""
        for job_id in job_ids:
            try:
                await self._adopt(job_id)
            except (IllegalMove, StoreError) as error:
                log.error("job not adopted", extra={"job_id": job_id, "reason": str(error)})

    async def _adopt(self, job_id: str) -> None:
        """Takes a job over, unless it is here already or a later instance of this very holder has begun."""
        if job_id in self._held:
            return
        await self._renew()
        if self._replaced:
            return
        records = await self._journal.read(job_id)
        job = fold(job_id, records)
        if job.state.ended:
            return
        event = ev.JobAdopted(holder=self._name, epoch=self._epoch)
        append = Append(job_id=job_id, id=self._new_id(), after=job.seq, events=((self._clock(), event),))
        try:
            await self._journal.append(append)
        except AppendConflict:
            return
        log.info("job adopted", extra={"job_id": job_id, "holder": self._name, "epoch": self._epoch})
        self._used = True
        self._run(job_id, [*records, *numbered(append)])

    def _run(self, job_id: str, records: list[Recorded]) -> None:
        runner = JobRunner(
            fold(job_id, records),
            journal=self._journal,
            calls=self._lines,
            told=lambda job, new: self._tell(job_id, new),
            new_id=self._new_id,
            clock=self._clock,
        )
        ended: asyncio.Future[Job] = asyncio.get_running_loop().create_future()
        ended.add_done_callback(lambda future: future.cancelled() or future.exception())
        self._held[job_id] = _Held(runner=runner, records=records, ended=ended)
        self._hold_lease()
        self._own(self._finish(job_id))

    def _own(self, coroutine: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _finish(self, job_id: str) -> None:
        held = self._held[job_id]
        try:
            held.ended.set_result(await held.runner.run())
        except AppendConflict:
            self._lines.forget(held.runner.outstanding())
            held.ended.set_exception(HolderGone(f"job {job_id} has been taken over from {self._name}"))
        except Exception:
            log.exception("job failed inside Ditto", extra={"job_id": job_id})
            self._lines.forget(held.runner.outstanding())
            await self._fail(job_id, held)
        finally:
            self._held.pop(job_id, None)
            held.news.set()
        if self._own_job:
            self._ended()

    async def _fail(self, job_id: str, held: _Held) -> None:
        """Ends a job on which Ditto itself stumbled: a bug, not a model's failure."""
        job = held.runner.job
        event = ev.JobFailed(type="InternalError", message=f"Ditto failed on this job; its log names {job_id}")
        append = Append(job_id=job_id, id=self._new_id(), after=job.seq, events=((self._clock(), event),))
        try:
            await persistently(self._journal, append)
        except AppendConflict:
            held.ended.set_exception(HolderGone(f"job {job_id} has been taken over from {self._name}"))
        else:
            held.ended.set_result(fold(job_id, [*held.records, *numbered(append)]))

    def _tell(self, job_id: str, new: tuple[Recorded, ...]) -> None:
        held = self._held[job_id]
        held.records.extend(new)
        news, held.news = held.news, asyncio.Event()
        news.set()

    def _deliver(self, outcome: Outcome) -> None:
        held = self._held.get(outcome.order_id.partition("/")[0])
        if held is not None:
            held.runner.deliver(outcome)

    def _hold_lease(self) -> None:
        if self._lease is None or self._lease.done():
            self._lease = self._own(self._keep_lease())

    async def _keep_lease(self) -> None:
        """Renews the lease while there are jobs, and finds any that the journal says are here and are not."""
        while True:
            await self._renew()
            await asyncio.sleep(self._lease_s / 3)
            if not self._held and not self._accepting:
                return
            try:
                named = await self._journal.held(self._name)
            except StoreUnavailable:
                continue
            await self._adopt_all([job_id for job_id in named if job_id not in self._accepting])

    async def _renew(self) -> None:
        try:
            await self._journal.renew(self._name, self._epoch, self._clock() + timedelta(seconds=self._lease_s))
        except StaleEpoch:
            self._step_down()
        except StoreUnavailable:
            log.warning("lease not renewed", extra={"holder": self._name})

    def _step_down(self) -> None:
        """Stops everything: a later instance of this holder goes on with its jobs."""
        self._replaced = True
        for task in self._tasks:
            task.cancel()
        for job_id, held in self._held.items():
            if not held.ended.done():
                held.ended.set_exception(HolderGone(f"job {job_id} has been taken over from {self._name}"))
        self._held.clear()
