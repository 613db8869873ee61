"""The Ray actors: what each of them is made of, and how it is begun.

Every actor has a name in the namespace `ditto`, is detached and restarted for ever; what it held it finds again in the
journal. A job's own actor is `job:<id>`, a shared holder `host:<n>-<cluster and version>`, a caller of models
`caller:<n>-<version>`; there is one `keeper`, and one `sim` where simulated models are asked.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayError

from ditto.domain.job import Job
from ditto.domain.spec import JobSpec
from ditto.errors import ConfigurationError, DittoError, HolderGone, StoreError, StoreUnavailable
from ditto.providers.limits.gates import Gates
from ditto.providers.limits.sharing import Report, Told
from ditto.providers.limits.stake import Stake
from ditto.runtime import tracing
from ditto.runtime.actors.logs import log_lines
from ditto.runtime.actors.names import KEEPER, SIM, caller_names, new_id
from ditto.runtime.actors.packing import takes_packed
from ditto.runtime.actors.refs import NAMESPACE, CallerRef, HostRef, KeeperRef
from ditto.runtime.asking import Asked, Heard
from ditto.runtime.caller import Asks, Caller
from ditto.runtime.drafts import Known, Piece
from ditto.runtime.following import News, Place
from ditto.runtime.held import Capacity
from ditto.runtime.host import PREFIX, Host, HostStatus
from ditto.runtime.measures import COMMITS, RATE_LIMITED, RATE_LIMITED_SECONDS, TURN_SECONDS
from ditto.runtime.orders import Batch, Order, Seen
from ditto.runtime.partaking import Partaker
from ditto.runtime.simulated import SimulatedOnDemand
from ditto.settings import Settings
from ditto.settings.endpoints import Endpoint
from ditto.store import opening
from ditto.store.port import Claim, JobRow, Journal
from ditto.tally import Tally
from ditto.version import VERSION

HEAD = "node:__internal_head__"
"""The resource by which Ray marks the head node."""
ON_HEAD = {HEAD: 0.0001}
"""What an actor asks for that may live on the head node alone."""
START_PAUSE_S = 1.0
APART_S = 60.0
_AT_ONCE = 100_000

log = logging.getLogger("ditto.actors")


def check_version(version: str) -> None:
    """Ends an actor that Ray has begun again with other code than it was created with."""
    if version != VERSION:
        raise ConfigurationError(f"this actor was created by Ditto {version}; this process runs {VERSION}")


class _JobActor:
    """Holds one job under the name `job:<id>`, or many under the name `host:<n>`."""

    def __init__(self, name: str, settings: Settings, version: str) -> None:
        check_version(version)
        log_lines()
        tracing.begin(settings.traces)
        self._settings = settings
        self._journal = open_journal(settings)
        self._host = Host(
            name,
            journal=self._journal,
            callers={name: caller_ref(name, settings) for name in caller_names(settings)},
            new_id=new_id,
            lease_s=settings.runtime.lease_s,
            capacity=Capacity(running=settings.limits.running_jobs, waiting=settings.limits.waiting_jobs),
            ended=lambda: self._do(self._tell_keeper()),
            isolate=lambda job_id: self._do(self._take_apart(job_id)),
            replaced=lambda: self._do(_end()),
            pid=os.getpid(),
        )
        self._name = name
        self._tasks = {begin(self._host.start)}

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

    async def wait(self, job_id: str, timeout_s: float) -> Job:
        return await self._host.wait(job_id, timeout_s)

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

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell_keeper(self) -> None:
        try:
            await KeeperRef(KEEPER).ended(self._name, (await self.status()).counted)
        except HolderGone:
            return  # the next keeper finds this actor by itself

    async def _take_apart(self, job_id: str) -> None:
        try:
            async with asyncio.timeout(APART_S):
                await host_ref(f"{PREFIX}{job_id}", self._settings).adopt(job_id)
        except (DittoError, TimeoutError) as error:  # the next look at the journal tries again
            log.warning("job not taken apart", extra={"job_id": job_id, "reason": str(error)})


class _CallerActor:
    """Does the model calls of all jobs as remote work that outlives the jobs' own processes.

    `call_models` carries the remote model-call tasks of a job. Several go in one, because each Ray task costs about a
    millisecond and a fresh worker process far more: three hundred calls as tasks of their own took 600 ms above the
    floor, gathered they take 40.
    """

    def __init__(self, name: str, settings: Settings, version: str) -> None:
        check_version(version)
        log_lines()
        tracing.begin(settings.traces)
        tally = Tally()
        stake = Stake(settings.rate_limits, settings.runtime.callers)
        gates = Gates(
            settings.rate_limits,
            settings.circuit,
            stake=stake,
            waited=lambda provider, name, seconds: tally.observe(TURN_SECONDS, (provider, name), seconds),
        )

        def limited(provider: str, name: str, seconds: float) -> None:
            tally.count(RATE_LIMITED, (provider, name))
            tally.count(RATE_LIMITED_SECONDS, (provider, name), seconds)

        from ditto.providers.models import Models  # heavy, and needed in no other actor

        def models(providers: Mapping[str, Endpoint]) -> Models:
            return Models(
                providers,
                os.environ,
                reply_limit_bytes=settings.limits.reply_bytes,
                gates=gates,
                limited=limited,
            )

        async def simulated() -> Models:
            return models(settings.with_sim(await sim_url()).providers)

        asks: Asks = models(settings.providers)
        if settings.sim_url is None:
            asks = SimulatedOnDemand(asks, simulated)
        keeper = KeeperRef(KEEPER)

        async def deal(report: Report) -> Told:
            return await keeper.deal(name, report)

        if stake.shared:
            self._partaking = begin(Partaker(gates, stake, deal).keep_up)
        self._caller = Caller(name, new_id(), asks, tally=tally, standing=gates.standing)

    async def ping(self) -> None:
        return None

    @takes_packed
    async def call_models(self, holder: str, epoch: int, orders: list[Order], cancelled: list[str]) -> str:
        return await self._caller.call_models(holder, epoch, orders, cancelled)

    @takes_packed
    async def poll(self, holder: str, epoch: int, seen: Seen, journalled: list[str], wait_s: float) -> Batch:
        return await self._caller.poll(holder, epoch, seen, journalled, wait_s)

    async def hear(self, holder: str, heard: dict[str, Known], wait_s: float) -> list[Piece]:
        return await self._caller.hear(holder, heard, wait_s)

    async def status(self) -> dict[str, int]:
        return {**self._caller.status(), "pid": os.getpid()}

    async def counted(self) -> Tally:
        return self._caller.counted()


class _SimActor:
    """Serves the simulated models on loopback, on the port that it was created with."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._start = begin(self._serve)

    async def url(self) -> str:
        return await asyncio.shield(self._url)

    async def _serve(self) -> None:
        from ditto.sim import server as sim_server  # likewise

        self._running = await sim_server.start("127.0.0.1", self._port)
        self._url.set_result(self._running.url)


def actor(kind: type) -> Any:
    """Returns the Ray actor of a plain class: it takes no core, comes back for ever, and does much at once."""
    options: dict[str, Any] = {"num_cpus": 0, "max_restarts": -1, "max_concurrency": _AT_ONCE}
    return ray.remote(**options)(kind)


JobActor = actor(_JobActor)
CallerActor = actor(_CallerActor)
SimActor = actor(_SimActor)


def host_ref(name: str, settings: Settings) -> HostRef:
    """Returns the holder of this name, which is begun when it is called and not there."""
    return HostRef(
        name, new_id, lambda: create(JobActor, name, name, settings, VERSION, with_journal=settings.store_is_file)
    )


def caller_ref(name: str, settings: Settings) -> CallerRef:
    """Returns a caller of models, which is begun when it is called and not there."""
    return CallerRef(name, lambda: create(CallerActor, name, name, settings, VERSION))


async def sim_url() -> str:
    """Returns the address of this cluster's simulated models, started now if they are not there.

    Raises:
        HolderGone: They do not start.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    try:
        url: str = await create(SimActor, SIM, port).url.remote()
    except RayError as error:
        raise HolderGone(f"the simulated models do not start: {type(error).__name__}") from error
    return url


def create(kind: Any, name: str, *args: Any, with_journal: bool = False) -> ActorHandle[Any]:
    """Returns the actor of this name, begun now if it is not there.

    Args:
        with_journal: It opens the journal, which is a file of the head node's: it may live nowhere else.
    """
    handle: ActorHandle[Any] = kind.options(
        name=name,
        namespace=NAMESPACE,
        lifetime="detached",
        get_if_exists=True,
        resources=ON_HEAD if with_journal else None,
    ).remote(*args)
    return handle


async def _end() -> None:
    """Ends this process a moment later, so that who waits for an answer gets it; where it is to be there, Ray begins it
    again.
    """
    await asyncio.sleep(START_PAUSE_S)
    os._exit(1)


def open_journal(settings: Settings) -> Journal:
    """Returns this actor's journal; where it cannot be opened the process ends, and Ray begins it again."""
    try:
        return opening.open_journal(settings.store)
    except (StoreError, ConfigurationError):
        log.exception("journal not opened")
        time.sleep(START_PAUSE_S)
        os._exit(1)


def begin(start: Callable[[], Coroutine[None, None, None]]) -> asyncio.Task[None]:
    """Runs an actor's start in the background."""
    return asyncio.get_running_loop().create_task(_start_or_exit(start))


async def _start_or_exit(start: Callable[[], Coroutine[None, None, None]]) -> None:
    """Starts, again and again while the store is away; for any other failure Ray begins the process again."""
    while True:
        try:
            await start()
        except StoreUnavailable as error:
            log.warning("start waits for the store", extra={"reason": str(error)})
            await asyncio.sleep(START_PAUSE_S)
        except Exception:  # whatever it is, it is logged, and Ray begins the process again
            log.exception("start failed")
            await asyncio.sleep(START_PAUSE_S)
            os._exit(1)
        else:
            return
