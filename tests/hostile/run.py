"""Ten thousand hostile requests at one service, a client with good manners among them, and a look at the processes."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.hostile.attacks import attack
from tests.hostile.clients import carried_out
from tests.hostile.judging import complaints, paths_of, statuses
from tests.hostile.processes import resident_mb

AT_ONCE = 16
_NORMAL = {"prompt": "What is 6 * 7?", "models": ["sim/terse"]}
_NORMAL_TIMES = 5
_SHOWN = 20
_PATIENCE_S = 60.0


@dataclass(slots=True)
class Figures:
    """What came of it."""

    requests: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    polite: int = 0
    polite_worst_s: float = 0.0
    normal_before_s: float = 0.0
    normal_after_s: float = 0.0
    resident_mb: list[dict[str, float]] = field(default_factory=list)
    metrics: str = ""

    def told(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "wrong": len(self.wrong),
            "shown": self.wrong[:_SHOWN],
            "statuses": dict(sorted(self.statuses.items())),
            "kinds": dict(sorted(self.kinds.items())),
            "polite_requests": self.polite,
            "polite_worst_s": round(self.polite_worst_s, 3),
            "normal_before_s": round(self.normal_before_s, 3),
            "normal_after_s": round(self.normal_after_s, 3),
            "resident_mb": self.resident_mb,
        }


async def run(url: str, *, requests: int, seed: int, store: Path) -> Figures:
    """Returns what came of so many attacks.

    Args:
        store: The service's journal; its processes' memory is looked at before, after a fifth, and at the end.
    """
    figures = Figures()
    async with httpx.AsyncClient(base_url=url, timeout=_PATIENCE_S) as client:
        job = (await client.post("/llm", json=_NORMAL)).raise_for_status().json()["jobId"]
        figures.normal_before_s = await _normal(client)
        figures.resident_mb.append(resident_mb(str(store)))
        polite = asyncio.create_task(_polite(client, figures))
        warm = requests // 5
        for numbers in (range(warm), range(warm, requests)):
            await _all(url, numbers, seed, job, paths_of(store.parent), figures)
            figures.resident_mb.append(resident_mb(str(store)))
        polite.cancel()
        await asyncio.wait({polite})
        if not polite.cancelled() and (error := polite.exception()) is not None:
            figures.wrong.append(f"a client with good manners: {error!r}")
        figures.normal_after_s = await _normal(client)
        figures.metrics = (await client.get("/metrics")).raise_for_status().text
        figures.wrong += _misread(figures.metrics)
    return figures


async def _all(
    url: str, numbers: Iterable[int], seed: int, job: str, hidden: tuple[str, ...], figures: Figures
) -> None:
    waiting = iter(numbers)
    split = urlsplit(url)

    async def one_after_the_other() -> None:
        for number in waiting:
            attacked = attack(seed, number, job)
            heard = await carried_out(str(split.hostname), int(split.port or 80), attacked)
            figures.requests += 1
            figures.kinds[attacked.kind] += 1
            figures.statuses.update(statuses(heard.answer) or ["none"])
            for said in complaints(heard, hidden):
                figures.wrong.append(f"{number} ({attacked.kind}): {said}")

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(one_after_the_other())


async def _polite(client: httpx.AsyncClient, figures: Figures) -> None:
    """Asks for jobs that are not there, one after the other, and wants each answer to be its own."""
    number = 0
    while True:
        number += 1
        began = time.monotonic()
        answer = await client.get(f"/jobs/polite-{number}")
        figures.polite += 1
        figures.polite_worst_s = max(figures.polite_worst_s, time.monotonic() - began)
        if answer.status_code != 404 or f"polite-{number}" not in answer.text:
            figures.wrong.append(f"another's answer: {answer.status_code} {answer.text[:200]}")
        await asyncio.sleep(0.05)


def _misread(metrics: str) -> list[str]:
    """Returns what is wrong with a page of metrics as Prometheus reads it: its labels hold names that clients chose."""
    try:
        families = {family.name: family for family in text_string_to_metric_families(metrics)}
    except ValueError as error:
        return [f"the metrics cannot be read: {error}"]
    wrong = [
        f"{name} has no help or no type"
        for name, of in families.items()
        if not of.documentation or of.type == "unknown"
    ]
    return wrong + [f"{name} is missing" for name in ("ditto_jobs", "ditto_calls", "ditto_up") if name not in families]


async def _normal(client: httpx.AsyncClient) -> float:
    """Returns how long a normal job takes, in the median."""
    took = []
    for _ in range(_NORMAL_TIMES):
        began = time.monotonic()
        answer = await client.post("/llm", json=_NORMAL)
        took.append(time.monotonic() - began)
        assert answer.json()["result"] == "42", answer.text
    return sorted(took)[_NORMAL_TIMES // 2]
