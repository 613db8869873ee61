"""A holder's lease: one row in the journal that says until when its jobs are left to it, and its epoch.

Each time a holder is started it begins a later epoch. An instance that finds a later one than its own has been
replaced: its process was frozen or cut off, and another has taken its jobs over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from ditto.errors import StaleEpoch, StoreUnavailable
from ditto.runtime.runner import Clock
from ditto.store.port import Journal

log = logging.getLogger("ditto.lease")


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
        self.length_s = length_s
        self.epoch = 0

    async def begin(self) -> None:
        """Begins the next epoch.

        Raises:
            StoreUnavailable: It could not be written.
        """
        self.epoch = await self._journal.begin_epoch(self._holder)

    async def renew(self) -> None:
        """Extends the lease; where the store is away, the next time will do."""
        try:
            await self._journal.renew(self._holder, self.epoch, self._clock() + timedelta(seconds=self.length_s))
        except StaleEpoch:
            self._replaced()
        except StoreUnavailable:
            log.warning("lease not renewed", extra={"holder": self._holder})

    async def release(self) -> None:
        """Ends the lease, so that the next one need not wait for it to run out."""
        try:
            await self._journal.release(self._holder, self.epoch)
        except StoreUnavailable:
            log.warning("lease not released", extra={"holder": self._holder})
