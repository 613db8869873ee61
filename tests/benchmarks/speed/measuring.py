"""What is measured of one system: what it adds to a model's own time, jobs a second, CPU for each, and wide jobs."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
import urllib.request
from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.benchmarks.speed import load
from tests.benchmarks.speed.load import Loaded
from tests.benchmarks.speed.systems import Running, Used, names, used

MODEL_MS = 50
PANEL = 3
WIDE_MS = 200
CROWD = 128
CROWD_PANEL = 10
SPARES_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long, how often, and at how many at once.

    Attributes:
        pauses: So many requests with a pause before each, to jobs' own actors and to a shared host.
    """

    warm_s: float
    measured_s: float
    at_once: tuple[int, ...]
    wide: tuple[int, ...]
    wide_rounds: int
    pauses: int


FULL = Plan(warm_s=3.0, measured_s=10.0, at_once=(8, 32, 128), wide=(100, 300, 1000), wide_rounds=7, pauses=20)
QUICK = Plan(warm_s=1.5, measured_s=3.0, at_once=(8, 32, 128), wide=(100, 300, 1000), wide_rounds=3, pauses=5)


def loaded(running: Running, plan: Plan, at_once: int, models: list[str]) -> tuple[Loaded, dict[str, float]]:
    """Returns what came of a load, and the CPU that it took by kind of process, in seconds."""
    looks: list[Used] = []
    asked = load.request(running.url, running.path, running.asked(models))
    came = asyncio.run(
        load.load(
            running.url,
            asked,
            at_once=at_once,
            warm_s=plan.warm_s,
            measured_s=plan.measured_s,
            between=lambda: looks.append(used(running.mark)),
        )
    )
    return came, looks[1].since(looks[0])


def under_load(running: Running, plan: Plan, at_once: int, panel: int = PANEL) -> dict[str, Any]:
    """Returns jobs a second, latencies, and CPU for each job."""
    came, cpu_s = loaded(running, plan, at_once, names(panel, MODEL_MS))
    jobs = max(1, len(came.latencies_s))
    return {
        "jobs_per_s": round(came.per_s, 1),
        "failed": came.failed,
        "added_ms_p50": round(came.quantile_s(0.5) * 1000 - MODEL_MS, 2) if came.latencies_s else None,
        "added_ms_p99": round(came.quantile_s(0.99) * 1000 - MODEL_MS, 2) if came.latencies_s else None,
        "cpu_ms_per_job": round(sum(cpu_s.values()) * 1000 / jobs, 3),
        "cpu_ms_per_job_by_process": {kind: round(spent * 1000 / jobs, 3) for kind, spent in cpu_s.items()},
        "load": os.getloadavg()[0],
    }


def wide(running: Running, models: int, rounds: int) -> dict[str, Any]:
    """Returns how long one job of so many models takes, the first one aside."""
    asked = load.request(running.url, running.path, running.asked(names(models, WIDE_MS)))
    took_ms, failed = [], 0
    for _ in range(rounds + 1):
        came = asyncio.run(load.burst(running.url, asked, at_once=1))
        failed += came.failed
        took_ms.append(came.elapsed_s * 1000)
    return {"ms_p50": round(median(took_ms[1:]), 1), "failed": failed}


def crowd(running: Running, rounds: int) -> dict[str, Any]:
    """Returns how long the last of many jobs waits that come at the same moment."""
    asked = load.request(running.url, running.path, running.asked(names(CROWD_PANEL, WIDE_MS)))
    came = [asyncio.run(load.burst(running.url, asked, at_once=CROWD)) for _ in range(rounds + 1)]
    return {
        "slowest_ms_p50": round(median(each.elapsed_s for each in came[1:]) * 1000, 1),
        "failed": sum(each.failed for each in came),
    }


def paused(running: Running, placement: str, rounds: int) -> dict[str, Any]:
    """Returns what is added to a job that comes when nothing else does, all spares being there."""
    asked = load.request(running.url, running.path, running.asked(names(PANEL, MODEL_MS), placement))
    added_ms = []
    for _ in range(rounds + 1):
        until_spares(running.url)
        time.sleep(1.0)
        came = asyncio.run(load.burst(running.url, asked, at_once=1))
        added_ms.append(came.elapsed_s * 1000 - MODEL_MS)
    return {"added_ms_p50": round(median(added_ms[1:]), 2), "added_ms": [round(each, 2) for each in added_ms]}


def held_by(running: Running, placement: str) -> str:
    """Returns the name of the actor that held a job."""
    asked = running.asked(names(PANEL, MODEL_MS), placement)
    headers = {"content-type": "application/json"}
    sent = urllib.request.Request(running.url + running.path, data=asked, headers=headers)
    with urllib.request.urlopen(sent, timeout=load.PATIENCE_S) as answer:
        return str(json.load(answer)["host"])


def until_spares(url: str, wanted: int = 2) -> None:
    """Returns when so many actors are ready for one job each."""
    until = time.monotonic() + SPARES_S
    while time.monotonic() < until:
        with urllib.request.urlopen(f"{url}/metrics", timeout=load.PATIENCE_S) as answer:
            found = re.search(r"^ditto_spares\S* (\d+)", answer.read().decode(), re.MULTILINE)
        if found is not None and int(found[1]) >= wanted:
            return
        time.sleep(0.5)
    raise TimeoutError(f"no {wanted} spares in {SPARES_S:.0f} s")
