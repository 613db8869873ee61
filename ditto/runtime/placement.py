"""Where a job lives: in an actor of its own while a spare is there, on a shared host beyond."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ditto.domain.job import Job
from ditto.domain.spec import JobSpec, Placement
from ditto.errors import DittoError, RateLimited, Unavailable
from ditto.runtime.following import News, Place
from ditto.runtime.host import HostStatus
from ditto.runtime.roles import JOB, KEEPER
from ditto.runtime.shares import Share
from ditto.store.port import Claim, JobRow
from ditto.tally import Tally

PAUSE_S = 1.0
POLL_S = 30.0
PATIENCE_S = 30.0
"""A keeper that is silent for so much longer than it was asked to wait is frozen."""


class HostPort(Protocol):
    """A holder of jobs in another process. Every method may raise `HolderGone` when that process is not there."""

    async def accept(self, job_id: str, spec: JobSpec, claim: Claim | None, wait_s: float) -> Job: ...

    async def take_up(self, rows: list[JobRow]) -> None: ...

    async def retry(self, job_id: str) -> Job: ...

    async def wait(self, job_id: str, timeout_s: float) -> Job: ...

    async def follow(self, job_id: str, place: Place, wait_s: float) -> News: ...

    async def cancel(self, job_id: str) -> Job: ...

    async def status(self) -> HostStatus: ...

    async def drain(self) -> None: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the keeper tells: the job actors that are ready, and whether the service is about to stop."""

    spares: tuple[str, ...] = ()
    draining: bool = False


class KeeperPort(Protocol):
    """The keeper in another process. Every method may raise `HolderGone`."""

    async def standing(self, known: Standing, wait_s: float) -> Standing: ...

    async def taken(self, name: str) -> None: ...

    async def share(self, name: str, limit: int, wanted: int) -> Share: ...

    async def ended(self, name: str, counted: Tally) -> None: ...


class Directory(Protocol):
    """The actors of this cluster by name."""

    def host(self, name: str) -> HostPort:
        """Returns the holder of this name, which need not be alive."""
        ...

    def create_host(self, name: str) -> HostPort:
        """Returns the holder of this name, begun now if it is not there."""
        ...

    def keeper(self) -> KeeperPort: ...

    def kill(self, name: str) -> None:
        """Ends an actor for good; harmless when it is not there."""
        ...

    async def ping(self, name: str) -> None:
        """Returns when the actor of this name has answered.

        Raises:
            HolderGone: It is not there.
        """
        ...

    def restart(self, name: str) -> None:
        """Ends an actor's process, frozen or not; another is begun in its place."""
        ...

    def names(self) -> list[str]:
        """Returns the names of all living actors of Ditto."""
        ...


def job_actors(directory: Directory) -> list[str]:
    """Returns the names of the job actors that are there: spares, running ones, and those that linger."""
    return [name for name in directory.names() if name.startswith(JOB)]


class Spares:
    """The job actors that are ready, as this process knows them; kept up with the keeper in the background."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._ready: deque[str] = deque()
        self._told = Standing()
        self._task: asyncio.Task[None] | None = None
        self._heard = asyncio.Event()
        self._notes: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begins to follow the keeper; needs a running loop."""
        self._task = asyncio.get_running_loop().create_task(self._follow())

    @property
    def draining(self) -> bool:
        """Whether the service takes no new jobs."""
        return self._told.draining

    async def heard(self, patience_s: float) -> None:
        """Returns when the keeper has said which spares there are, or after `patience_s`."""
        try:
            async with asyncio.timeout(patience_s):
                await self._heard.wait()
        except TimeoutError:
            return

    def offer(self, name: str) -> None:
        """Adds a spare that is known to be there before the keeper has said so."""
        self._ready.append(name)

    def take(self) -> str | None:
        """Returns a spare's name, which no other job of this process gets; None where there is none."""
        if not self._ready:
            return None
        name = self._ready.popleft()
        if self._task is None:
            return name  # who follows no keeper tells it nothing either
        note = asyncio.get_running_loop().create_task(self._note(name))
        self._notes.add(note)
        note.add_done_callback(self._notes.discard)
        return name

    async def close(self) -> None:
        tasks = [*self._notes, *([self._task] if self._task is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _note(self, name: str) -> None:
        try:
            await self._directory.keeper().taken(name)
        except DittoError:
            return  # the keeper finds out by itself when it comes back

    async def _follow(self) -> None:
        while True:
            wait_s = POLL_S if self._heard.is_set() else 0.0
            try:
                async with asyncio.timeout(wait_s + PATIENCE_S):
                    now = await self._directory.keeper().standing(self._told, wait_s)
            except TimeoutError:
                self._directory.restart(KEEPER)  # it is frozen
                continue
            except DittoError:
                await asyncio.sleep(PAUSE_S)
                continue
            self._ready.extend(name for name in now.spares if name not in self._told.spares and name not in self._ready)
            gone = set(self._told.spares) - set(now.spares)
            self._ready = deque(name for name in self._ready if name not in gone)
            self._told = now
            self._heard.set()


class Placer:
    """Gives each job its holder.

    Args:
        hosts: The names of the shared hosts, one or more.
        near: Those of them that are given new jobs, all where none is named; retries, and jobs whose near host cannot
            be reached, go round all.
        dedicated_jobs: How many job actors there may be at once.
        new_id: Mints job ids.
    """

    def __init__(
        self,
        directory: Directory,
        spares: Spares,
        *,
        hosts: Sequence[str],
        dedicated_jobs: int,
        new_id: Callable[[], str],
        near: Sequence[str] = (),
    ) -> None:
        self._directory = directory
        self._spares = spares
        self._dedicated_jobs = dedicated_jobs
        self._new_id = new_id
        self._near = itertools.cycle(near or hosts)
        self._turn = itertools.cycle(hosts)

    def place(self, placement: Placement) -> tuple[str, HostPort]:
        """Returns a new job's id and its holder.

        Raises:
            RateLimited: A job is to have an actor of its own, and there are as many as may be.
            Unavailable: The service takes no new jobs.
        """
        if self._spares.draining:
            raise Unavailable("the service is draining: it stops or is being replaced")
        if placement is not Placement.SHARED and (spare := self._spares.take()) is not None:
            return spare.removeprefix(JOB), self._directory.host(spare)
        job_id = self._new_id()
        if placement is Placement.DEDICATED:
            if len(job_actors(self._directory)) >= self._dedicated_jobs:
                raise RateLimited(f"the service is full: {self._dedicated_jobs} jobs have an actor of their own")
            return job_id, self._directory.create_host(f"{JOB}{job_id}")
        return job_id, self._directory.create_host(next(self._near))

    def shared(self) -> HostPort:
        """Returns the next shared host."""
        return self._directory.create_host(next(self._turn))

    def holding(self, name: str) -> HostPort:
        """Returns the holder of this name."""
        return self._directory.host(name)
