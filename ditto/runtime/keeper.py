"""The keeper, off the warm path: it refills spares, ends actors that have lingered, and finds jobs that nobody holds.

Its death delays those and nothing else: all that it knows it can find out again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from ditto.errors import DittoError, StoreError
from ditto.runtime.host import PREFIX
from ditto.runtime.placement import Directory
from ditto.runtime.runner import Clock, utc_now
from ditto.settings import Runtime
from ditto.store.port import Journal

log = logging.getLogger("ditto.keeper")

PAUSE_S = 1.0
PATIENCE_S = 30.0


class Keeper:
    """Looks after the other actors.

    Args:
        hosts: The names of the shared hosts, one or more.
        new_id: Mints job ids, under which spares wait.
    """

    def __init__(
        self,
        *,
        directory: Directory,
        journal: Journal,
        runtime: Runtime,
        hosts: Sequence[str],
        new_id: Callable[[], str],
        clock: Clock = utc_now,
    ) -> None:
        self._directory = directory
        self._journal = journal
        self._runtime = runtime
        self._hosts = hosts
        self._new_id = new_id
        self._clock = clock
        self._spares: list[str] = []
        self._lingering: dict[str, float] = {}
        self._idle: set[str] = set()
        self._changed = asyncio.Event()
        self._refill = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Finds what an earlier instance has left, and begins to work."""
        await self._find_actors()
        self._tasks = [asyncio.create_task(work()) for work in (self._keep_spares, self._keep_order, self._sweep)]
        self._refill.set()

    async def spares(self, known: list[str], wait_s: float) -> list[str]:
        """Returns the names of the job actors that are ready, once they differ from `known` or `wait_s` is over."""
        if sorted(known) == sorted(self._spares):
            changed = self._changed
            try:
                async with asyncio.timeout(wait_s):
                    await changed.wait()
            except TimeoutError:
                pass
        return list(self._spares)

    async def taken(self, name: str) -> None:
        """Notes that a spare has got its job."""
        if name in self._spares:
            self._spares.remove(name)
            self._tell()
        self._refill.set()

    async def ended(self, name: str) -> None:
        """Notes that a job's own actor has done its work; it stays reachable for a while."""
        self._lingering[name] = asyncio.get_running_loop().time()
        while len(self._lingering) > self._runtime.linger_limit:
            self._end(next(iter(self._lingering)))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _find_actors(self) -> None:
        for name in self._directory.names():
            if not name.startswith(PREFIX):
                continue
            try:
                async with asyncio.timeout(PAUSE_S):
                    status = await self._directory.host(name).status()
            except (DittoError, TimeoutError):
                continue  # it is starting or going; it is looked at again
            if not status.used:
                self._spares.append(name)
            elif status.open_jobs == 0:
                await self.ended(name)
        self._tell()

    async def _keep_spares(self) -> None:
        """Starts a spare, the hosts, more spares, one after the other, so that the machine is left to the jobs."""
        await self._add_spares(1)
        for name in self._hosts:
            await self._started(name)
        while True:
            await self._refill.wait()
            self._refill.clear()
            await self._add_spares(self._runtime.spares)

    async def _add_spares(self, wanted: int) -> None:
        while len(self._spares) < min(wanted, self._runtime.spares):
            name = f"{PREFIX}{self._new_id()}"
            await self._started(name)
            self._spares.append(name)
            self._tell()

    async def _started(self, name: str) -> None:
        """Returns when the holder of this name is there, begun now if it was not."""
        while True:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await self._directory.create_host(name).status()
            except (DittoError, TimeoutError):
                await asyncio.sleep(PAUSE_S)
            else:
                return

    async def _keep_order(self) -> None:
        """Ends actors whose time is over, and notices spares that have died."""
        while True:
            await asyncio.sleep(max(PAUSE_S, self._runtime.linger_s / 4))
            now = asyncio.get_running_loop().time()
            for name, since in list(self._lingering.items()):
                if now - since >= self._runtime.linger_s:
                    self._end(name)
            living = self._directory.names()
            for name in set(self._spares) - set(living):
                await self.taken(name)
            await self._account_for([name for name in living if name.startswith(PREFIX)])

    async def _account_for(self, actors: list[str]) -> None:
        """Ends, on the second look, each job's own actor that holds nothing and that nobody has told about."""
        idle = set()
        for name in actors:
            if name in self._spares or name in self._lingering:
                continue
            try:
                async with asyncio.timeout(PATIENCE_S):
                    status = await self._directory.host(name).status()
            except (DittoError, TimeoutError):
                continue  # it is starting, going, or busy
            if status.open_jobs == 0:
                idle.add(name)
        for name in idle & self._idle:
            await self.ended(name)
        self._idle = idle - self._idle

    async def _sweep(self) -> None:
        """Finds accepted jobs that nobody holds and gives them to a shared host."""
        while True:
            now = self._clock()
            try:
                orphans = await self._journal.orphans(now, now - timedelta(seconds=self._runtime.lease_s))
            except StoreError as error:
                log.warning("sweep failed", extra={"reason": str(error)})
                orphans = []
            for place, row in enumerate(orphans):
                host = self._directory.create_host(self._hosts[place % len(self._hosts)])
                try:
                    async with asyncio.timeout(PATIENCE_S):
                        await host.adopt(row.job_id)
                except (DittoError, TimeoutError) as error:
                    log.warning("orphan not adopted", extra={"job_id": row.job_id, "reason": str(error)})
            await asyncio.sleep(self._runtime.lease_s / 2)

    def _end(self, name: str) -> None:
        self._lingering.pop(name, None)
        self._directory.kill(name)

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
