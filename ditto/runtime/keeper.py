"""The keeper, off the warm path: it refills spares, ends actors that have lingered, sweeps the journal, and drains.

Its death delays those and nothing else: all that it knows it can find out again.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable, Coroutine, Sequence

from ditto.errors import DittoError
from ditto.runtime.learning import Learner
from ditto.runtime.measures import JOB_ACTORS, SPARES
from ditto.runtime.placement import Directory, Standing, job_actors
from ditto.runtime.retiring import drain
from ditto.runtime.roles import CALLER, HOST, JOB
from ditto.runtime.runner import Clock, utc_now
from ditto.runtime.shares import Share, Windows
from ditto.runtime.sweep import Sweep
from ditto.runtime.watchdog import Watchdog
from ditto.settings import Runtime
from ditto.store.port import Journal
from ditto.tally import Tally
from ditto.version import VERSION

log = logging.getLogger("ditto.keeper")


PAUSE_S = 1.0
BURST_S = 5.0
"""In a burst a spare is begun so often at most: a process costs as much as hundreds of jobs on a host."""
_AT_ONCE = 2
KEPT_UP_S = 1.0
"""Where jobs come so far apart or further, two spares are begun at a time: one after the other they would not keep up,
each being two seconds of work. Where jobs come faster not even two would, and the machine is left to them."""
SPACED_S = 0.5
"""Jobs that come so far apart or further are no burst: each is to have an actor of its own."""
_PACE_OF = 3
"""Jobs with a spare of their own by which it is told how fast they come."""
RESPITE_S = 0.3
"""So long a job has the machine to itself before the next spare is begun: its acceptance, or all of a short job."""
EAGER_S = 0.1
"""Nor is it one where a spare was there for so long before it was taken."""
PATIENCE_S = 30.0
OTHERS_S = 5.0
"""How long another version's actors may still be met by who knew them, before they are drained."""


class Keeper:
    """Looks after the other actors.

    Args:
        hosts: The names of the shared hosts, one or more; any other host is another version's.
        callers: The names of the callers; likewise.
        dedicated_jobs: How many job actors there may be at once, spares among them.
        new_id: Mints job ids, under which spares wait.
    """

    def __init__(
        self,
        *,
        directory: Directory,
        journal: Journal,
        runtime: Runtime,
        hosts: Sequence[str],
        callers: Sequence[str],
        dedicated_jobs: int,
        new_id: Callable[[], str],
        clock: Clock = utc_now,
    ) -> None:
        self._directory = directory
        self._journal = journal
        self._runtime = runtime
        self._hosts = hosts
        self._callers = callers
        self._dedicated_jobs = dedicated_jobs
        self._new_id = new_id
        self._sweep = Sweep(
            directory=directory, journal=journal, hosts=hosts, retention_s=runtime.retention_s, clock=clock
        )
        self._learner = Learner(journal)
        self._windows = Windows()
        self._draining = False
        self._spares: list[str] = []
        self._next_spare_at_s = 0.0
        self._beginning = 0
        self._offered_at: dict[str, float] = {}
        self._taken_at: deque[float] = deque(maxlen=_PACE_OF)
        self._eager = False
        self._lingering: dict[str, float] = {}
        self._tally = Tally()
        self._idle: set[str] = set()
        self._changed = asyncio.Event()
        self._asked = asyncio.Event()
        self._refill = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Finds what an earlier instance has left, and begins to work."""
        await self._find_actors()
        sweep = self._sweep
        work = (
            self._keep_spares,
            self._keep_order,
            self._retire_others,
            Watchdog(self._directory, self._watched).watch,
            sweep.find_orphans,
            sweep.expire,
            sweep.purge,
            self._learner.learn,
        )
        self._tasks = [asyncio.create_task(self._kept_up(task)) for task in work]
        self._refill.set()

    async def standing(self, known: Standing, wait_s: float) -> Standing:
        """Returns which job actors are ready and so on, once that differs from `known` or `wait_s` is over."""
        self._asked.set()
        now = self._standing()
        if known == now:
            changed = self._changed
            try:
                async with asyncio.timeout(wait_s):
                    await changed.wait()
            except TimeoutError:
                pass
        return self._standing()

    async def drain(self, grace_s: float) -> int:
        """Has the whole service take no new jobs; returns after `grace_s`, or earlier when none runs.

        Returns:
            How many jobs had not ended. They go on after the next start.
        """
        self._draining = True
        self._tell()
        for task in self._tasks:
            task.cancel()
        return await drain(self._directory, self._journal, [*job_actors(self._directory), *self._hosts], grace_s)

    async def taken(self, name: str) -> None:
        """Notes that a spare has got its job."""
        if name in self._spares:
            self._spares.remove(name)
            self._tell()
            now_s = asyncio.get_running_loop().time()
            self._taken_at.append(now_s)
            self._eager = now_s - self._offered_at.pop(name, now_s - EAGER_S) < EAGER_S
        self._refill.set()

    async def share(self, name: str, limit: int, wanted: int) -> Share:
        """Returns how often a process may do something that all of them together may do so often in a minute."""
        return self._windows.share(name, limit, wanted)

    async def ended(self, name: str, counted: Tally) -> None:
        """Notes that a job's own actor has done its work, and what it counted; it stays reachable for a while."""
        if name not in self._lingering:
            self._tally.add(counted)
        self._lingering[name] = asyncio.get_running_loop().time()
        while len(self._lingering) > self._runtime.linger_limit:
            self._end(next(iter(self._lingering)))

    async def counted(self) -> Tally:
        """Returns what the jobs' own actors have counted that have ended, and how many of them there are."""
        counted = self._tally.copy()
        counted.count(SPARES, by=len(self._spares))
        counted.count(JOB_ACTORS, by=len(job_actors(self._directory)))
        return counted

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _kept_up(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Does a part of the work; where it stumbles it is begun anew, since nobody would see that it has ended."""
        while True:
            try:
                await work()
            except Exception:  # Ray's head that is away, or a bug: the keeper lives on, and so must all of its work
                log.exception("keeper stumbled")
                await asyncio.sleep(PAUSE_S)
            else:
                return

    async def _find_actors(self) -> None:
        for name in self._directory.names():
            if not name.startswith(JOB):
                continue
            try:
                async with asyncio.timeout(PAUSE_S):
                    status = await self._directory.host(name).status()
            except (DittoError, TimeoutError):
                continue  # it is starting or going; it is looked at again
            if not status.used and status.version != VERSION:
                self._directory.kill(name)
            elif not status.used:
                self._spares.append(name)
            elif status.open_jobs == 0:
                await self.ended(name, status.counted)
        self._tell()

    async def _keep_spares(self) -> None:
        """Starts a spare, then the hosts, then more spares, a few at once, so that the machine is left to the jobs.

        All but the first wait until somebody wants to know of them: who does is up, and needs the cores no more.
        """
        await self._add_spares(1)
        await self._asked.wait()
        for name in self._hosts:
            await self._started(name)
        await asyncio.gather(*(self._refilling() for _ in range(_AT_ONCE)))

    async def _refilling(self) -> None:
        while True:
            await self._refill.wait()
            self._refill.clear()
            await self._add_spares(self._runtime.spares)

    async def _add_spares(self, wanted: int) -> None:
        while len(self._spares) + self._beginning < min(wanted, self._runtime.spares):
            if len(job_actors(self._directory)) >= self._dedicated_jobs:
                return  # an actor that ends makes room
            if self._beginning and self._pace_s() < KEPT_UP_S:
                return  # the one that is being begun goes on with this afterwards
            self._beginning += 1
            try:
                await self._begin_spare()
            finally:
                self._beginning -= 1

    async def _begin_spare(self) -> None:
        loop = asyncio.get_running_loop()
        at_s = max([loop.time(), *(taken_at_s + RESPITE_S for taken_at_s in self._taken_at)])
        if not self._spares and self._in_burst():
            at_s = max(at_s, self._next_spare_at_s)
        self._next_spare_at_s = at_s + BURST_S
        await asyncio.sleep(at_s - loop.time())
        name = f"{JOB}{self._new_id()}"
        await self._started(name)
        self._spares.append(name)
        self._offered_at[name] = loop.time()
        self._tell()

    def _in_burst(self) -> bool:
        """Tells whether jobs come far faster than actors can be begun for them."""
        return self._pace_s() < SPACED_S or self._eager

    def _pace_s(self) -> float:
        """Returns how far apart the last jobs with a spare of their own came, as far apart as can be before that."""
        taken = self._taken_at
        full = len(taken) == taken.maxlen and len(taken) > 1
        return (taken[-1] - taken[0]) / (len(taken) - 1) if full else math.inf

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
            for name in sorted(set(self._spares) - set(living)):
                await self.taken(name)
            await self._account_for([name for name in living if name.startswith(JOB)])

    async def _account_for(self, actors: list[str]) -> None:
        """Ends, on the second look, each job's own actor that holds nothing and that nobody has told about."""
        idle: dict[str, Tally] = {}
        for name in actors:
            if name in self._spares or name in self._lingering:
                continue
            try:
                async with asyncio.timeout(PATIENCE_S):
                    status = await self._directory.host(name).status()
            except (DittoError, TimeoutError):
                continue  # it is starting, going, or busy
            if status.open_jobs == 0:
                idle[name] = status.counted
        for name in sorted(idle.keys() & self._idle):
            await self.ended(name, idle[name])
        self._idle = idle.keys() - self._idle

    def _watched(self) -> list[str]:
        return [*self._hosts, *self._callers, *job_actors(self._directory)]

    async def _retire_others(self) -> None:
        """Drains the hosts that another version of the code has left, and then ends its callers."""
        await asyncio.sleep(OTHERS_S)
        while True:
            others = [name for name in self._directory.names() if name.startswith(HOST) and name not in self._hosts]
            if others:
                left = await drain(self._directory, self._journal, others, self._runtime.drain_s)
                log.info("another version's hosts retired", extra={"hosts": others, "jobs_left": left})
            for name in others:
                self._directory.kill(name)
            if not others and await self._all_of_this_version():
                for name in self._directory.names():
                    if name.startswith(CALLER) and name not in self._callers:
                        self._directory.kill(name)
                return
            await asyncio.sleep(OTHERS_S)

    async def _all_of_this_version(self) -> bool:
        try:
            async with asyncio.timeout(PATIENCE_S):
                return all(
                    [
                        (await self._directory.host(name).status()).version == VERSION
                        for name in job_actors(self._directory)
                    ]
                )
        except (DittoError, TimeoutError):
            return False

    def _end(self, name: str) -> None:
        self._lingering.pop(name, None)
        self._directory.kill(name)
        self._refill.set()

    def _standing(self) -> Standing:
        return Standing(spares=tuple(sorted(self._spares)), draining=self._draining)

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
