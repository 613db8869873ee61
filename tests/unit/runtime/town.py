"""A cluster in memory: holders by name that can be killed and frozen, a keeper, one caller."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence

from ditto.domain.events import Reply
from ditto.domain.job import Completed
from ditto.domain.request import parse
from ditto.domain.tenants import Allowance
from ditto.errors import (
    HolderGone,
)
from ditto.runtime.host import Host
from ditto.runtime.keeper import Keeper
from ditto.runtime.placement import Placer, Spares
from ditto.runtime.runner import utc_now
from ditto.runtime.service import Service
from ditto.settings import Runtime, from_args
from ditto.store.memory import MemoryJournal
from ditto.tally import Counted
from tests.admitting import admitting
from tests.unit.runtime.callers import CannedModels, KillableCaller

WAIT_S = 5.0
SETTINGS = from_args({"ensembles": {"default": {"models": ["ollama/a", "ollama/b"]}}}, source="x")


class Town:
    """A cluster in memory: holders by name that can be killed, a keeper, one caller."""

    def __init__(self, *, spares: int = 1) -> None:
        self.journal: MemoryJournal = MemoryJournal()
        self.models = CannedModels({"ollama/a": Reply(text="42"), "ollama/b": Reply(text="It is 42.")})
        self.caller = KillableCaller(self.models)
        self.hosts: dict[str, Host] = {}
        self.killed: list[str] = []
        self._ids = itertools.count(1)
        self.runtime = Runtime(spares=spares, linger_limit=1, lease_s=2)
        self.the_keeper: Keeper | None = None
        self.clock = utc_now
        self.allowances: dict[str, Allowance] = {}
        self.frozen: set[str] = set()
        self.answered: set[str] = set()
        self.restarted: list[str] = []

    def new_id(self) -> str:
        return f"id{next(self._ids)}"

    # the directory of actors

    def host(self, name: str) -> Reached:
        return Reached(lambda: self._living(name))

    def create_host(self, name: str) -> Reached:
        if name not in self.hosts:
            self.revive(name)
        return self.host(name)

    def keeper(self) -> Keeper:
        if self.the_keeper is None:
            raise HolderGone("there is no keeper")
        return self.the_keeper

    def kill(self, name: str) -> None:
        self.killed.append(name)
        self.hosts.pop(name, None)

    def names(self) -> list[str]:
        return list(self.hosts)

    async def ping(self, name: str) -> None:
        if name in self.frozen:
            await asyncio.Event().wait()
        await self.host(name).status()
        self.answered.add(name)

    def restart(self, name: str) -> None:
        self.frozen.discard(name)
        self.restarted.append(name)

    # what happens to it

    def revive(self, name: str) -> None:
        host = Host(
            name,
            journal=self.journal,
            callers={"caller:0": self.caller},
            new_id=self.new_id,
            lease_s=2,
        )
        self.hosts[name] = host
        host.starting = asyncio.ensure_future(host.start())

    async def kill_9(self, name: str) -> None:
        host = self.hosts.pop(name)
        host._jobs.abandon()
        await host._lines.close()

    async def begin_keeper(self) -> Keeper:
        self.the_keeper = Keeper(
            directory=self,
            journal=self.journal,
            runtime=self.runtime,
            hosts=["host:0"],
            callers=["caller:0"],
            dedicated_jobs=4,
            new_id=self.new_id,
            clock=self.clock,
        )
        await self.the_keeper.start()
        return self.the_keeper

    def service(self, near: Sequence[str] = ()) -> Service:
        async def nothing() -> None:
            return None

        async def count() -> list[Counted]:
            return [Counted(actor="keeper", tally=await self.the_keeper.counted())]

        self.spares = Spares(self)
        placer = Placer(self, self.spares, hosts=["host:0"], near=near, dedicated_jobs=4, new_id=self.new_id)
        return Service(
            settings=SETTINGS,
            journal=self.journal,
            placer=placer,
            check=nothing,
            count=count,
            closing=nothing,
            new_id=self.new_id,
            **admitting(self.journal, allowances=self.allowances, clock=self.clock),
        )

    async def close(self) -> None:
        if self.the_keeper is not None:
            await self.the_keeper.close()
        await self.spares.close()
        for host in list(self.hosts.values()):
            await host.close()
        await self.caller.caller.close()

    def _living(self, name: str) -> Host:
        if name not in self.hosts:
            raise HolderGone(f"{name} is dead")
        return self.hosts[name]


class Reached:
    """A holder as another process reaches it: every call may find it dead, also in the middle."""

    def __init__(self, living: Callable[[], Host]) -> None:
        self._living = living

    def __getattr__(self, method: str):
        async def call(*args):
            host = self._living()
            working = asyncio.ensure_future(getattr(host, method)(*args))
            while not working.done():
                await asyncio.wait([working], timeout=0.005)
                try:
                    alive = self._living() is host
                except HolderGone:
                    alive = False
                if not alive:
                    working.cancel()
                    await asyncio.gather(working, return_exceptions=True)
                    raise HolderGone("it died in the middle")
            return working.result()

        return call


def asked(**changes):
    return parse({"prompt": "What is 6 * 7?", **changes})


def result(job):
    assert isinstance(job.outcome, Completed)
    return job.outcome.verdict.result


async def spare_ready(town: Town) -> None:
    async with asyncio.timeout(WAIT_S):
        await town.begin_keeper()
        town.spares.start()
        while not town.spares._ready:  # noqa: ASYNC110  # the spare has no other sign
            await asyncio.sleep(0.001)
