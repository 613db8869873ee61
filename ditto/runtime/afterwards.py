"""What may still happen to a job that is complete: its replies are merged anew, its result is judged by who knows.

Nothing runs for it, so it needs no holder: whoever is asked appends the event, behind whatever others append.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from ditto.domain.events import FeedbackGiven, JobMerged
from ditto.domain.job import Job, JobState, apply
from ditto.domain.remerging import Remerge, remerged
from ditto.domain.skills.sheet import Skills
from ditto.errors import AppendConflict, Conflict, StoreUnavailable, Unavailable
from ditto.runtime.runner import Clock, numbered
from ditto.store.port import Append, Journal


class Afterwards:
    """Appends to complete jobs.

    Args:
        read: Returns a job as its journal tells it.
        new_id: Mints the ids of appends.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        read: Callable[[str], Awaitable[Job]],
        new_id: Callable[[], str],
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._read = read
        self._new_id = new_id
        self._clock = clock

    async def merge(self, job: Job, wanted: Remerge, skills: Skills) -> Job:
        """Returns the job with one more merge of its replies, of those that a retry has brought meanwhile too.

        Raises:
            Conflict: It is not complete, or no reply satisfies the schema.
            BadRequest: A weight names no model of the job.
        """
        while True:
            _complete(job)
            began = time.perf_counter()
            verdict = await asyncio.to_thread(remerged, job, wanted, skills)
            merged = JobMerged(
                weights=wanted.weights,
                schema=wanted.schema,
                answer=wanted.answer,
                verdict=verdict,
                merge_s=time.perf_counter() - began,
            )
            now = await self._added(job, merged)
            if now.retries == job.retries:
                return now
            job = now

    async def say(self, job: Job, said: FeedbackGiven) -> Job:
        """Returns the job with what was said of its result.

        Raises:
            Conflict: It is not complete, or it was retried meanwhile: its result is another one.
        """
        now = await self._added(job, said)
        if now.retries != job.retries:
            raise Conflict(f"job {job.id} has been retried meanwhile: its result is another one", None, job.id)
        return now

    async def _added(self, job: Job, event: JobMerged | FeedbackGiven) -> Job:
        """Returns the job with this event at its end, behind what others append; without it where it was retried.

        Raises:
            Conflict: It is not complete.
            Unavailable: The store is.
        """
        append_id = self._new_id()
        retries = job.retries
        while job.retries == retries:
            _complete(job)
            append = Append(job_id=job.id, id=append_id, after=job.seq, events=((self._clock(), event),))
            try:
                await self._journal.append(append)
            except AppendConflict:
                job = await self._read(job.id)  # somebody was quicker: behind that, if it is still complete
            except StoreUnavailable as error:
                raise Unavailable(str(error)) from error
            else:
                return apply(job, numbered(append)[0])
        return job


def _complete(job: Job) -> None:
    if job.state is not JobState.COMPLETE:
        raise Conflict(f"job {job.id} is {job.state}, not complete", None, job.id)
