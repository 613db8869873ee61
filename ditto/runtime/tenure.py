"""A holder's hold on its jobs: while it has any its lease is renewed, and what the journal says of them is made true.

After a lease that had run out others may have its jobs: those it stops. And a job may be its own without being here,
since the append that made it so had an answer that was lost: those it takes up.
"""

from __future__ import annotations

import asyncio

from ditto.errors import StoreError
from ditto.runtime.adopting import Adopter
from ditto.runtime.held import HeldJobs
from ditto.runtime.lease import Lease
from ditto.store.port import Journal

LAPSED_S = 0.5
"""How soon a lease that has run out is tried to be renewed again: until then no model is asked."""


class Tenure:
    """Keeps the lease of the holder whose jobs these are."""

    def __init__(self, holder: str, *, lease: Lease, journal: Journal, jobs: HeldJobs, adopter: Adopter) -> None:
        self._holder = holder
        self._lease = lease
        self._journal = journal
        self._jobs = jobs
        self._adopter = adopter
        self._keeping: asyncio.Task[None] | None = None

    @property
    def rests(self) -> bool:
        """Whether the lease is not renewed just now, as there are no jobs."""
        return self._keeping is None or self._keeping.done()

    def hold(self) -> None:
        """Renews the lease from now on, as long as there are jobs."""
        if self.rests:
            self._lease.rise()
            self._keeping = self._jobs.own(self._keep())

    async def _keep(self) -> None:
        while True:
            until = await self._lease.renew()
            if until is not None and await self._let_go_of_lost():
                self._lease.confirm(until)
            await asyncio.sleep(self._lease.length_s / 3 if self._lease.current() else LAPSED_S)
            if not len(self._jobs) and not len(self._adopter.suspects):
                return
            try:
                named = await self._journal.held(self._holder)
            except StoreError:
                continue
            here = (self._jobs, self._adopter.suspects)
            lost = [row for row in named if not any(row.job_id in place for place in here)]
            if lost:
                await self._adopter.take_up(lost)

    async def _let_go_of_lost(self) -> bool:
        """Stops what others have taken over while the lease had run out; returns whether the journal could say."""
        running = self._jobs.all_running()  # of those alone the journal can tell: what comes meanwhile it need not know
        try:
            rows = await self._journal.held(self._holder)
        except StoreError:
            return False
        self._jobs.let_go(running - {row.job_id for row in rows})
        return True
