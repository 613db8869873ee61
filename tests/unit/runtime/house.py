"""A journal, a caller and holders of jobs, in memory, that can be killed."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

from ditto.domain.events import Failure, Reply
from ditto.domain.job import Completed, Job, fold
from ditto.domain.spec import JobSpec
from ditto.errors import HolderGone
from ditto.runtime.held import Capacity
from ditto.runtime.host import Host
from ditto.runtime.runner import utc_now
from ditto.store.memory import MemoryJournal
from tests.unit.domain.jobs import spec
from tests.unit.runtime.callers import CannedModels, KillableCaller

FAR = utc_now().replace(year=2999)
WAIT_S = 5.0


class House:
    """A journal, a caller and holders of jobs that can be killed."""

    def __init__(self, **answers: Reply | Failure) -> None:
        self.journal: MemoryJournal = MemoryJournal()
        self.models = CannedModels(answers)
        self.caller = KillableCaller(self.models)
        self._ids = itertools.count()
        self.hosts: list[Host] = []

    async def host(
        self,
        name: str = "host:0",
        *,
        capacity: Capacity = Capacity(),  # noqa: B008  # it is frozen
        isolate: Callable[[str], None] = lambda job_id: None,
    ) -> Host:
        host = Host(
            name,
            journal=self.journal,
            callers={"caller:0": self.caller},
            new_id=lambda: f"id {next(self._ids)}",
            lease_s=10,
            capacity=capacity,
            isolate=isolate,
        )
        self.hosts.append(host)
        await host.start()
        return host

    async def kill_9(self, host: Host) -> None:
        """Ends a holder as a crash does: it says nothing to anybody."""
        host._jobs.abandon()
        await host._lines.close()
        self.hosts.remove(host)

    async def lapse(self, host: Host) -> None:
        """Has a holder's lease run out, as if it had been frozen: others may take its jobs over."""
        while await self.journal.orphans(utc_now(), FAR):  # noqa: ASYNC110  # it has not written its lease yet
            await asyncio.sleep(0.001)
        await host._lease.release()

    async def ended(self, host: Host, job_id: str) -> Job:
        """Returns the job when it has ended, from its holder or, where that was quicker, from the journal."""
        try:
            job = await host.wait(job_id, WAIT_S)
        except HolderGone:
            job = fold(job_id, await self.journal.read(job_id))
        assert job.state.ended
        return job

    async def close(self) -> None:
        for host in self.hosts:
            await host.close()
        await self.caller.caller.close()


def asked(*models: str, **changes: object) -> JobSpec:
    return spec(*models, deadline_at=changes.pop("deadline_at", FAR), **changes)


def result(job: Job) -> object:
    assert isinstance(job.outcome, Completed)
    return job.outcome.verdict.result


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():  # noqa: ASYNC110  # the fakes have no events
            await asyncio.sleep(0.001)
