"""A holder of jobs: the plain class behind a job's own actor and behind a shared host, which differ in number alone.

It has a name and, for each time it is started, a later epoch. It accepts jobs, runs them, answers who asks for them,
and after a crash goes on with those that the journal says are its own. While it holds jobs it renews its lease. It
runs so many at once; beyond that jobs wait, and beyond that they are refused.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ditto.domain import events as ev
from ditto.domain.events import Event, Recorded
from ditto.domain.job import Job, JobState, fold
from ditto.domain.spec import JobSpec
from ditto.domain.stalling import Handling, handling
from ditto.errors import (
    AppendConflict,
    Conflict,
    HolderGone,
    IllegalMove,
    RateLimited,
    SpareTaken,
    StoreError,
    StoreUnavailable,
    Unavailable,
)
from ditto.runtime.calling import CallerPort, Lines
from ditto.runtime.lease import Lease
from ditto.runtime.orders import Outcome
from ditto.runtime.runner import (
    Clock,
    JobRunner,
    first_events,
    numbered,
    persistently,
    reading,
    retry_events,
    utc_now,
)
from ditto.runtime.waiting import WaitingRoom
from ditto.store.port import Append, Claim, JobRow, Journal

log = logging.getLogger("ditto.host")

PREFIX = "job:"
"""A job's own actor is named by it; any other holder is shared."""
PROBATION_S = 0.1
"""A suspect that has done no harm in so long does none: what it was to do at once is done."""
LOOK_S = 1.0
_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """How many jobs one holder runs at once, and how many may wait."""

    running: int = 1000
    waiting: int = 10_000


@dataclass(slots=True)
class _Held:
    """A job that this holder runs. `news` is replaced each time it is set."""

    runner: JobRunner
    records: list[Recorded]
    ended: asyncio.Future[Job]
    news: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStatus:
    """`used` tells whether this holder has ever held a job; `open_jobs` counts those that wait as well."""

    name: str
    epoch: int
    open_jobs: int
    used: bool
    pid: int
    version: str


class Host:
    """Holds jobs.

    Args:
        name: The actor's name: `job:<id>` for one job's own, anything else for many.
        ended: Called when a job's own actor has nothing more to do.
        isolate: Called with a job that must be taken up by an actor of its own.
        version: Of the code that runs here.
    """

    def __init__(
        self,
        name: str,
        *,
        journal: Journal,
        callers: Mapping[str, CallerPort],
        new_id: Callable[[], str],
        lease_s: float,
        capacity: Capacity = Capacity(),
        ended: Callable[[], None] = lambda: None,
        isolate: Callable[[str], None] = lambda job_id: None,
        clock: Clock = utc_now,
        pid: int = 0,
        version: str = VERSION,
    ) -> None:
        self._name = name
        self._own_job = name.startswith(PREFIX)
        self._journal = journal
        self._callers = callers
        self._new_id = new_id
        self._capacity = capacity
        self._ended = ended
        self._isolate = isolate
        self._clock = clock
        self._pid = pid
        self._version = version
        self._lease = Lease(journal, name, length_s=lease_s, replaced=self._step_down, clock=clock)
        self._held: dict[str, _Held] = {}
        self._beginning: set[str] = set()
        self._queueing: set[str] = set()
        self._waiting = WaitingRoom()
        self._fresh: set[str] = set()
        self._suspects = WaitingRoom()
        self._used = False
        self._draining = False
        self._replaced = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._keeping: asyncio.Task[None] | None = None
        self._started = asyncio.Event()
        self._lines: Lines

    async def start(self) -> None:
        """Begins an epoch and goes on with the jobs that an earlier instance has not finished.

        Raises:
            StoreUnavailable: The journal cannot be used; nothing was begun, and it may be tried again.
        """
        await self._lease.begin()
        self._lines = Lines(
            self._callers, holder=self._name, epoch=self._lease.epoch, deliver=self._deliver, replaced=self._step_down
        )
        await self._take_up(await self._journal.held(self._name))
        self._started.set()

    async def status(self) -> HostStatus:
        """Returns what this holder does, once it has started."""
        await self._started.wait()
        here = len(self._held) + len(self._beginning) + len(self._waiting) + len(self._suspects)
        return HostStatus(
            name=self._name,
            epoch=self._lease.epoch,
            open_jobs=here,
            used=self._used,
            pid=self._pid,
            version=self._version,
        )

    async def accept(self, job_id: str, spec: JobSpec, claim: Claim | None) -> Job:
        """Returns the job, accepted for good: it will end, whatever happens to this process.

        Raises:
            KeyTaken: The claim names another job; this one was not begun.
            SpareTaken: This is another job's own actor.
            RateLimited: As many jobs run and wait here as may.
            Unavailable: This holder is draining.
            StoreUnavailable: Nothing was begun.
        """
        await self._admit()
        begins = self._room()
        events = first_events(job_id, spec, self._name, self._lines.pick(job_id), self._clock)
        append = Append(
            job_id=job_id, id=self._new_id(), after=0, events=events if begins else events[:1], claim=claim
        )
        accepting = self._beginning if begins else self._queueing
        accepting.add(job_id)
        try:
            await self._journal.append(append)
        except AppendConflict:
            return fold(job_id, await self._journal.read(job_id))
        except BaseException:
            self._used = not self._own_job
            raise
        finally:
            accepting.discard(job_id)
        if begins:
            self._run(job_id, list(numbered(append)))
            return self._held[job_id].runner.job
        self._fresh.add(job_id)
        self._waiting.add(job_id, spec.deadline_at)
        self._hold_lease()
        return fold(job_id, numbered(append))

    async def adopt(self, job_id: str) -> None:
        """Takes over a job whose holder is gone; does nothing if it has ended or somebody else was quicker."""
        await self._started.wait()
        await self._lease.renew()
        await self._adopt(job_id)

    async def retry(self, job_id: str) -> Job:
        """Asks the failed models of a job that has ended once more and returns the job as it then stands.

        A job of which no model has failed is returned as it is. It gets as much time as it had been given at first.

        Raises:
            Conflict: The job runs, or was cancelled.
            RateLimited: As many jobs run here as may.
            Unavailable: This holder is draining.
        """
        await self._admit()
        records = await self._journal.read(job_id)
        job = fold(job_id, records)
        if not job.state.ended or job.state is JobState.CANCELLED:
            raise Conflict(f"job {job_id} is {job.state}: only one that is complete or failed can be retried", None, job_id)
        if job.state is JobState.COMPLETE and not job.failures():
            return job
        events = retry_events(job, self._name, self._lease.epoch, self._lines.pick(job_id), self._clock)
        append = Append(job_id=job_id, id=self._new_id(), after=job.seq, events=events)
        self._beginning.add(job_id)
        try:
            await self._journal.append(append)
        except AppendConflict as error:
            raise Conflict(f"job {job_id} is being retried already", None, job_id) from error
        finally:
            self._beginning.discard(job_id)
        self._run(job_id, [*records, *numbered(append)])
        return self._held[job_id].runner.job

    async def wait(self, job_id: str, timeout_s: float) -> Job:
        """Returns the job when it has ended, or as it stands after `timeout_s`.

        Raises:
            HolderGone: The job is not here: the journal knows where.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_s
        if not await self._called(job_id, timeout_s):
            return fold(job_id, await self._journal.read(job_id))
        held = await self._holding(job_id)
        await asyncio.wait([held.ended], timeout=max(0.0, until - loop.time()))
        return held.ended.result() if held.ended.done() else held.runner.job

    async def events(self, job_id: str, after: int, wait_s: float) -> list[Recorded]:
        """Returns the events behind number `after`, waiting for the first of them up to `wait_s`.

        Raises:
            HolderGone: The job is not here: the journal knows where.
        """
        if job_id in self._waiting or job_id in self._suspects:
            records = await self._journal.read(job_id, after)
            if records or not await self._called(job_id, wait_s):
                return records
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
        if self._waiting.call_out(job_id):
            await self._begin_waiting(job_id)
        held = await self._holding(job_id)
        held.runner.cancel()
        return await asyncio.shield(held.ended)

    async def drain(self) -> None:
        """Takes no new job from now on and begins none that waits; those that run go on."""
        self._draining = True

    async def close(self) -> None:
        """Stops without ending any job: whoever holds them next goes on."""
        self._draining = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._started.is_set():
            await self._lines.close()
        if not self._replaced:
            await self._lease.release()

    async def _admit(self) -> None:
        """Returns when this holder may take one more job."""
        await self._started.wait()
        if self._replaced:
            raise HolderGone(f"{self._name} has been replaced")
        if self._draining:
            raise Unavailable(f"{self._name} is draining: the service stops or is being replaced")
        if self._own_job and self._used:
            raise SpareTaken(f"{self._name} already holds a job")
        waiting = len(self._waiting) + len(self._queueing)
        if not self._room() and waiting >= self._capacity.waiting:
            raise RateLimited(f"the service is full: {self._capacity.running} jobs run and {waiting} wait")
        self._used = True
        self._hold_lease()

    def _room(self) -> bool:
        return not self._waiting.waits() and len(self._held) + len(self._beginning) < self._capacity.running

    async def _called(self, job_id: str, wait_s: float) -> bool:
        """Returns whether the job does not wait for its turn any more, at the latest after `wait_s`."""
        for room in (self._waiting, self._suspects):
            await room.until_gone(job_id, wait_s)
        return job_id not in self._waiting and job_id not in self._suspects

    async def _holding(self, job_id: str) -> _Held:
        await self._started.wait()
        if job_id not in self._held and not self._is_coming(job_id):
            row = await self._journal.row(job_id)
            if row is not None and row.holder == self._name and not row.state.ended:
                await self._adopt(job_id)
        held = self._held.get(job_id)
        if held is None:
            raise HolderGone(f"{self._name} does not hold job {job_id}")
        return held

    def _is_coming(self, job_id: str) -> bool:
        return (
            job_id in self._beginning
            or job_id in self._queueing
            or job_id in self._waiting
            or job_id in self._suspects
        )

    async def _take_up(self, rows: list[JobRow]) -> None:
        """Goes on with these jobs: those that had begun at once, the others when it is their turn."""
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def adopt(row: JobRow) -> None:
            async with at_once:
                await self._adopt_or_log(row.job_id, row.deadline_at)

        begun = [row for row in rows if row.state is not JobState.PENDING]
        await asyncio.gather(*(adopt(row) for row in begun))
        for row in rows:
            if row.state is JobState.PENDING:
                self._waiting.add(row.job_id, row.deadline_at)
        if rows:
            self._hold_lease()
        if self._suspects.waits():
            self._own(self._take_up_suspects())
        self._fill()

    async def _take_up_suspects(self) -> None:
        """Takes up one after the other what may kill this process, so that the journal shows which one did."""
        while self._suspects.waits():
            job_id = self._suspects.call()
            await self._adopt_or_log(job_id, None)
            self._suspects.leave(job_id)
            held = self._held.get(job_id)
            if held is not None:
                await asyncio.wait([held.ended], timeout=PROBATION_S)

    async def _adopt_or_log(self, job_id: str, suspected_until: datetime | None) -> None:
        """Adopts a job; one that cannot be read holds no other up."""
        try:
            await self._adopt(job_id, suspected_until)
        except (IllegalMove, StoreError) as error:
            log.error("job not adopted", extra={"job_id": job_id, "reason": str(error)})

    async def _adopt(self, job_id: str, suspected_until: datetime | None = None) -> None:
        """Takes a job over, unless it is here already or a later instance of this very holder has begun.

        Args:
            suspected_until: Where it is given, a suspect is not taken up but set apart; the job's deadline.
        """
        if job_id in self._held or job_id in self._beginning or self._replaced:
            return
        self._beginning.add(job_id)
        try:
            records = await self._journal.read(job_id)
            job = fold(job_id, records)
            way = handling(job)
            if job.state.ended:
                return
            if way is Handling.APART and suspected_until is not None:
                self._suspects.add(job_id, suspected_until)
                return
            if way in (Handling.ALONE, Handling.NOT) and not self._own_job:
                log.warning("job set apart", extra={"job_id": job_id, "stalls": job.stalls})
                self._isolate(job_id)
                return
            events: list[Event] = [ev.JobAdopted(holder=self._name, epoch=self._lease.epoch)]
            if way is Handling.NOT:
                events.append(ev.JobFailed(type="CrashLoop", message=_CRASH_LOOP.format(job_id, job.stalls)))
            now = self._clock()
            append = Append(
                job_id=job_id, id=self._new_id(), after=job.seq, events=tuple((now, event) for event in events)
            )
            try:
                await self._journal.append(append)
            except AppendConflict:
                return
        finally:
            self._beginning.discard(job_id)
        log.info("job adopted", extra={"job_id": job_id, "holder": self._name, "epoch": self._lease.epoch})
        self._used = True
        self._run(job_id, [*records, *numbered(append)])

    def _fill(self) -> None:
        """Begins jobs that wait, as many as may run."""
        while (
            self._waiting.waits()
            and not self._draining
            and len(self._held) + len(self._beginning) < self._capacity.running
        ):
            job_id = self._waiting.call()
            self._beginning.add(job_id)
            self._own(self._begin_waiting(job_id))

    async def _begin_waiting(self, job_id: str) -> None:
        """Begins a job that was called; what an earlier instance has accepted is adopted first."""
        try:
            if job_id in self._fresh:
                records = await reading(self._journal, job_id)
                if not fold(job_id, records).state.ended:
                    self._run(job_id, records)
            else:
                self._beginning.discard(job_id)
                await self._adopt(job_id)
        except (IllegalMove, StoreError) as error:
            log.error("job not begun", extra={"job_id": job_id, "reason": str(error)})
        finally:
            self._fresh.discard(job_id)
            self._beginning.discard(job_id)
            self._waiting.leave(job_id)

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
            await self._adopt_all([row.job_id for row in named if row.job_id not in self._accepting])

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
