"""What is done to the service: one fault at a time, each waited out until its victim's work goes on."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.chaos.journal import Store
from tests.chaos.processes import strike, strike_all
from tests.chaos.service import SecondNode, Service
from tests.chaos.victims import Action, Hold, Kind, Victim, Victims
from tests.postgres import Server

VICTIM_S = 25.0
"""How long a victim with work in hand is waited for."""
RECOVERY_S = 60.0
LEASE_S = 10.0
"""The service's own, unless it is set."""
_LONG_FREEZE_SHARE = 0.2
_MOVES = 8
_TRIES = 3
"""A victim may be gone when it is struck, and the cluster not know it yet."""
_PAUSE_S = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault that was done.

    Attributes:
        at: When (Unix time).
        frozen_s: How long the victim stood still; 0 for a kill.
        names: Of the actors among the victims that hold jobs or make calls.
        recovered_s: From the kill, the thaw, or the service's start, until the victim's work went on; None: not seen.
    """

    kind: Kind
    action: Action
    victim: str
    at: float
    frozen_s: float
    hold: Hold
    names: tuple[str, ...]
    recovered_s: float | None


@dataclass(slots=True, kw_only=True)
class Faults:
    """Does faults.

    Attributes:
        long_freezes: Some holders of jobs stand still for longer than a lease, so that others take over.
        done: What has been done, in order.
    """

    service: Service
    store: Store
    victims: Victims
    chance: random.Random
    long_freezes: bool
    database: Server | None = None
    done: list[Fault] = field(default_factory=list)

    async def do(self, kind: Kind, action: Action) -> bool:
        """Does one fault and waits until its victim's work goes on; tells whether there was a victim."""
        match kind:
            case Kind.NODE:
                return await self._node(action)
            case Kind.EVERYTHING:
                return await self._everything(action)
            case Kind.DATABASE:
                return await self._restart_database()
        for _ in range(_TRIES):
            victim = await self._found(lambda: self.victims.find(kind, action), VICTIM_S)
            if victim is not None and await self._strike(kind, action, victim, self._freeze_s(kind)):
                return True
        return False

    def times(self, kind: Kind, action: Action) -> int:
        """Returns how often this has been done."""
        return sum(fault.kind is kind and fault.action is action for fault in self.done)

    async def _strike(self, kind: Kind, action: Action, victim: Victim, freeze_s: float) -> bool:
        at = time.time()
        number = signal.SIGKILL if action is Action.KILL else signal.SIGSTOP
        struck = strike(victim.pids, number, self.service.mark)
        if not struck:
            return False
        back_at = at
        if action is Action.FREEZE:
            back_at = await self._thawed(struck, freeze_s)
        await self._recover(kind, action, victim, at=at, since=at, back_at=back_at)
        return True

    async def _thawed(self, struck: list[int], freeze_s: float) -> float:
        await asyncio.sleep(freeze_s)
        at = time.time()
        strike(struck, signal.SIGCONT, self.service.mark)
        return at

    async def _recover(
        self, kind: Kind, action: Action, victim: Victim, *, at: float, since: float, back_at: float
    ) -> None:
        """Notes the fault once the victim's work has gone on.

        Args:
            at: The moment of the fault.
            since: From when on progress counts.
            back_at: From when on the time until then is measured.
        """
        recovered_at = await self._progress(victim, since)
        fault = Fault(
            kind=kind,
            action=action,
            victim=victim.name,
            at=at,
            frozen_s=back_at - at if action is Action.FREEZE else 0.0,
            hold=victim.hold,
            names=victim.names,
            recovered_s=None if recovered_at is None else max(0.0, recovered_at - back_at),
        )
        self.done.append(fault)

    async def _progress(self, victim: Victim, since: float) -> float | None:
        until = time.monotonic() + RECOVERY_S
        while time.monotonic() < until:
            over = bool(victim.jobs) and not self._open(victim.jobs)
            recovered_at = await victim.progress(since)
            if recovered_at is not None or over:
                return recovered_at
            await asyncio.sleep(_PAUSE_S)
        return None

    def _open(self, jobs: tuple[str, ...]) -> bool:
        opened = self.store.open_jobs()
        return opened is None or not {job.job_id for job in opened}.isdisjoint(jobs)

    def _freeze_s(self, kind: Kind) -> float:
        holds_jobs = kind in (Kind.ACTOR, Kind.HOST)
        if holds_jobs and self.long_freezes and self.chance.random() < _LONG_FREEZE_SHARE:
            return LEASE_S * 1.8
        return self.chance.uniform(0.4, 2.5)

    async def _found(self, find: Callable[[], Victim | None], patience_s: float) -> Victim | None:
        """Returns a victim as it is after a random moment, None where there was none for so long."""
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            if find() is not None:
                await asyncio.sleep(self.chance.uniform(0.0, 0.25))
                if (victim := find()) is not None:
                    return victim
            await asyncio.sleep(_PAUSE_S)
        return None

    async def _everything(self, action: Action) -> bool:
        """Strikes every process; a killed service is started again, and recovery is measured from that start."""
        victim = await self._found(self.victims.everything, VICTIM_S)
        if victim is None:
            return False
        at = time.time()
        if action is Action.KILL:
            await asyncio.to_thread(self.service.kill)
            back_at = await self.service.start()
            victim = replace(victim, name=f"everything, ready after {time.time() - back_at:.1f} s")
        else:
            struck = strike_all(signal.SIGSTOP, self.service.mark)
            back_at = await self._thawed(struck, self.chance.uniform(1.0, 6.0))
        await self._recover(Kind.EVERYTHING, action, victim, at=at, since=back_at, back_at=back_at)
        return True

    async def _restart_database(self) -> bool:
        victim = await self._found(self.victims.everything, VICTIM_S)
        if victim is None or self.database is None:
            return False
        victim = replace(victim, name="postgres")
        at = time.time()
        await asyncio.to_thread(self.database.restart)
        back_at = time.time()
        await self._recover(Kind.DATABASE, Action.KILL, victim, at=at, since=back_at, back_at=back_at)
        return True

    async def _node(self, action: Action) -> bool:
        """Joins a second node, has a caller of models live there, and strikes that node; in the end it is killed."""
        node = SecondNode(self.service)
        try:
            await node.start()
            frozen = action is Action.FREEZE and await self._strike_node(node, Action.FREEZE)
            killed = await self._strike_node(node, Action.KILL)
            return frozen if action is Action.FREEZE else killed
        finally:
            node.clear()

    async def _strike_node(self, node: SecondNode, action: Action) -> bool:
        if not (node.is_alive() and await self._moved(node, action)):
            return False
        victim = await self._found(lambda: self.victims.node(node, action), VICTIM_S)
        freeze_s = self.chance.choice([self.chance.uniform(0.4, 1.5), self.chance.uniform(6.0, 9.0)])
        return victim is not None and await self._strike(Kind.NODE, action, victim, freeze_s)

    async def _moved(self, node: SecondNode, action: Action) -> bool:
        """Kills callers until one begins on that node; tells whether one has."""
        for _ in range(_MOVES):
            if await self._found(lambda: self.victims.node(node, action), 3.0) is not None:
                return True
            await self.do(Kind.CALLER, Action.KILL)
        return False
