"""Batches hold each other off: of each, one process at a time has a lease in the journal, like a holder of jobs.

A lease that is not renewed runs out by itself; until then nobody else gets it. Who was replaced is told so at the next
renewal, by its epoch.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from ditto.domain.batch_lease import BatchLease
from ditto.errors import Conflict, StaleEpoch, StoreUnavailable, Unavailable
from ditto.runtime.runner import Clock
from ditto.store.port import Journal


class BatchLeases:
    """The leases of batches.

    Args:
        owner: Whose batches they are; names of others are other names.
    """

    def __init__(self, journal: Journal, owner: str, clock: Clock) -> None:
        self._journal = journal
        self._owner = owner
        self._clock = clock

    async def hold(self, asked: BatchLease) -> int:
        """Returns the epoch of the lease that was begun, renewed or ended.

        Raises:
            Conflict: Another process has it.
            Unavailable: The store is.
        """
        try:
            return await self._hold(asked, self._holder(asked.name))
        except StoreUnavailable as error:
            raise Unavailable(str(error)) from error

    async def _hold(self, asked: BatchLease, holder: str) -> int:
        now = self._clock()
        until = now + timedelta(milliseconds=asked.length)
        if asked.epoch is None:
            epoch = await self._journal.claim(holder, now, until)
            if epoch is None:
                raise Conflict(f"another process runs the batch {asked.name}")
            return epoch
        if not asked.length:
            await self._journal.release(holder, asked.epoch)
            return asked.epoch
        try:
            await self._journal.renew(holder, asked.epoch, until)
        except StaleEpoch:
            raise Conflict(f"another process has taken over the batch {asked.name}") from None
        return asked.epoch

    def _holder(self, name: str) -> str:
        digest = hashlib.sha256(f"{self._owner}\0{name}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return f"batch:{digest}"
