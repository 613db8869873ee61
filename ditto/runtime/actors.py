"""The one module that makes Ray actors of plain classes, and the only one that calls `.remote`.

Every actor has a name in the namespace `ditto`, is detached and restarted for ever; what it held it finds again in the
journal. A job's own actor is `job:<id>`, a shared holder `host:<n>-<cluster>`, a caller of models `caller:<n>`; there
is one `keeper`, and one `sim` where simulated models are asked. Calls that cannot reach their actor raise `HolderGone`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Coroutine, Mapping
from typing import Any
from zlib import crc32

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayActorError, RayError, RayTaskError
from ray.util import list_named_actors
from ulid import ULID

from ditto.domain.events import Recorded
from ditto.domain.job import Job
from ditto.domain.spec import JobSpec
from ditto.errors import ConfigurationError, DittoError, HolderGone, InternalError, StoreError
from ditto.providers.models import Models
from ditto.runtime.caller import Asks, Caller
from ditto.runtime.host import PREFIX, Host, HostStatus
from ditto.runtime.keeper import Keeper
from ditto.runtime.orders import Batch, Order, Seen
from ditto.runtime.simulated import SimulatedOnDemand
from ditto.settings import Settings
from ditto.settings.endpoints import Endpoint
from ditto.sim import server as sim_server
from ditto.store.port import Claim
from ditto.store.sqlite import SqliteJournal

NAMESPACE = "ditto"
KEEPER = "keeper"
SIM = "sim"
START_PAUSE_S = 1.0
_AT_ONCE = 100_000
_KNOWN = 1000
"""Holders whose handle a process keeps: looking one up asks Ray's head and blocks for it."""

log = logging.getLogger("ditto.actors")


def new_id() -> str:
    """Returns an id that sorts by the moment at which it was made."""
    return str(ULID())


def caller_names(settings: Settings) -> list[str]:
    """Returns the names of the callers of models."""
    return [f"caller:{number}" for number in range(settings.runtime.callers)]


class _JobActor:
    """Holds one job under the name `job:<id>`, or many under the name `host:<n>`."""

    def __init__(self, name: str, settings: Settings) -> None:
        self._host = Host(
            name,
            journal=_journal(settings),
            callers={caller: CallerRef(caller, settings) for caller in caller_names(settings)},
            new_id=new_id,
            lease_s=settings.runtime.lease_s,
            ended=self._tell_keeper,
            pid=os.getpid(),
        )
        self._name = name
        self._tasks = {_begin(self._host.start())}

    async def accept(self, job_id: str, spec: JobSpec, claim: Claim | None) -> Job:
        return await self._host.accept(job_id, spec, claim)

    async def adopt(self, job_id: str) -> None:
        await self._host.adopt(job_id)

    async def wait(self, job_id: str, timeout_s: float) -> Job:
        return await self._host.wait(job_id, timeout_s)

    async def events(self, job_id: str, after: int, wait_s: float) -> list[Recorded]:
        return await self._host.events(job_id, after, wait_s)

    async def cancel(self, job_id: str) -> Job:
        return await self._host.cancel(job_id)

    async def status(self) -> HostStatus:
        return await self._host.status()

    def _tell_keeper(self) -> None:
        task = asyncio.get_running_loop().create_task(self._ended())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ended(self) -> None:
        try:
            await KeeperRef().ended(self._name)
        except HolderGone:
            return  # the next keeper finds this actor by itself


class _CallerActor:
    """Does the model calls of all jobs as remote work that outlives the jobs' own processes.

    `call_models` carries the remote model-call tasks of a job. Several go in one, because each Ray task costs about a
    millisecond and a fresh worker process far more: three hundred calls as tasks of their own took 600 ms above the
    floor, gathered they take 40.
    """

    def __init__(self, name: str, settings: Settings) -> None:
        def models(providers: Mapping[str, Endpoint]) -> Models:
            return Models(providers, os.environ, reply_limit_bytes=settings.limits.reply_bytes)

        async def simulated() -> Models:
            return models(settings.with_sim(await sim_url()).providers)

        asks: Asks = models(settings.providers)
        if settings.sim_url is None:
            asks = SimulatedOnDemand(asks, simulated)
        self._caller = Caller(name, new_id(), asks)

    async def call_models(self, holder: str, epoch: int, orders: list[Order], cancelled: list[str]) -> str:
        return await self._caller.call_models(holder, epoch, orders, cancelled)

    async def poll(self, holder: str, epoch: int, seen: Seen, journalled: list[str], wait_s: float) -> Batch:
        return await self._caller.poll(holder, epoch, seen, journalled, wait_s)

    async def status(self) -> dict[str, int]:
        return {**self._caller.status(), "pid": os.getpid()}


class _KeeperActor:
    """Looks after the other actors; off the warm path."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keeper = Keeper(
            directory=Actors(settings),
            journal=_journal(settings),
            runtime=settings.runtime,
            hosts=shared_names(settings),
            new_id=new_id,
        )
        self._start = _begin(self._keeper.start())

    async def spares(self, known: list[str], wait_s: float) -> list[str]:
        return await self._keeper.spares(known, wait_s)

    async def taken(self, name: str) -> None:
        await self._keeper.taken(name)

    async def ended(self, name: str) -> None:
        await self._keeper.ended(name)

    async def settings(self) -> Settings:
        return self._settings

    async def pid(self) -> int:
        return os.getpid()


class _SimActor:
    """Serves the simulated models on loopback, on the port that it was created with."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._start = _begin(self._serve())

    async def url(self) -> str:
        return await asyncio.shield(self._url)

    async def _serve(self) -> None:
        self._running = await sim_server.start("127.0.0.1", self._port)
        self._url.set_result(self._running.url)


def shared_names(settings: Settings) -> list[str]:
    """Returns the names of the shared hosts.

    They are this cluster's own: several clusters may share one journal, in which a name is one holder's.
    """
    cluster = crc32(ray.get_runtime_context().get_session_name().encode())
    return [f"host:{number}-{cluster:08x}" for number in range(settings.runtime.hosts)]


def _actor(kind: type) -> Any:
    """Returns the Ray actor of a plain class: it takes no core, comes back for ever, and does much at once."""
    options: dict[str, Any] = {"num_cpus": 0, "max_restarts": -1, "max_concurrency": _AT_ONCE}
    return ray.remote(**options)(kind)


JobActor = _actor(_JobActor)
CallerActor = _actor(_CallerActor)
KeeperActor = _actor(_KeeperActor)
SimActor = _actor(_SimActor)


class _Ref:
    """An actor by name; finds it again after it was replaced."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._handle: ActorHandle[Any] | None = None

    async def _call(self, method: str, *args: Any) -> Any:
        try:
            if self._handle is None:
                self._handle = self._find()
            return await getattr(self._handle, method).remote(*args)
        except RayTaskError as error:
            if isinstance(error.cause, DittoError):
                raise error.cause from None
            log.exception("actor failed", extra={"actor": self._name, "method": method})
            raise InternalError(f"{self._name} failed: {type(error.cause).__name__}; the log says more") from error
        except (RayError, ValueError) as error:
            self._handle = None
            raise HolderGone(f"actor {self._name} cannot be reached: {type(error).__name__}") from error

    def _find(self) -> ActorHandle[Any]:
        return ray.get_actor(self._name, namespace=NAMESPACE)


class HostRef(_Ref):
    """A holder of jobs."""

    async def accept(self, job_id: str, spec: JobSpec, claim: Claim | None) -> Job:
        job: Job = await self._call("accept", job_id, spec, claim)
        return job

    async def adopt(self, job_id: str) -> None:
        await self._call("adopt", job_id)

    async def wait(self, job_id: str, timeout_s: float) -> Job:
        job: Job = await self._call("wait", job_id, timeout_s)
        return job

    async def events(self, job_id: str, after: int, wait_s: float) -> list[Recorded]:
        records: list[Recorded] = await self._call("events", job_id, after, wait_s)
        return records

    async def cancel(self, job_id: str) -> Job:
        job: Job = await self._call("cancel", job_id)
        return job

    async def status(self) -> HostStatus:
        status: HostStatus = await self._call("status")
        return status


class CreatedHostRef(HostRef):
    """A holder of jobs that is begun when it is not there."""

    def __init__(self, name: str, settings: Settings) -> None:
        super().__init__(name)
        self._settings = settings

    def begin(self) -> None:
        """Has the actor started; does not wait for it."""
        if self._handle is None:
            self._handle = self._find()

    def _find(self) -> ActorHandle[Any]:
        if not self._name.startswith(PREFIX):
            return _create(JobActor, self._name, self._name, self._settings)
        job_id = self._name.removeprefix(PREFIX)
        handle: ActorHandle[Any] = JobActor.options(
            name=f"job:{job_id}", namespace="ditto", lifetime="detached", get_if_exists=True
        ).remote(self._name, self._settings)
        return handle


class CallerRef(_Ref):
    """A caller of models, begun when it is not there."""

    def __init__(self, name: str, settings: Settings) -> None:
        super().__init__(name)
        self._settings = settings

    def _find(self) -> ActorHandle[Any]:
        return _create(CallerActor, self._name, self._name, self._settings)

    async def call_models(self, holder: str, epoch: int, orders: list[Order], cancelled: list[str]) -> str:
        instance: str = await self._call("call_models", holder, epoch, orders, cancelled)
        return instance

    async def poll(self, holder: str, epoch: int, seen: Seen, journalled: list[str], wait_s: float) -> Batch:
        batch: Batch = await self._call("poll", holder, epoch, seen, journalled, wait_s)
        return batch

    async def status(self) -> dict[str, int]:
        status: dict[str, int] = await self._call("status")
        return status


class KeeperRef(_Ref):
    """The keeper."""

    def __init__(self) -> None:
        super().__init__(KEEPER)

    async def spares(self, known: list[str], wait_s: float) -> list[str]:
        names: list[str] = await self._call("spares", known, wait_s)
        return names

    async def taken(self, name: str) -> None:
        await self._call("taken", name)

    async def ended(self, name: str) -> None:
        await self._call("ended", name)


class CreatedKeeperRef(KeeperRef):
    """The keeper, begun when it is not there."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    def _find(self) -> ActorHandle[Any]:
        return _create(KeeperActor, KEEPER, self._settings)


class Actors:
    """The directory of this cluster's actors."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._keeper = CreatedKeeperRef(settings)
        self._created: dict[str, CreatedHostRef] = {}
        self._found: dict[str, HostRef] = {}

    def host(self, name: str) -> HostRef:
        if name in self._created:
            return self._created[name]
        while len(self._found) >= _KNOWN:
            del self._found[next(iter(self._found))]
        return self._found.setdefault(name, HostRef(name))

    def create_host(self, name: str) -> HostRef:
        ref = self._created.get(name) or CreatedHostRef(name, self.settings)
        ref.begin()
        if not name.startswith(PREFIX):
            self._created[name] = ref
        return ref

    def keeper(self) -> KeeperRef:
        return self._keeper

    def callers(self) -> list[CallerRef]:
        return [CallerRef(name, self.settings) for name in caller_names(self.settings)]

    def kill(self, name: str) -> None:
        try:
            ray.kill(ray.get_actor(name, namespace=NAMESPACE))
        except ValueError:
            return  # it has gone by itself

    def names(self) -> list[str]:
        named = list_named_actors(all_namespaces=True)
        return [str(actor["name"]) for actor in named if actor["namespace"] == NAMESPACE]


async def sim_url() -> str:
    """Returns the address of this cluster's simulated models, started now if they are not there.

    Raises:
        HolderGone: They do not start.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    try:
        url: str = await _create(SimActor, SIM, port).url.remote()
    except RayError as error:
        raise HolderGone(f"the simulated models do not start: {type(error).__name__}") from error
    return url


async def cluster_settings() -> Settings | None:
    """Returns the settings that the actors of this cluster were started with, None where there are none."""
    try:
        settings: Settings = await ray.get_actor(KEEPER, namespace=NAMESPACE).settings.remote()
    except (ValueError, RayActorError):
        return None
    return settings


def _create(kind: Any, name: str, *args: Any) -> ActorHandle[Any]:
    handle: ActorHandle[Any] = kind.options(
        name=name, namespace=NAMESPACE, lifetime="detached", get_if_exists=True
    ).remote(*args)
    return handle


def _journal(settings: Settings) -> SqliteJournal:
    """Returns this actor's journal; where it cannot be opened the process ends, and Ray begins it again."""
    try:
        return SqliteJournal(settings.store)
    except (StoreError, ConfigurationError):
        log.exception("journal not opened")
        time.sleep(START_PAUSE_S)
        os._exit(1)


def _begin(start: Coroutine[None, None, None]) -> asyncio.Task[None]:
    """Runs an actor's start in the background; one that fails ends the process, and Ray begins it again."""
    return asyncio.get_running_loop().create_task(_start_or_exit(start))


async def _start_or_exit(start: Coroutine[None, None, None]) -> None:
    try:
        await start
    except Exception:  # whatever it is, it is logged, and Ray begins the process again
        log.exception("start failed")
        await asyncio.sleep(START_PAUSE_S)
        os._exit(1)
