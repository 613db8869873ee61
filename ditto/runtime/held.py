"""The jobs of one holder: those that run, each with its events so far and who waits for its end, and those that wait.

So many run at once. A job beyond that waits, as an id: what it is asked is read from the journal when its turn comes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ditto.domain import events as ev
from ditto.domain.events import Recorded
from ditto.domain.job import Job, fold
from ditto.errors import AppendConflict, HolderGone, IllegalMove, StoreError
from ditto.runtime.measures import JOBS_OPEN
from ditto.runtime.noting import note_end
from ditto.runtime.orders import Calls, Outcome
from ditto.runtime.runner import Clock, JobRunner, numbered, persistently
from ditto.runtime.waiting import WaitingRoom
from ditto.store.port import Append, Journal
from ditto.tally import Tally

log = logging.getLogger("ditto.held")

NOTE_S = 0.005
"""So long after its end a job is noted: who waits for it gets the answer first."""
LOOK_S = 1.0
"""How often it is looked for waiting jobs whose deadline has passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """How many jobs one holder runs at once, and how many may wait."""

    running: int = 1000
    waiting: int = 10_000


@dataclass(slots=True)
class Held:
    """A job that runs here. `news` is replaced each time it is set."""

    runner: JobRunner
    records: list[Recorded]
    ended: asyncio.Future[Job]
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Wakes who waits for news."""
        news, self.news = self.news, asyncio.Event()
        news.set()


class HeldJobs:
    """Runs jobs.

    Args:
        adopt: Takes over a job that waits here and was accepted by an earlier instance.
        idle: Called each time a job has ended or has gone elsewhere.
    """

    def __init__(
        self,
        holder: str,
        *,
        journal: Journal,
        calls: Calls,
        capacity: Capacity,
        new_id: Callable[[], str],
        clock: Clock,
        adopt: Callable[[str], Awaitable[None]],
        idle: Callable[[], None],
    ) -> None:
        self._holder = holder
        self._journal = journal
        self._calls = calls
        self._capacity = capacity
        self._new_id = new_id
        self._clock = clock
        self._adopt = adopt
        self._idle = idle
        self._running: dict[str, Held] = {}
        self._fresh: set[str] = set()
        self._tally = Tally()
        self._unnoted: list[Job] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._looking: asyncio.Task[None] | None = None
        self._stopped = False
        self.waiting = WaitingRoom()
        self.beginning: set[str] = set()
        """Jobs whose first event here is being written."""

    def __len__(self) -> int:
        return len(self._running) + len(self.beginning) + len(self.waiting)

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._running or job_id in self.beginning or job_id in self.waiting

    def running(self, job_id: str) -> Held | None:
        """Returns the job if it runs here."""
        return self._running.get(job_id)

    def room(self) -> bool:
        """Tells whether a new job may begin at once."""
        return not self.waiting.waits() and self._free()

    def full(self) -> bool:
        """Tells whether a new job could neither begin nor wait."""
        return not self.room() and len(self.waiting) >= self._capacity.waiting

    def run(self, job: Job, records: list[Recorded], *, decided: bool = False) -> Job:
        """Begins to run a job whose events so far are durable, and returns it; see `JobRunner` for `decided`."""
        job_id = job.id
        runner = JobRunner(
            job,
            journal=self._journal,
            calls=self._calls,
            told=lambda job, new: _tell(held, new),
            new_id=self._new_id,
            decided=decided,
            clock=self._clock,
        )
        ended: asyncio.Future[Job] = asyncio.get_running_loop().create_future()
        ended.add_done_callback(lambda future: future.cancelled() or future.exception())
        held = Held(runner=runner, records=records, ended=ended)
        self._running[job_id] = held
        self.own(self._finish(job_id, held))
        return runner.job

    def queue(self, job_id: str, deadline_at: datetime, *, fresh: bool) -> None:
        """Has a job wait for its turn; `fresh` where this very instance has accepted it."""
        if fresh:
            self._fresh.add(job_id)
        self.waiting.add(job_id, deadline_at)
        if self._looking is None or self._looking.done():
            self._looking = self.own(self._look())

    def fill(self) -> None:
        """Begins jobs that wait, as many as may run."""
        while self.waiting.waits() and self._free() and not self._stopped:
            job_id = self.waiting.call()
            self.beginning.add(job_id)
            self.own(self._begin(job_id))

    async def begin_out_of_turn(self, job_id: str) -> None:
        """Begins a job that waits; does nothing where it does not."""
        if self.waiting.call_out(job_id):
            self.beginning.add(job_id)
            await self._begin(job_id)

    def deliver(self, outcome: Outcome) -> None:
        held = self._running.get(outcome.order_id.partition("/")[0])
        if held is not None:
            held.runner.deliver(outcome)

    def own(self, coroutine: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Runs something until it is done or this holder closes."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def stop_filling(self) -> None:
        """Begins no waiting job any more."""
        self._stopped = True

    def counted(self) -> Tally:
        """Returns what was counted of the jobs that have ended here, and how many have not."""
        self._note()
        counted = self._tally.copy()
        counted.count(JOBS_OPEN, by=len(self))
        return counted

    def all_running(self) -> set[str]:
        """Returns the ids of the jobs that run here."""
        return set(self._running)

    def let_go(self, job_ids: set[str]) -> None:
        """Stops those of the jobs that run here: others have taken them over."""
        for job_id in job_ids & self._running.keys():
            held = self._running[job_id]
            self._calls.forget(held.runner.outstanding())
            held.runner.let_go()

    def abandon(self) -> None:
        """Stops everything at once: somebody else goes on with these jobs."""
        self._stopped = True
        for task in self._tasks:
            task.cancel()
        self._send_away(self._running, "has been taken over from")
        self._running.clear()
        self.waiting.clear()
        self._note()

    async def close(self) -> None:
        """Stops without ending any job, and returns when nothing of it runs any more."""
        self._stopped = True
        running = dict(self._running)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._send_away(running, "goes on without")
        self._note()

    def _send_away(self, running: Mapping[str, Held], why: str) -> None:
        """Has whoever waits for these jobs look for them elsewhere."""
        for job_id, held in running.items():
            if not held.ended.done():
                held.ended.set_exception(HolderGone(f"job {job_id} {why} {self._holder}"))
                held.wake()

    def _free(self) -> bool:
        return len(self._running) + len(self.beginning) < self._capacity.running

    async def _begin(self, job_id: str) -> None:
        try:
            if job_id in self._fresh:
                records = await self._journal.read(job_id)
                job = fold(job_id, records)
                if not job.state.ended and job.holder == self._holder:  # another may have taken it over meanwhile
                    self.run(job, records)
            else:
                row = await self._journal.row(job_id)
                self.beginning.discard(job_id)
                if row is not None and row.holder == self._holder:  # likewise
                    await self._adopt(job_id)
        except (IllegalMove, StoreError) as error:  # the next look at the journal finds it again
            log.error("job not begun", extra={"job_id": job_id, "reason": str(error)})
            return
        finally:
            self._fresh.discard(job_id)
            self.beginning.discard(job_id)
            self.waiting.leave(job_id)
        self.fill()  # where it was not to be begun, its place is free for the next one

    async def _look(self) -> None:
        """Begins jobs whose deadline passes while they wait, so that they end."""
        while len(self.waiting):
            for job_id in self.waiting.overdue(self._clock()):
                await self.begin_out_of_turn(job_id)
            await asyncio.sleep(LOOK_S)

    async def _finish(self, job_id: str, held: Held) -> None:
        had_ended = held.runner.job.state.ended
        try:
            held.ended.set_result(await held.runner.run())
        except AppendConflict:
            self._calls.forget(held.runner.outstanding())
            held.ended.set_exception(HolderGone(f"job {job_id} has been taken over from {self._holder}"))
        except Exception:  # a job ends here, whatever Ditto stumbled on
            log.exception("job failed inside Ditto", extra={"job_id": job_id})
            self._calls.forget(held.runner.outstanding())
            await self._fail(job_id, held)
        finally:
            if self._running.get(job_id) is held:  # it may have been retried here before this task was told of its end
                del self._running[job_id]
            held.wake()
        if not had_ended and held.ended.exception() is None:
            self._note_soon(held.ended.result())
        self.fill()
        self._idle()

    def _note_soon(self, job: Job) -> None:
        if not self._unnoted:
            asyncio.get_running_loop().call_later(NOTE_S, self._note)
        self._unnoted.append(job)

    def _note(self) -> None:
        ended, self._unnoted = self._unnoted, []
        for job in ended:
            try:
                note_end(job, self._tally)
            except Exception:  # whatever a tracer stumbles on, the others are noted
                log.exception("job not noted", extra={"job_id": job.id})

    async def _fail(self, job_id: str, held: Held) -> None:
        """Ends a job on which Ditto itself stumbled: a bug, not a model's failure.

        Where not even that can be kept the job goes elsewhere: the next look at the journal finds it.
        """
        job = held.runner.job
        event = ev.JobFailed(type="InternalError", message=f"Ditto failed on this job; its log names {job_id}")
        append = Append(job_id=job_id, id=self._new_id(), after=job.seq, events=((self._clock(), event),))
        try:
            await persistently(self._journal, append)
        except AppendConflict:
            held.ended.set_exception(HolderGone(f"job {job_id} has been taken over from {self._holder}"))
        except Exception:  # whatever it is, who waits must hear of it, and the others go on
            log.exception("job not ended", extra={"job_id": job_id})
            held.ended.set_exception(HolderGone(f"job {job_id} could not be ended by {self._holder}"))
        else:
            held.ended.set_result(fold(job_id, [*held.records, *numbered(append)]))


def _tell(held: Held, new: tuple[Recorded, ...]) -> None:
    held.records.extend(new)
    held.wake()
