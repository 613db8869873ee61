"""A holder of jobs: the plain class behind a job's own actor and behind a shared host, which differ in number alone.

It has a name and, for each time it is started, a later epoch. It accepts jobs, runs them, answers who asks for them,
and after a crash goes on with those that the journal says are its own. While it holds jobs it renews its lease.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from ditto.domain.job import Job, JobState, fold
from ditto.domain.spec import JobSpec
from ditto.errors import (
    AppendConflict,
    Conflict,
    HolderGone,
    NotFound,
    RateLimited,
    SpareTaken,
    Unavailable,
)
from ditto.runtime.adopting import Adopter
from ditto.runtime.asking import Asked, Desks, Heard
from ditto.runtime.belonging import own_job
from ditto.runtime.calling import CallerPort, Lines
from ditto.runtime.following import PAGE, News, Place
from ditto.runtime.hearing import Hearing
from ditto.runtime.held import Capacity, Held, HeldJobs
from ditto.runtime.lease import Lease
from ditto.runtime.orders import Outcome
from ditto.runtime.roles import JOB
from ditto.runtime.runner import Clock, first_turn, numbered, retry_turn, utc_now
from ditto.runtime.tenure import Tenure
from ditto.store.port import Append, Claim, JobRow, Journal
from ditto.tally import Tally
from ditto.version import VERSION

_ROOMY = Capacity()


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStatus:
    """`used` tells whether this holder has ever held a job; `open_jobs` counts those that wait as well."""

    name: str
    epoch: int
    open_jobs: int
    used: bool
    pid: int
    version: str
    counted: Tally


class Host:
    """Holds jobs.

    Args:
        name: The actor's name: `job:<id>` for one job's own, anything else for many.
        ended: Called when a job's own actor has nothing more to do.
        isolate: Called with a job that is to be taken up by an actor of its own.
        replaced: Called when a later instance of this holder has begun: this one does nothing more, and its process is
            to end. Where it was the later one after all (it began while the other was frozen) it is begun again.
        near: Names of callers on this holder's node: where there are some, the others are given no job's calls.
    """

    def __init__(
        self,
        name: str,
        *,
        journal: Journal,
        callers: Mapping[str, CallerPort],
        new_id: Callable[[], str],
        lease_s: float,
        capacity: Capacity = _ROOMY,
        ended: Callable[[], None] = lambda: None,
        isolate: Callable[[str], None] = lambda job_id: None,
        replaced: Callable[[], None] = lambda: None,
        near: Collection[str] = (),
        clock: Clock = utc_now,
        pid: int = 0,
    ) -> None:
        self._name = name
        self._own_job = name.startswith(JOB)
        self._journal = journal
        self._callers = callers
        self._new_id = new_id
        self._capacity = capacity
        self._ended = ended
        self._isolate = isolate
        self._near = near
        self._clock = clock
        self._pid = pid
        self._lease = Lease(journal, name, length_s=lease_s, replaced=self._step_down, clock=clock)
        self._used = False
        self._draining = False
        self._closed = False
        self._replaced = False
        self._tell_replaced = replaced
        self._started = asyncio.Event()
        self._lines: Lines
        self._jobs: HeldJobs
        self._desks: Desks
        self._adopter: Adopter
        self._tenure: Tenure
        self._hearing: Hearing

    async def start(self) -> None:
        """Begins an epoch and goes on with the jobs that an earlier instance has not finished.

        Raises:
            StoreUnavailable: The journal cannot be used; nothing was begun, and it may be tried again.
        """
        await self._lease.begin()
        epoch = self._lease.epoch
        self._lines = Lines(
            self._callers,
            holder=self._name,
            epoch=epoch,
            deliver=self._deliver,
            replaced=self._step_down,
            may_order=self._lease.current,
            near=self._near,
            clock=self._clock,
        )
        self._jobs = HeldJobs(
            self._name,
            journal=self._journal,
            calls=self._lines,
            capacity=self._capacity,
            new_id=self._new_id,
            clock=self._clock,
            adopt=self._adopt,
            idle=self._idle,
        )
        self._desks = Desks(self.accept, self._jobs.own)
        self._adopter = Adopter(
            self._name,
            epoch,
            own_job=self._own_job,
            journal=self._journal,
            jobs=self._jobs,
            new_id=self._new_id,
            isolate=self._isolate,
            clock=self._clock,
        )
        self._hearing = Hearing(self._name, port=self._lines.port, own=self._jobs.own)
        self._tenure = Tenure(
            self._name, lease=self._lease, journal=self._journal, jobs=self._jobs, adopter=self._adopter
        )
        own = await self._journal.held(self._name)
        if self._own_job:  # a restart after the job's end makes no spare of it
            self._used = await self._journal.row(self._name.removeprefix(JOB)) is not None
        if own:
            self._tenure.hold()
            await self._adopter.take_up(own)
        self._started.set()

    async def status(self) -> HostStatus:
        """Returns what this holder does, once it has started."""
        await self._started.wait()
        return HostStatus(
            name=self._name,
            epoch=self._lease.epoch,
            open_jobs=len(self._jobs) + len(self._adopter.suspects),
            used=self._used,
            pid=self._pid,
            version=VERSION,
            counted=self._jobs.counted(),
        )

    async def accept(self, job_id: str, spec: JobSpec, claim: Claim | None, wait_s: float = 0.0) -> Job:
        """Returns the job, accepted for good: it will end, whatever happens to this process.

        Where it ends within `wait_s` it is returned as it ended: who waits for it need not ask again.

        Raises:
            HolderGone: The job is not here any more; the journal knows where.
            KeyTaken: The claim names another job; this one was not begun.
            SpareTaken: This is another job's own actor, or the id is another job's.
            RateLimited: As many jobs run and wait here as may.
            Unavailable: This holder is draining.
            StoreUnavailable: Nothing was begun.
        """
        job = await self._accepted(job_id, spec, claim)
        return job if job.state.ended or wait_s == 0 else await self.wait(job_id, wait_s)

    async def _accepted(self, job_id: str, spec: JobSpec, claim: Claim | None) -> Job:
        await self._admit()
        jobs, begins = self._jobs, self._jobs.room()
        turn = first_turn(job_id, spec, self._name, self._lines.pick(job_id), self._clock)
        events = tuple(turn.events)
        if not begins:
            events = events[:1]
            jobs.waiting.add(job_id, spec.deadline_at)
            jobs.waiting.call_out(job_id)
        else:
            jobs.beginning.add(job_id)
        append = Append(job_id=job_id, id=self._new_id(), after=0, events=events, claim=claim, payer=spec.payer)
        try:
            await self._journal.append(append)
        except AppendConflict:
            return own_job(job_id, await self._journal.read(job_id), spec)
        except BaseException:  # cancelled too: an own actor that was given no job is a spare again
            self._used = not self._own_job
            raise
        finally:
            jobs.beginning.discard(job_id)
            jobs.waiting.leave(job_id)
        if begins:
            return jobs.run(turn.job, list(numbered(append)), decided=True)
        jobs.queue(job_id, spec.deadline_at, fresh=True)
        jobs.fill()
        return fold(job_id, numbered(append))

    async def accept_all(self, line: str, asked: list[Asked], wait_s: float) -> int:
        """Begins to accept these jobs for a line, which is told by `came`; returns this instance's epoch."""
        await self._started.wait()
        if self._replaced or self._closed:
            raise HolderGone(f"{self._name} has been replaced")
        self._desks.accept_all(line, asked, wait_s)
        return self._lease.epoch

    async def came(self, line: str, seen: int, wait_s: float) -> Heard:
        """Returns what came of a line's jobs behind number `seen`, waiting for the first of it up to `wait_s`."""
        await self._started.wait()
        return Heard(epoch=self._lease.epoch, came=await self._desks.came(line, seen, wait_s))

    async def adopt(self, job_id: str) -> None:
        """Takes over a job whose holder is gone; does nothing if it has ended or somebody else was quicker."""
        await self._started.wait()
        await self._adopt(job_id)

    async def take_up(self, rows: list[JobRow]) -> None:
        """Takes over jobs that nobody holds; those whose turn has not come wait for it here."""
        await self._started.wait()
        if self._closed:
            raise HolderGone(f"{self._name} has closed")
        await self._lease.renew()
        if not self._replaced:
            self._used = True
            self._tenure.hold()
            here = (self._jobs, self._adopter.suspects)
            await self._adopter.take_up([row for row in rows if not any(row.job_id in place for place in here)])

    async def retry(self, job_id: str) -> Job:
        """Asks the failed models of a job that has ended once more and returns the job as it then stands.

        A complete job of which no model has failed is returned as it is. It gets as much time as it had at first.

        Raises:
            Conflict: The job runs, or was cancelled.
            NotFound: There is no such job.
            RateLimited: As many jobs run here as may.
            Unavailable: This holder is draining.
        """
        await self._admit()
        while True:
            records = await self._journal.read(job_id)
            if not records:
                raise NotFound(f"there is no job {job_id}")
            job = fold(job_id, records)
            if not job.state.ended or job.state is JobState.CANCELLED:
                message = f"job {job_id} is {job.state}; only one that is complete or has failed can be retried"
                raise Conflict(message, None, job_id)
            if job.state is JobState.COMPLETE and not job.retriable():
                return job
            if not self._jobs.room():
                raise RateLimited(f"the service is full: {self._capacity.running} jobs run")
            turn = retry_turn(job, self._name, self._lease.epoch, self._lines.pick(job_id), self._clock)
            events, payer = tuple(turn.events), job.spec.payer
            append = Append(job_id=job_id, id=self._new_id(), after=job.seq, events=events, payer=payer)
            self._jobs.beginning.add(job_id)
            self._tenure.hold()  # while nothing was here the lease may have been given up
            try:
                await self._journal.append(append)
            except AppendConflict:
                continue  # somebody else has appended: another retry, or no more than feedback
            finally:
                self._jobs.beginning.discard(job_id)
            return self._jobs.run(turn.job, [*records, *numbered(append)], decided=True)

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

    async def follow(self, job_id: str, place: Place, wait_s: float) -> News:
        """Returns what a reader at this place lacks, waiting for some of it up to `wait_s`.

        Raises:
            HolderGone: The job is not here: the journal knows where.
        """
        if not await self._called(job_id, 0.0):
            records = await self._journal.read(job_id, place.after, PAGE)
            if records or not await self._called(job_id, wait_s):
                return News(records=records)
        return await self._hearing.follow(await self._holding(job_id), place, wait_s)

    async def cancel(self, job_id: str) -> Job:
        """Ends the job without a verdict and returns it.

        Raises:
            HolderGone: The job is not here: the journal knows where.
        """
        await self._started.wait()
        await self._jobs.begin_out_of_turn(job_id)
        held = await self._holding(job_id)
        held.runner.cancel()
        return await asyncio.shield(held.ended)

    async def drain(self) -> None:
        """Takes no new job from now on and begins none that waits; those that run go on."""
        await self._started.wait()
        self._draining = True
        self._jobs.stop_filling()

    async def close(self) -> None:
        """Stops without ending any job: whoever holds them next goes on."""
        self._draining = self._closed = True
        if not self._started.is_set():
            return
        await self._jobs.close()
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
        if self._jobs.full():
            raise RateLimited(f"the service is full: {self._capacity.running} jobs run, {len(self._jobs.waiting)} wait")
        self._used = True
        self._tenure.hold()

    async def _called(self, job_id: str, wait_s: float) -> bool:
        """Returns whether the job does not wait for its turn any more, at the latest after `wait_s`."""
        await self._started.wait()
        rooms = (self._jobs.waiting, self._adopter.suspects)
        for room in rooms:
            await room.until_gone(job_id, wait_s)
        return not any(job_id in room for room in rooms)

    async def _holding(self, job_id: str) -> Held:
        await self._started.wait()
        if job_id not in self._jobs and job_id not in self._adopter.suspects:
            row = await self._journal.row(job_id)
            if row is not None and row.holder == self._name and not row.state.ended:
                await self._adopt(job_id)
        held = self._jobs.running(job_id)
        if held is None:
            raise HolderGone(f"{self._name} does not hold job {job_id}")
        return held

    async def _adopt(self, job_id: str) -> None:
        """Takes a job over, unless a later instance of this very holder has begun."""
        if self._closed:
            return  # its lease has been let go of: whoever has it next takes the job
        await self._lease.renew()
        if not self._replaced:
            self._used = True
            self._tenure.hold()
            await self._adopter.adopt(job_id)

    def _deliver(self, outcome: Outcome) -> None:
        self._jobs.deliver(outcome)

    def _idle(self) -> None:
        if self._own_job:
            self._ended()

    def _step_down(self) -> None:
        """Stops everything: a later instance of this holder goes on with its jobs."""
        self._replaced = True
        self._jobs.abandon()
        self._lines.stop()
        self._adopter.suspects.clear()
        self._tell_replaced()
