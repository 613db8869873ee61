"""A holder's lease: one row in the journal that says until when its jobs are left to it, and its epoch.

Each time a holder is started it begins a later epoch. An instance that finds a later one than its own has been
replaced: its process was frozen or cut off, and another has taken its jobs over. A lease that has run out tells
nothing: the jobs may be with others by now, so nothing is asked for them until the journal has said which are left.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from ditto.errors import StaleEpoch, StoreError
from ditto.runtime.runner import Clock
from ditto.store.port import Journal

log = logging.getLogger("ditto.lease")

FRESH_S = 2.0
"""So long nobody takes over a job that was just written, lease or not: less than what a sweep leaves alone."""


class Lease:
    """The lease of one holder.

    Args:
        length_s: How long the holder may be silent before others may take its jobs.
        replaced: Called when a later instance of this holder has begun.
    """

    def __init__(
        self, journal: Journal, holder: str, *, length_s: float, replaced: Callable[[], None], clock: Clock
    ) -> None:
        self._journal = journal
        self._holder = holder
        self._replaced = replaced
        self._clock = clock
        self._until = datetime.min.replace(tzinfo=UTC)
        self.length_s = length_s
        self.epoch = 0

    async def begin(self) -> None:
        """Begins the next epoch.

        Raises:
            StoreUnavailable: It could not be written.
        """
        self.epoch = await self._journal.begin_epoch(self._holder)

    def current(self) -> bool:
        """Tells whether nobody else can have taken this holder's jobs."""
        return self._clock() < self._until

    def rise(self) -> None:
        """Begins to hold jobs after a rest without any."""
        self._until = max(self._until, self._clock() + timedelta(seconds=FRESH_S))

    async def renew(self) -> datetime | None:
        """Extends the lease; where the store is away, the next time will do.

        Returns:
            Until when it was extended, if it had run out, be it while it was being renewed: see `confirm`.
        """
        until = self._clock() + timedelta(seconds=self.length_s)
        try:
            await self._journal.renew(self._holder, self.epoch, until)
        except StaleEpoch:
            self._replaced()
        except StoreError:
            log.warning("lease not renewed", extra={"holder": self._holder})
        else:
            if not self.current():
                return until
            self._until = until
        return None

    def confirm(self, until: datetime) -> None:
        """Notes that all jobs here were found to be this holder's still, after a lease that had run out was renewed."""
        self._until = until

    async def release(self) -> None:
        """Ends the lease, so that the next one need not wait for it to run out."""
        try:
            await self._journal.release(self._holder, self.epoch)
        except StoreError:
            log.warning("lease not released", extra={"holder": self._holder})
