"""The actor that calls models, for the jobs of all holders."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping

from ditto.providers.limits.gates import Gates
from ditto.providers.limits.sharing import Report, Told
from ditto.providers.limits.stake import Stake
from ditto.runtime import freed_memory, garbage, tracing
from ditto.runtime.actors.beginning import actor, begin, check_version, create
from ditto.runtime.actors.channels import listen_as
from ditto.runtime.actors.logs import log_lines
from ditto.runtime.actors.names import KEEPER, new_id
from ditto.runtime.actors.packing import takes_packed
from ditto.runtime.actors.refs import CallerRef, KeeperRef
from ditto.runtime.actors.simulated_models import sim_url
from ditto.runtime.caller import Asks, Caller
from ditto.runtime.drafts import Known, Piece
from ditto.runtime.measures import RATE_LIMITED, RATE_LIMITED_SECONDS, TURN_SECONDS
from ditto.runtime.orders import Batch, Order, Seen
from ditto.runtime.partaking import Partaker
from ditto.runtime.simulated import SimulatedOnDemand
from ditto.settings import Settings
from ditto.settings.endpoints import Endpoint
from ditto.tally import Tally
from ditto.version import VERSION


class _CallerActor:
    """Does the model calls of all jobs as remote work that outlives the jobs' own processes.

    `call_models` carries the remote model-call tasks of a job. Many go in one, over a channel from the same node and
    through Ray from another, where each task costs about a millisecond and a fresh worker process far more: three
    hundred calls as tasks of their own took 600 ms above the floor, gathered they take 40.
    """

    def __init__(self, name: str, settings: Settings, version: str) -> None:
        check_version(version)
        freed_memory.give_back()
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
        methods = (self.call_models, self.poll, self.hear)
        self._listening = asyncio.get_running_loop().create_task(listen_as(name, methods))
        garbage.look_rarely()

    async def ping(self) -> None:
        return None

    @takes_packed
    async def call_models(self, holder: str, epoch: int, orders: list[Order], cancelled: list[str]) -> str:
        return await self._caller.call_models(holder, epoch, orders, cancelled)

    @takes_packed
    async def poll(self, holder: str, epoch: int, seen: Seen, journalled: list[str], wait_s: float) -> Batch:
        return await self._caller.poll(holder, epoch, seen, journalled, wait_s)

    @takes_packed
    async def hear(self, holder: str, heard: dict[str, Known], wait_s: float) -> list[Piece]:
        return await self._caller.hear(holder, heard, wait_s)

    async def status(self) -> dict[str, int]:
        return {**self._caller.status(), "pid": os.getpid()}

    async def counted(self) -> Tally:
        return self._caller.counted()


CallerActor = actor(_CallerActor)


def caller_ref(name: str, settings: Settings) -> CallerRef:
    """Returns a caller of models, which is begun when it is called and not there."""
    return CallerRef(name, lambda: create(CallerActor, name, name, settings, VERSION))
