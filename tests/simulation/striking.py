"""Strikes processes between two steps: kills them, stops them for a while, replaces the stopped, shuts the store."""

from __future__ import annotations

from collections.abc import Callable

from tests.simulation.clockwork import ProcessLoop
from tests.simulation.cluster import Cluster, is_client, is_holder
from tests.simulation.plans import Fault
from tests.simulation.processes import Process

_JUST_RAN = 0.7
_LONG_AWAY = 0.25
DRAIN_S = 1.0
TAKEN_FOR_DEAD_S = 3.0
"""A node that is silent for less is not taken for dead."""


class Striking:
    """Applies to a cluster the faults that its chances draw."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._chances = cluster.chances
        self._later = cluster.clockwork.later

    def after_step(self, loop: ProcessLoop) -> None:
        """Strikes, if the chances say so, most often the process that has just run."""
        fault = self._chances.between_steps(self._cluster.clockwork.steps)
        if fault is None:
            return
        if fault is Fault.OUTAGE:
            self._shut_store()
        elif fault is Fault.ALL_CRASH:
            self._end_all()
        elif fault is Fault.RESTART:
            if not self._cluster.drain(DRAIN_S):
                return
            self._later(DRAIN_S + 0.5, self._end_all)
        else:
            target = self._target(fault, loop)
            if target is None:
                return
            self._strike(fault, target)
        self._cluster.ledger.counts[fault] += 1

    def calm(self) -> None:
        """Ends all that goes wrong: from here on everything has its chance to finish."""
        self._chances.quiet = True
        self._cluster.disk.out = False
        for process in self._cluster.living():
            process.thaw()

    def _strike(self, fault: Fault, target: Process) -> None:
        match fault:
            case Fault.FREEZE:
                self._freeze(target)
                self._later(self._chances.up_to(10), self._thaw, target)
            case Fault.FREEZE_REPLACED:
                self._freeze(target)
                replaced_s = TAKEN_FOR_DEAD_S + self._chances.up_to(3)
                thawed_s = replaced_s + self._chances.up_to(8)
                self._later(replaced_s, self._cluster.replace, target)
                self._later(thawed_s, self._thaw, target)
                if self._chances.evens():
                    self._later(thawed_s + self._chances.up_to(8), self._cluster.crash, target, 0.0)
            case _:
                self._cluster.crash(target, self._away_s())

    def _end_all(self) -> None:
        for process in self._cluster.living():
            if not is_client(process) or self._chances.evens():
                self._cluster.crash(process, self._away_s())

    def _freeze(self, target: Process) -> None:
        self._cluster.ledger.note("freeze", target.id)
        target.freeze()

    def _thaw(self, target: Process) -> None:
        self._cluster.ledger.note("thaw", target.id)
        target.thaw()

    def _shut_store(self) -> None:
        self._cluster.ledger.note("store out")
        self._cluster.disk.out = True
        self._later(self._chances.up_to(6), self._open_store)

    def _open_store(self) -> None:
        self._cluster.ledger.note("store back")
        self._cluster.disk.out = False

    def _away_s(self) -> float:
        """Returns how long a dead process stays away: a moment, or longer than its lease."""
        return 3 + self._chances.up_to(9) if self._chances.odds(_LONG_AWAY) else 0.1 + self._chances.up_to(1)

    def _target(self, fault: Fault, loop: ProcessLoop) -> Process | None:
        fits = _FITS[fault]
        candidates = [process for process in self._cluster.living() if fits(process) and not process.loop.frozen]
        for process in candidates:
            if process.loop is loop and self._chances.odds(_JUST_RAN):
                return process
        return self._chances.one_of(candidates) if candidates else None


def _is_caller(process: Process) -> bool:
    return process.name.startswith("caller:")


_FITS: dict[Fault, Callable[[Process], bool]] = {
    Fault.HOST_CRASH: is_holder,
    Fault.CALLER_CRASH: _is_caller,
    Fault.KEEPER_CRASH: lambda process: process.name == "keeper",
    Fault.CLIENT_CRASH: is_client,
    Fault.FREEZE: lambda process: not is_client(process),
    Fault.FREEZE_REPLACED: lambda process: not is_client(process),
}
