"""How a holder goes on with jobs that another process had begun: its own after a restart, or a dead holder's.

Taking over begins by an event, so that the one who had the job before can write nothing any more. It fails where that
one has come back meanwhile: it may have renewed its lease and found that the job is its own still. A job whose last
adoptions led to nothing but deaths is handled with care (see `domain.stalling`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ditto.domain import events as ev
from ditto.domain.events import Event
from ditto.domain.job import Job, JobState, fold
from ditto.domain.stalling import Handling, handling
from ditto.errors import AppendConflict, IllegalMove, StoreError
from ditto.runtime.held import HeldJobs
from ditto.runtime.runner import Clock, numbered
from ditto.runtime.waiting import WaitingRoom
from ditto.store.port import Append, JobRow, Journal

log = logging.getLogger("ditto.adopting")

PROBATION_S = 0.1
"""A suspect that has done no harm for so long does none: what it had to do at once is done."""
_AT_ONCE = 100


class Adopter:
    """Takes jobs over.

    Args:
        own_job: Tells that the holder is one job's own actor.
        isolate: Called with a job that is to be taken up by an actor of its own.
    """

    def __init__(
        self,
        holder: str,
        epoch: int,
        *,
        own_job: bool,
        journal: Journal,
        jobs: HeldJobs,
        new_id: Callable[[], str],
        isolate: Callable[[str], None],
        clock: Clock,
    ) -> None:
        self._holder = holder
        self._epoch = epoch
        self._own_job = own_job
        self._journal = journal
        self._jobs = jobs
        self._new_id = new_id
        self._isolate = isolate
        self._clock = clock
        self.suspects = WaitingRoom()

    async def take_up(self, rows: list[JobRow]) -> None:
        """Goes on with these jobs: those that had begun at once, the others at their turn.

        One that waits is adopted at its turn where it is this holder's own, and at once where it was another's.
        """
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def adopt(row: JobRow) -> None:
            async with at_once:
                await self._adopt_or_log(row.job_id, suspect=row)

        begun = [row for row in rows if row.state is not JobState.PENDING]
        await asyncio.gather(*(adopt(row) for row in begun))
        waiting = [row for row in rows if row.state is JobState.PENDING]
        await asyncio.gather(*(adopt(row) for row in waiting if row.holder != self._holder))
        for row in waiting:
            if row.holder == self._holder:
                self._jobs.queue(row.job_id, row.deadline_at, fresh=False)
        if self.suspects.waits():
            self._jobs.own(self._take_up_suspects())
        self._jobs.fill()

    async def adopt(self, job_id: str) -> None:
        """Takes a job over; does nothing where it is here, has ended, or somebody else was quicker."""
        await self._adopt(job_id, suspect=None)

    async def _take_up_suspects(self) -> None:
        """Takes up one after the other what may kill this process, so that the journal shows which one does."""
        while self.suspects.waits():
            job_id = self.suspects.call()
            await self._adopt_or_log(job_id, suspect=None)
            self.suspects.leave(job_id)
            held = self._jobs.running(job_id)
            if held is not None:
                await asyncio.wait([held.ended], timeout=PROBATION_S)

    async def _adopt_or_log(self, job_id: str, *, suspect: JobRow | None) -> None:
        """Adopts a job; one that cannot be read holds no other up."""
        try:
            await self._adopt(job_id, suspect=suspect)
        except (IllegalMove, StoreError) as error:
            log.error("job not adopted", extra={"job_id": job_id, "reason": str(error)})

    async def _adopt(self, job_id: str, *, suspect: JobRow | None) -> None:
        """Adopts a job; a suspect whose row is given is set aside for later."""
        if self._jobs.running(job_id) is not None or job_id in self._jobs.beginning:
            return
        if suspect is not None and job_id in self._jobs:
            return  # another sweep's orders have been quicker, and it waits for its turn
        self._jobs.beginning.add(job_id)
        try:
            records = await self._journal.read(job_id)
            job = fold(job_id, records)
            if job.state.ended or self._set_aside(job, suspect):
                return
            append = self._taking_over(job)
            try:
                await self._journal.append(append)
            except AppendConflict:
                return
        finally:
            self._jobs.beginning.discard(job_id)
        log.info("job adopted", extra={"job_id": job_id, "holder": self._holder, "epoch": self._epoch})
        if suspect is not None and job.state is JobState.PENDING:
            self._jobs.queue(job_id, job.spec.deadline_at, fresh=True)
        else:
            records += numbered(append)
            self._jobs.run(fold(job_id, records), records)

    def _set_aside(self, job: Job, suspect: JobRow | None) -> bool:
        match handling(job):
            case Handling.APART if suspect is not None:
                self.suspects.add(job.id, suspect.deadline_at)
            case Handling.ALONE | Handling.NOT if not self._own_job:
                log.warning("job set apart", extra={"job_id": job.id, "stalls": job.stalls})
                self._isolate(job.id)
            case _:
                return False
        return True

    def _taking_over(self, job: Job) -> Append:
        events: list[Event] = [ev.JobAdopted(holder=self._holder, epoch=self._epoch)]
        if handling(job) is Handling.NOT:
            message = f"job {job.id} was taken up {job.stalls} times, and each time the process died without progress"
            events.append(ev.JobFailed(type="CrashLoop", message=message))
        now = self._clock()
        anothers = job.holder != self._holder and not self._own_job  # who isolates a job gives it away while it lives
        return Append(
            job_id=job.id,
            id=self._new_id(),
            after=job.seq,
            events=tuple((now, event) for event in events),
            unheld_at=now if anothers else None,
        )
