"""Whether a living node is ever declared dead: two nodes under as much load as they can take, and nothing is struck."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ditto import AsyncDitto, DittoError
from tests.chaos.run import simulated_models
from tests.chaos.service import SecondNode, Service

CLIENTS = 48
"""Far more than two cores can serve without delay."""
_LOOK_S = 0.5
_SAY_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What was seen.

    Attributes:
        declared_dead: Ids of nodes that the head took for dead, although nobody had touched them.
        errors: That clients got.
        load: The machine's load average over the last minute of the run, divided by its cores.
    """

    took_s: float
    nodes: int
    declared_dead: list[str]
    jobs: int
    errors: int
    load: float


async def watch(folder: Path, seconds: float, say: Callable[[str], None]) -> Health:
    """Returns which nodes were declared dead during so many seconds of full load."""
    with simulated_models(folder) as (sim_url, _):
        service = Service(folder, sim_url=sim_url, store=str(folder / "journal.db"), variables={})
        try:
            await service.start()
            node = SecondNode(service)
            await node.start()
            health = await _under_load(service, seconds, say)
        finally:
            await asyncio.to_thread(service.kill)
    return health


async def _under_load(service: Service, seconds: float, say: Callable[[str], None]) -> Health:
    began = time.monotonic()
    counts = {"jobs": 0, "errors": 0}
    clients = [asyncio.create_task(_ask(service.url, number, counts)) for number in range(CLIENTS)]
    dead: set[str] = set()
    nodes: set[str] = set()
    said_at = began
    try:
        while time.monotonic() - began < seconds:
            await asyncio.sleep(_LOOK_S)
            found = service.cluster.nodes()
            nodes |= {node.id for node in found}
            dead |= {node.id for node in found if not node.alive}
            if time.monotonic() - said_at > _SAY_S:
                said_at = time.monotonic()
                say(f"{said_at - began:.0f} s: {counts['jobs']} jobs, load {os.getloadavg()[0]:.1f}, {len(dead)} dead")
    finally:
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
    return Health(
        took_s=time.monotonic() - began,
        nodes=len(nodes),
        declared_dead=sorted(dead),
        jobs=counts["jobs"],
        errors=counts["errors"],
        load=os.getloadavg()[0] / (os.cpu_count() or 1),
    )


async def _ask(url: str, number: int, counts: dict[str, int]) -> None:
    """Asks one question after the other, without end."""
    ditto = AsyncDitto(url)
    try:
        while True:
            try:
                await ditto.ask(
                    f"What is {number} * {counts['jobs']}?", models=["sim/terse", "sim/wordy", "sim/careful"]
                )
                counts["jobs"] += 1
            except DittoError:
                counts["errors"] += 1
                await asyncio.sleep(1.0)
    finally:
        await ditto.close()
