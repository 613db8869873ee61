"""One run from a seed: faults strike until a moment of calm, then everything must end, and the promises are checked."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256

from ditto.domain.events import Recorded
from ditto.runtime import afterwards, calling, hearing, learning, runner, service
from tests.simulation import promises
from tests.simulation.clockwork import Clockwork
from tests.simulation.cluster import Cluster
from tests.simulation.ledger import Violation
from tests.simulation.parts import Parts
from tests.simulation.plans import Plan, plan
from tests.simulation.poison import deadly
from tests.simulation.stores import at_once
from tests.simulation.striking import Striking

LIMIT_S = 150.0
"""By then every job's deadline has passed, and whoever waited has been told."""
AFTERWARDS_S = 1.5
"""How long a run goes on when all has ended, so that copies that thaw late can do their worst."""
MOST_STEPS = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What came of a seed.

    Attributes:
        counts: How often what happened.
        trace: Line by line, what happened.
    """

    seed: int
    violations: tuple[Violation, ...]
    counts: dict[str, int]
    virtual_s: float
    steps: int
    trace: tuple[tuple[object, ...], ...]
    journals: dict[str, list[Recorded]]

    def digest(self) -> str:
        """Returns a hash of all that happened, in its order: the same seed has the same one."""
        return sha256(repr(self.trace).encode()).hexdigest()[:16]


def run(seed: int, parts: Parts | None = None, given: Plan | None = None) -> Run:
    """Returns what came of a seed, or of a plan in its place."""
    cluster = Cluster(given or plan(seed), parts or Parts())
    ledger, clockwork = cluster.ledger, cluster.clockwork
    with _virtual(clockwork), deadly(cluster.die_of):
        try:
            cluster.begin_all()
            _play(cluster)
            journals = {job_id: at_once(cluster.disk.journal.read(job_id)) for job_id in ledger.records}
            if not ledger.violations:
                promises.check(cluster.plan, ledger, journals)
        finally:
            cluster.bury()
    return Run(
        seed=seed,
        violations=tuple(ledger.violations),
        counts=dict(ledger.counts),
        virtual_s=clockwork.now_s,
        steps=clockwork.steps,
        trace=tuple(ledger.notes),
        journals=journals,
    )


def _play(cluster: Cluster) -> None:
    clockwork, striking = cluster.clockwork, Striking(cluster)
    over_at_s: float | None = None
    while not cluster.ledger.violations:
        loop = clockwork.step()
        if loop is not None:
            striking.after_step(loop)
            continue
        now_s = clockwork.now_s
        if over_at_s is None:
            if _all_over(cluster):
                striking.calm()
                over_at_s = now_s + AFTERWARDS_S
            elif now_s >= cluster.plan.calm_at_s and not cluster.chances.quiet:
                striking.calm()
        elif not _all_over(cluster):  # a last append came late, or a client came back
            over_at_s = None
        elif now_s >= over_at_s and not cluster.wires.under_way:
            return
        if now_s > LIMIT_S or clockwork.steps > MOST_STEPS:
            _report_unfinished(cluster)
            return


def _all_over(cluster: Cluster) -> bool:
    return not cluster.clients_under_way and not cluster.ledger.open


def _report_unfinished(cluster: Cluster) -> None:
    for job_id in sorted(cluster.ledger.open):
        job = cluster.ledger.jobs[job_id]
        cluster.ledger.broken("everything ends in time", f"{job_id} is {job.state}, held by {job.holder}")
    if cluster.clients_under_way:
        cluster.ledger.broken("everything ends in time", f"{cluster.clients_under_way} clients wait for ever")
    if cluster.clockwork.steps > MOST_STEPS:
        cluster.ledger.broken("nothing runs in circles", f"{MOST_STEPS} steps were not enough")


class _Time:
    """What the product's modules know as `time`."""

    def __init__(self, clockwork: Clockwork) -> None:
        self._clockwork = clockwork

    def monotonic(self) -> float:
        return self._clockwork.now_s

    perf_counter = monotonic


@contextmanager
def _virtual(clockwork: Clockwork) -> Iterator[None]:
    """Puts virtual time where the product looks at a clock by itself, and keeps its logs quiet."""
    modules = (afterwards, calling, hearing, learning, runner, service)
    before = [module.time for module in modules]
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    for module in modules:
        module.time = _Time(clockwork)  # type: ignore[assignment]
    try:
        yield
    finally:
        for module, time in zip(modules, before, strict=True):
            module.time = time
        logging.disable(disabled)
