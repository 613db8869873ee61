"""The actor that holds jobs: one, under the name `job:<id>`, or many, under the name `host:<n>`."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Coroutine

from ditto.domain import strategies
from ditto.domain.job import Job
from ditto.domain.spec import JobSpec
from ditto.errors import ConfigurationError, DittoError, HolderGone, StoreError
from ditto.runtime import freed_memory, garbage, tracing
from ditto.runtime.actors.beginning import START_PAUSE_S, actor, begin, check_version, create
from ditto.runtime.actors.channels import listen_as
from ditto.runtime.actors.homes import here
from ditto.runtime.actors.logs import log_lines
from ditto.runtime.actors.model_callers import caller_ref
from ditto.runtime.actors.names import KEEPER, caller_names, new_id
from ditto.runtime.actors.packing import packed, takes_packed
from ditto.runtime.actors.refs import HostRef, KeeperRef
from ditto.runtime.asking import Asked, Heard
from ditto.runtime.following import News, Place
from ditto.runtime.held import Capacity
from ditto.runtime.host import Host, HostStatus
from ditto.runtime.measures import COMMITS
from ditto.runtime.rehearsal import rehearsed
from ditto.runtime.roles import JOB
from ditto.runtime.runner import utc_now
from ditto.settings import Settings
from ditto.store import opening
from ditto.store.port import Claim, JobRow, Journal
from ditto.version import VERSION

APART_S = 60.0
ANSWER_S = 0.1
"""So long after a job's end its own actor looks for the keeper: that holds this process up for 40 ms, and who waits for
the job is to have his answer before."""

log = logging.getLogger("ditto.actors")


class _JobActor:
    """Holds one job under the name `job:<id>`, or many under the name `host:<n>`."""

    def __init__(self, name: str, settings: Settings, version: str) -> None:
        check_version(version)
        freed_memory.give_back()
        log_lines()
        tracing.begin(settings.traces)
        self._settings = settings
        self._journal = open_journal(settings)
        self._callers = {name: caller_ref(name, settings) for name in caller_names(settings)}
        self._host = Host(
            name,
            journal=self._journal,
            callers=self._callers,
            new_id=new_id,
            lease_s=settings.runtime.lease_s,
            capacity=Capacity(running=settings.limits.running_jobs, waiting=settings.limits.waiting_jobs),
            ended=lambda: self._do(self._tell_keeper()),
            isolate=lambda job_id: self._do(self._take_apart(job_id)),
            replaced=lambda: self._do(_end()),
            near=here(list(self._callers)) if settings.stays_near else (),
            pid=os.getpid(),
        )
        self._name = name
        self._listening: asyncio.Server | None = None
        self._tasks = {begin(self._start)}

    async def ping(self) -> None:
        return None

    @takes_packed
    async def accept(self, job_id: str, spec: JobSpec, claim: Claim | None, wait_s: float) -> Job:
        return await self._host.accept(job_id, spec, claim, wait_s)

    @takes_packed
    async def accept_all(self, line: str, asked: list[Asked], wait_s: float) -> int:
        return await self._host.accept_all(line, asked, wait_s)

    @takes_packed
    async def came(self, line: str, seen: int, wait_s: float) -> Heard:
        return await self._host.came(line, seen, wait_s)

    async def adopt(self, job_id: str) -> None:
        await self._host.adopt(job_id)

    async def take_up(self, rows: list[JobRow]) -> None:
        await self._host.take_up(rows)

    async def retry(self, job_id: str) -> Job:
        return await self._host.retry(job_id)

    @takes_packed
    async def wait(self, job_id: str, timeout_s: float) -> Job:
        return await self._host.wait(job_id, timeout_s)

    @takes_packed
    async def follow(self, job_id: str, place: Place, wait_s: float) -> News:
        return await self._host.follow(job_id, place, wait_s)

    async def cancel(self, job_id: str) -> Job:
        return await self._host.cancel(job_id)

    async def status(self) -> HostStatus:
        status = await self._host.status()
        status.counted.count(COMMITS, by=self._journal.commits)
        return status

    async def drain(self) -> None:
        await self._host.drain()

    async def close(self) -> None:
        await self._host.close()

    async def _start(self) -> None:
        """Starts; then, while it waits for jobs or models, loads what their replies will need and rehearses a job."""
        if self._listening is None:
            methods = (self.accept, self.accept_all, self.came, self.wait, self.follow)
            self._listening = await listen_as(self._name, methods)
        await self._host.start()
        await asyncio.gather(*(caller.reach() for caller in self._callers.values()))
        await asyncio.to_thread(strategies.load_merging)
        try:
            packed(await asyncio.to_thread(rehearsed, utc_now))
        except Exception:  # it makes the first job quicker, and nothing else
            log.exception("not rehearsed")
        garbage.look_rarely()

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell_keeper(self) -> None:
        await asyncio.sleep(ANSWER_S)
        try:
            await KeeperRef(KEEPER).ended(self._name, (await self.status()).counted)
        except HolderGone:
            return  # the next keeper finds this actor by itself

    async def _take_apart(self, job_id: str) -> None:
        try:
            async with asyncio.timeout(APART_S):
                await host_ref(f"{JOB}{job_id}", self._settings).adopt(job_id)
        except (DittoError, TimeoutError) as error:  # the next look at the journal tries again
            log.warning("job not taken apart", extra={"job_id": job_id, "reason": str(error)})


JobActor = actor(_JobActor)


def host_ref(name: str, settings: Settings) -> HostRef:
    """Returns the holder of this name, which is begun when it is called and not there."""
    return HostRef(
        name, new_id, lambda: create(JobActor, name, name, settings, VERSION, with_journal=settings.store_is_file)
    )


def open_journal(settings: Settings) -> Journal:
    """Returns this actor's journal; where it cannot be opened the process ends, and Ray begins it again."""
    try:
        return opening.open_journal(settings.store)
    except (StoreError, ConfigurationError):
        log.exception("journal not opened")
        time.sleep(START_PAUSE_S)
        os._exit(1)


async def _end() -> None:
    """Ends this process a moment later, so that who waits for an answer gets it; where it is to be there, Ray begins it
    again.
    """
    await asyncio.sleep(START_PAUSE_S)
    os._exit(1)
