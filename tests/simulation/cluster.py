"""The simulated cluster: which process has which name, what each is built of, and what becomes of it when it ends.

It stands for Ray: named actors that are begun again when they die, a directory of them, and nodes that freeze, are
replaced, and come back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from random import Random
from zlib import crc32

from ditto.domain.job import Job
from ditto.errors import DittoError, StoreUnavailable
from ditto.runtime.asking import Asking
from ditto.runtime.placement import Placer, Spares
from ditto.runtime.roles import JOB
from ditto.settings import Runtime, Settings, from_args
from ditto.tally import Counted, Tally
from tests.admitting import admitting
from tests.simulation.chances import Chances
from tests.simulation.clients import Client
from tests.simulation.clockwork import Clockwork, ProcessLoop
from tests.simulation.ledger import Ledger
from tests.simulation.models import CountedModels, OrderBook, WatchedCaller
from tests.simulation.parts import Parts
from tests.simulation.plans import Plan
from tests.simulation.processes import Process
from tests.simulation.stores import Disk
from tests.simulation.wires import AskedReference, CallerReference, Reference, Wires

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LEASE_S = 3.0
START_PAUSE_S = 1.0
DEDICATED_JOBS = 50


class Cluster:
    """Of one run.

    Attributes:
        processes: Every instance that there ever was.
    """

    def __init__(self, plan: Plan, parts: Parts) -> None:
        self.plan = plan
        self.clockwork = Clockwork(Random(f"clockwork {plan.seed}"))
        self.ledger = Ledger(lambda: self.clockwork.now_s, lambda process: self._by_id[process].gone)
        self.chances = Chances(plan, Random(f"chances {plan.seed}"), self.ledger)
        self._by_id: dict[str, Process] = {}
        self.wires = Wires(self.clockwork, self.chances, self.ledger, address=self._address, find=self._by_id.get)
        self.disk = Disk(parts.journal(), self.ledger)
        self.processes: list[Process] = []
        self.clients_under_way = len(plan.clients)
        self._parts = parts
        self._book = OrderBook()
        self._named: dict[str, Process | None] = {}
        self._instances: dict[str, int] = {}
        self._hosts = [f"host:{number}" for number in range(plan.hosts)]
        self._callers = [f"caller:{number}" for number in range(plan.callers)]

    def begin_all(self) -> None:
        """Begins the service as its start does, and lets each client come at its time."""
        for name in (*self._callers, *self._hosts, "keeper"):
            self.begin(name)
        for number, client in enumerate(self.plan.clients):
            self.clockwork.later(client.begins_at_s, self.begin, f"client:{number}")

    def find(self, name: str) -> Process | None:
        return self._named.get(name)

    def living(self) -> list[Process]:
        """Returns all that run, those included that have been replaced without their knowing."""
        return [process for process in self.processes if not process.loop.dead]

    def names(self) -> list[str]:
        return [name for name, process in self._named.items() if process is not None and not is_client(process)]

    def begin(self, name: str) -> Process:
        """Begins an instance of this name, in the place of any other."""
        self._instances[name] = self._instances.get(name, 0) + 1
        process = Process(name, _id(name, self._instances[name]), self.clockwork, self.ledger)
        self.ledger.note("begin", process.id)
        self.processes.append(process)
        self._by_id[process.id] = process
        self._named[name] = process
        process.loop.call_soon(self._build, process)
        return process

    def crash(self, process: Process, back_after_s: float) -> None:
        """Kills a process; its name is begun again after a while, as Ray does."""
        if process.loop.dead:
            return
        self.ledger.note("crash", process.id)
        replaced = process.replaced
        process.die()
        if not replaced and self._named.get(process.name) is process:
            self._named[process.name] = None
            self.clockwork.later(back_after_s, self._begin_again, process.name)

    def replace(self, process: Process) -> None:
        """Takes a frozen process for dead: its name is begun elsewhere, while it may still wake up."""
        if process.gone or self._named.get(process.name) is not process:
            return
        self.ledger.note("replace", process.id)
        process.replaced = True
        process.lose_callers()
        self.begin(process.name)

    def drain(self, grace_s: float) -> bool:
        """Has the service take no new jobs, as its stop does; returns whether there was a keeper to say so to."""
        keeper = self.find("keeper")
        if keeper is None or keeper.loop.frozen:
            return False
        self.ledger.note("drain", keeper.id)
        keeper.serve("drain", (grace_s,), lambda result, error: None)
        return True

    def die_of(self, loop: ProcessLoop, job: Job) -> None:
        """Ends a process that merged a poisonous job."""
        process = next(process for process in self.living() if process.loop is loop)
        self.ledger.poisoned(process.name, job, thawed=process.gone)
        self.crash(process, self.chances.up_to(1))

    def kill(self, name: str) -> None:
        """Ends a name for good."""
        process = self._named.pop(name, None)
        if process is not None:
            self.ledger.note("kill", process.id)
            process.die()

    def ensure(self, name: str) -> None:
        if name not in self._named:
            self.begin(name)

    def utc_now(self, skew_s: float) -> datetime:
        """Returns the time of day on a machine whose clock is wrong by so much."""
        return NOON + timedelta(seconds=self.clockwork.now_s + skew_s)

    def client_left(self) -> None:
        self.clients_under_way -= 1

    def bury(self) -> None:
        """Lets go of every process."""
        for process in self.processes:
            process.loop.die()
        for process in self.processes:
            process.loop.bury()

    def _address(self, name: str) -> str:
        process = self.find(name)
        return _id(name, self._instances.get(name, 0) + 1) if process is None else process.id

    def _begin_again(self, name: str) -> None:
        if name in self._named and self._named[name] is None:
            self.begin(name)

    def _build(self, process: Process) -> None:
        match process.name.partition(":")[0]:
            case "host" | "job":
                self._build_host(process)
            case "caller":
                models = CountedModels(self.plan.seed, process.id, self._book, self.ledger)
                caller = self._parts.caller(process.name, process.id, models, clock=process.loop.time)
                process.serves = WatchedCaller(caller, process.id, self.ledger)
            case "keeper":
                self._build_keeper(process)
            case _:
                self._build_client(process)

    def _build_host(self, process: Process) -> None:
        directory = Directory(process, self)

        def tell_keeper() -> None:
            process.run(directory.keeper().ended(process.name, Tally()), self._or_never_mind)

        def isolate(job_id: str) -> None:
            process.run(directory.create_host(f"{JOB}{job_id}").adopt(job_id), self._or_never_mind)

        host = self._parts.host(
            process.name,
            journal=self._store_line(process),
            callers={name: CallerReference(process, name, self.wires, self._book.note) for name in self._callers},
            new_id=process.new_id,
            lease_s=LEASE_S,
            capacity=self.plan.capacity,
            ended=tell_keeper,
            isolate=isolate,
            replaced=lambda: self.clockwork.later(0.0, self.crash, process, START_PAUSE_S),
            clock=partial(self.utc_now, _skew_s(process.id)),
        )
        process.serves = host
        process.run(_started(host.start), self._or_exit(process))

    def _build_keeper(self, process: Process) -> None:
        keeper = self._parts.keeper(
            directory=Directory(process, self),
            journal=self._store_line(process),
            runtime=_runtime(self.plan.spares),
            hosts=self._hosts,
            callers=self._callers,
            dedicated_jobs=DEDICATED_JOBS,
            new_id=process.new_id,
            clock=partial(self.utc_now, _skew_s(process.id)),
        )
        process.serves = keeper
        process.run(_started(keeper.start), self._or_exit(process))

    def _build_client(self, process: Process) -> None:
        directory = Directory(process, self)
        spares = Spares(directory)
        if self.plan.spares:
            spares.start()
        journal = self._store_line(process)
        clock = partial(self.utc_now, _skew_s(process.id))
        service = self._parts.service(
            settings=_settings(),
            journal=journal,
            placer=Placer(directory, spares, hosts=self._hosts, dedicated_jobs=DEDICATED_JOBS, new_id=process.new_id),
            check=_nothing,
            count=_nobody_counts,
            closing=_nothing,
            new_id=process.new_id,
            clock=clock,
            **admitting(journal, clock=clock),
        )
        number = int(process.name.partition(":")[2])
        client = Client(process.id, service, self.plan.clients[number], self.ledger)
        comes_back = not process.id.endswith("!1")
        process.run(client.run(comes_back=comes_back), lambda error: self._client_ended(process, error))

    def _client_ended(self, process: Process, error: BaseException | None) -> None:
        if error is not None:
            self.ledger.broken("clients are told Ditto's errors alone", f"{process.id} got {error!r}")
        self.client_left()
        self._named.pop(process.name, None)
        process.die()

    def _store_line(self, process: Process) -> object:
        return self._parts.store_line(process, self.disk, self.clockwork, self.chances)

    def _or_never_mind(self, error: BaseException | None) -> None:
        if error is not None and not isinstance(error, DittoError):
            self.ledger.broken("nothing fails unseen", repr(error))

    def _or_exit(self, process: Process) -> Callable[[BaseException | None], None]:
        """A start that fails ends the process, and it is begun again."""

        def ended(error: BaseException | None) -> None:
            if error is not None:
                self.ledger.note("start failed", process.id, repr(error))
                self.crash(process, START_PAUSE_S)

        return ended


@dataclass(frozen=True, slots=True)
class Directory:
    """The actors of the cluster by name, as one process sees them."""

    _process: Process
    _cluster: Cluster

    def host(self, name: str) -> Reference:
        return Reference(self._process, name, self._cluster.wires)

    def create_host(self, name: str) -> Reference | AskedReference:
        self._cluster.ensure(name)
        reference = self.host(name)
        if is_client(self._process) and crc32(self._process.id.encode()) % 2:
            return AskedReference(reference, Asking(reference, self._process.new_id, few=0))
        return reference

    def keeper(self) -> Reference:
        return Reference(self._process, "keeper", self._cluster.wires)

    def drain(self, grace_s: float) -> bool:
        """Has the service take no new jobs, as its stop does; returns whether there was a keeper to say so to."""
        keeper = self.find("keeper")
        if keeper is None or keeper.loop.frozen:
            return False
        self.ledger.note("drain", keeper.id)
        keeper.serve("drain", (grace_s,), lambda result, error: None)
        return True

    def die_of(self, loop: ProcessLoop, job: Job) -> None:
        """Ends a process that merged a poisonous job."""
        process = next(process for process in self.living() if process.loop is loop)
        self.ledger.poisoned(process.name, job, thawed=process.gone)
        self.crash(process, self.chances.up_to(1))

    def kill(self, name: str) -> None:
        self._cluster.kill(name)

    def names(self) -> list[str]:
        return self._cluster.names()


def is_client(process: Process) -> bool:
    """Tells whether this process is one through which a client came."""
    return process.name.startswith("client:")


def is_holder(process: Process) -> bool:
    """Tells whether this process holds jobs."""
    return process.name.startswith(("host:", JOB))


@lru_cache
def _runtime(spares: int) -> Runtime:
    return Runtime(spares=spares, lease_s=LEASE_S, linger_s=4.0, linger_limit=1)


def _id(name: str, instance: int) -> str:
    return f"{name}!{instance}"


def _skew_s(process: str) -> float:
    return (crc32(process.encode()) % 100 - 50) / 1000


@lru_cache
def _settings() -> Settings:
    return from_args({}, source="the simulation")


async def _started(start: Callable[[], Awaitable[None]]) -> None:
    """Starts, again and again while the store is away, as the actors do."""
    while True:
        try:
            await start()
        except StoreUnavailable:
            await asyncio.sleep(START_PAUSE_S)
        else:
            return


async def _nothing() -> None:
    return None


async def _nobody_counts() -> list[Counted]:
    return []
