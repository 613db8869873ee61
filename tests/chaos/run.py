"""One run: a service, its clients and its faults, from the first start to the account of what it has cost."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy.exc import OperationalError

from tests.chaos.cases import Case, cases
from tests.chaos.faults import Fault, Faults
from tests.chaos.journal import Store
from tests.chaos.ledger import Account, account
from tests.chaos.load import Clients, Sighting, clients
from tests.chaos.models import RequestLog
from tests.chaos.service import Service, ServiceDown
from tests.chaos.victims import Action, Kind, Victims
from tests.postgres import Server, begun

OWN_POSTGRES = "postgresql"
"""As the store: a PostgreSQL server that the run starts itself, and restarts where that kind is asked for."""
RPC_FAILURE = '{"*":{"num_failures":-1,"req_failure_prob":5,"resp_failure_prob":5,"in_flight_failure_prob":2}}'
"""Of Ray's own calls so many per cent are lost on the way there, on the way back, or under way."""
_TRIES = 5
"""Serve's own start does not outlive every lost call."""
DRAIN_S = 500.0
_LOOKS = 400
_LOOK_S = 0.3
"""Between the looks at whether the jobs of foreign clients, who wait for them no longer, have ended too."""
_WARM_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run is to do.

    Attributes:
        jobs: How many are asked at least; more, while there are faults to do.
        strikes: How often each fault is done.
        rate: Jobs a second, on average.
        pause_s: Between two faults, on average.
        long_freezes: Some are longer than a lease.
        minutes: After so long no further fault is begun.
        store: A PostgreSQL address, or `OWN_POSTGRES`; None: a SQLite file of the run's own.
        rpc_failure: Ray loses calls of its own.
        keep: Leaves the folder with the logs.
    """

    jobs: int
    seed: int
    strikes: Mapping[tuple[Kind, Action], int]
    rate: float = 1.5
    pause_s: float = 1.0
    long_freezes: bool = True
    minutes: float | None = None
    store: str | None = None
    rpc_failure: bool = False
    keep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run has done and what it has cost.

    Attributes:
        missed: Faults for which there was no victim.
        left: Processes that were there after the service had been stopped.
        took_s: All in all.
    """

    plan: Plan
    faults: list[Fault]
    account: Account
    missed: list[str]
    left: list[str]
    took_s: float


async def run(plan: Plan, say: Callable[[str], None]) -> Result:
    """Returns what the run has cost; every process that it began has gone."""
    began = time.monotonic()
    with (
        short_folder(keep=plan.keep) as folder,
        _database(plan) as database,
        simulated_models(folder) as (sim_url, requests),
    ):
        where = plan.store or str(folder / "journal.db")
        if database is not None:
            where = database.new_database()
        variables = {"RAY_testing_rpc_failure": RPC_FAILURE} if plan.rpc_failure else {}
        tries = _TRIES if plan.rpc_failure else 1
        service = Service(folder, sim_url=sim_url, store=where, variables=variables, tries=tries)
        try:
            await service.start()
            async with clients(service.url) as everybody:
                chaos = _Chaos(plan, service, Store(where), requests, everybody, database)
                missed = await chaos.unleash(say)
                await everybody.look_again()
            left = await service.stop()
        finally:
            await asyncio.to_thread(service.kill)
        _write_sightings(folder / "sightings.jsonl", everybody.sightings)
        cost = account(Store(where).journals(), requests.requests(), everybody.sightings, chaos.faults.done)
    return Result(
        plan=plan,
        faults=chaos.faults.done,
        account=cost,
        missed=missed,
        left=left,
        took_s=time.monotonic() - began,
    )


class _Chaos:
    """The clients and the faults side by side."""

    def __init__(
        self,
        plan: Plan,
        service: Service,
        store: Store,
        requests: RequestLog,
        everybody: Clients,
        database: Server | None,
    ) -> None:
        self._plan = plan
        self._service = service
        self._store = store
        self._clients = everybody
        self._cases: dict[int, Case] = {}
        chance = random.Random(plan.seed)
        self._chance = chance
        victims = Victims(service, store, requests, self._cases, chance)
        self.faults = Faults(
            service=service,
            store=store,
            victims=victims,
            chance=chance,
            long_freezes=plan.long_freezes,
            database=database,
        )

    async def unleash(self, say: Callable[[str], None]) -> list[str]:
        """Returns the faults for which there was no victim, when all is over."""
        over = asyncio.Event()
        asking = asyncio.create_task(self._ask(over))
        await asyncio.sleep(_WARM_S)
        try:
            missed = await self._strike(say)
        finally:
            over.set()
            async with asyncio.timeout(DRAIN_S):
                await asking
        for _ in range(_LOOKS):
            if not self._store.open_jobs():
                break
            await asyncio.sleep(_LOOK_S)
        return missed

    async def _strike(self, say: Callable[[str], None]) -> list[str]:
        plan, chance = self._plan, self._chance
        todo = [fault for fault, times in plan.strikes.items() for _ in range(times)]
        chance.shuffle(todo)
        ends_at = None if plan.minutes is None else time.monotonic() + plan.minutes * 60
        missed = []
        for place, (kind, action) in enumerate(todo, start=1):
            if ends_at is not None and time.monotonic() > ends_at:
                missed += [f"{kind} {action}: no time left" for kind, action in todo[place - 1 :]]
                break
            if self.faults.times(kind, action) >= plan.strikes[kind, action]:
                continue  # another fault has brought it about
            why = await self._tried(kind, action)
            if why:
                missed.append(f"{kind} {action}: {why}")
            say(f"{place}/{len(todo)} {missed[-1] if why else _said(self.faults.done[-1])}")
            await asyncio.sleep(chance.uniform(0.5, 1.5) * plan.pause_s)
        return missed

    async def _tried(self, kind: Kind, action: Action) -> str:
        """Does a fault; returns why it could not be done, blank where it was.

        Raises:
            ServiceDown: The service did not come up again, tried twice.
        """
        try:
            return "" if await self.faults.do(kind, action) else "no victim"
        except (ServiceDown, ConnectionError, OperationalError) as error:
            if not self._service.is_running():
                await asyncio.to_thread(self._service.kill)
                await self._service.start()
            return f"{type(error).__name__}: {str(error)[-200:]}"

    async def _ask(self, over: asyncio.Event) -> None:
        """Begins a case every now and then; returns when the last has its answer."""
        plan = self._plan
        pace = random.Random(f"pace {plan.seed}")
        async with asyncio.TaskGroup() as group:
            for case in cases(plan.seed):
                if over.is_set() and case.number >= plan.jobs:
                    break
                self._cases[case.number] = case
                group.create_task(self._clients.ask(case))
                await asyncio.sleep(pace.uniform(0.2, 1.8) / plan.rate)


@contextmanager
def simulated_models(folder: Path) -> Iterator[tuple[str, RequestLog]]:
    """Yields the address of simulated models in a process of their own, and what they were asked."""
    log = folder / "requests.jsonl"
    command = (sys.executable, "-m", "tests.chaos.models", str(log))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as running:
        try:
            assert running.stdout is not None
            url = running.stdout.readline().rpartition(" ")[2].strip()
            assert url.startswith("http"), "the simulated models do not start"
            yield url, RequestLog(log)
        finally:
            running.send_signal(signal.SIGTERM)


@contextmanager
def short_folder(*, keep: bool) -> Iterator[Path]:
    """Yields a folder of a short name, since Ray puts sockets into it."""
    folder = Path(tempfile.mkdtemp(prefix="dc-", dir="/tmp"))
    try:
        yield folder
    finally:
        if keep:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _database(plan: Plan) -> AbstractContextManager[Server | None]:
    return begun() if plan.store == OWN_POSTGRES else nullcontext()


def _write_sightings(path: Path, sightings: Sequence[Sighting]) -> None:
    """Writes what every client saw, for whoever looks into a run that has gone wrong."""
    lines = [json.dumps(asdict(sighting), default=str) for sighting in sightings]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _said(fault: Fault) -> str:
    recovered = "nothing to recover" if fault.recovered_s is None else f"{fault.recovered_s:.2f} s"
    frozen = f" for {fault.frozen_s:.1f} s" if fault.frozen_s else ""
    return f"{fault.kind} {fault.action}{frozen} ({fault.victim}): {recovered}"
