"""A new job is handed over to a holder, which accepts it; where one cannot be reached, to another, under the same id.

Whether a holder that does not answer has accepted the job all the same, the journal says. A batch's jobs share hosts
unless they are to have actors of their own: each actor that one took would have to be made anew, two seconds of work
for a job of some milliseconds.
"""

from __future__ import annotations

import asyncio

from ditto.domain.job import Job
from ditto.domain.spec import JobSpec, Placement
from ditto.errors import HolderGone, SpareTaken, Unavailable
from ditto.runtime.belonging import own_job
from ditto.runtime.listening import heard
from ditto.runtime.placement import HostPort, Placer
from ditto.store.port import Claim, Journal

ACCEPT_S = 30.0
"""So long a holder that is not even begun may take to accept a job or a retry."""
PAUSE_S = 0.2
_TRIES = 5
_BATCH = "batch"
"""Is in the metadata of a batch's jobs."""


class HandingOver:
    """Hands jobs over."""

    def __init__(self, journal: Journal, placer: Placer) -> None:
        self._journal = journal
        self._placer = placer

    async def accepted(self, spec: JobSpec, claim: Claim | None, placement: Placement, wait_s: float) -> Job:
        """Returns the new job once it is durable; where it ends within `wait_s`, as it ended.

        Raises:
            KeyTaken: The claim names another job; this one was not begun.
            RateLimited: The service is full.
            Unavailable: No holder can be reached, or the service is draining.
            HolderGone, StoreUnavailable: Likewise.
        """
        if placement is Placement.AUTO and _BATCH in spec.metadata:
            placement = Placement.SHARED
        job_id, host = self._placer.place(placement)
        for _ in range(_TRIES):
            try:
                if (job := await self._tried(job_id, host, spec, claim, wait_s)) is not None:
                    return job
            except SpareTaken:  # another process was quicker
                job_id, host = self._placer.place(Placement.SHARED if placement is Placement.AUTO else placement)
            else:
                if placement is not Placement.DEDICATED:
                    host = self._placer.shared()  # should both come to life, the journal lets one accept this id
        raise Unavailable("no holder of jobs can be reached")

    async def _tried(
        self, job_id: str, host: HostPort, spec: JobSpec, claim: Claim | None, wait_s: float
    ) -> Job | None:
        """Returns the job once this holder has accepted it, None where it cannot be reached and has not."""
        try:
            return await heard(host.accept(job_id, spec, claim, wait_s), max(ACCEPT_S, wait_s))
        except HolderGone:
            await asyncio.sleep(PAUSE_S)
            records = await self._journal.read(job_id)
            return own_job(job_id, records, spec) if records else None
        except SpareTaken:
            if not (records := await self._journal.read(job_id)):
                raise
            return own_job(job_id, records, spec)  # by an earlier try, whose answer was lost
