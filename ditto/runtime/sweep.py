"""What the keeper does for the journal: jobs that nobody holds find a holder, and what is past retention goes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta

from ditto.errors import DittoError, StoreError
from ditto.runtime.placement import Directory
from ditto.runtime.runner import Clock
from ditto.store.port import JobRow, Journal

log = logging.getLogger("ditto.sweep")

SWEEP_S = 2.0
QUIET_S = 3.0
"""A holder's first lease is written beside its first job: so long after a job's last event it must be there."""
EXPIRE_S = 60.0
PURGE_S = 20.0
STEP_S = 0.1
_STEP = 200
_PATIENCE_S = 30.0


class Sweep:
    """Sweeps the journal.

    Args:
        hosts: The names of the shared hosts, one or more.
        retention_s: How long a job that has ended is kept.
    """

    def __init__(
        self,
        *,
        directory: Directory,
        journal: Journal,
        hosts: Sequence[str],
        retention_s: float,
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._journal = journal
        self._hosts = hosts
        self._retention_s = retention_s
        self._clock = clock

    async def find_orphans(self) -> None:
        """Gives accepted jobs that nobody holds to the shared hosts, again and again."""
        while True:
            now = self._clock()
            try:
                orphans = await self._journal.orphans(now, now - timedelta(seconds=QUIET_S))
            except StoreError as error:
                log.warning("sweep failed", extra={"reason": str(error)})
                orphans = []
            for place, name in enumerate(self._hosts):
                await self._give(name, orphans[place :: len(self._hosts)])
            await asyncio.sleep(SWEEP_S)

    async def expire(self) -> None:
        """Removes what is past retention, in small steps, again and again."""
        while True:
            try:
                removed = await self._journal.expire(self._clock() - timedelta(seconds=self._retention_s), _STEP)
            except StoreError as error:
                log.warning("retention not applied", extra={"reason": str(error)})
                removed = 0
            await asyncio.sleep(STEP_S if removed == _STEP else EXPIRE_S)

    async def purge(self) -> None:
        """Has the store overwrite what was forgotten, again and again."""
        while True:
            try:
                done = await self._journal.purge()
            except StoreError as error:
                log.warning("store not purged", extra={"reason": str(error)})
                done = False
            await asyncio.sleep(PURGE_S if done else PURGE_S / 4)

    async def _give(self, host: str, rows: list[JobRow]) -> None:
        if not rows:
            return
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._directory.create_host(host).take_up(rows)
        except (DittoError, TimeoutError) as error:
            log.warning("orphans not taken up", extra={"jobs": len(rows), "reason": str(error)})
