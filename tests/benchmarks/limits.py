"""A provider that allows 50 requests a second and punishes bursts: how much of that is used, how often it says 429.

`python -m tests.benchmarks.limits [--json FILE] [--quick] [--callers N …]` gives a service as many jobs at once as the
provider takes in two minutes (in half a minute with `--quick`), each of one call, and prints for one caller and for
two, with the limit in the settings and with none, so that it has to be found: the part of the allowance that was used
from the first job to the last answer, the same without the first and the last tenth of the jobs, the 429s as a part of
all requests, and the calls that were lost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from tests.acceptance.conftest import Serving, service, simulated_models

RATE = 50
SECONDS, QUICK_SECONDS = 120, 30
AT_ONCE = 32
BODY = {"prompt": "What is 6 * 7?", "placement": "shared"}
PATIENCE_S = 900.0
LOOK_S = 0.2
STILL = 150
"""After so many looks at which nothing more was answered, what is missing is lost."""
MODELS = {"set": f"sim/terse+allow={RATE}", "found": f"sim/wordy+allow={RATE}"}
LIMITS = {MODELS["set"]: {"requests_per_second": RATE}}


async def given(serving: Serving, model: str, jobs: int) -> None:
    """Submits jobs, so many at once."""
    gate = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(base_url=serving.url, timeout=120) as client:

        async def submit() -> None:
            async with gate:
                (await client.post("/jobs", json={**BODY, "models": [model]})).raise_for_status()

        await asyncio.gather(*(submit() for _ in range(jobs)))


async def of_models(serving: Serving, method: str, path: str) -> dict[str, Any]:
    """Returns what the simulated models say of what they were asked."""
    async with httpx.AsyncClient(base_url=serving.sim, timeout=60) as client:
        answer = await client.request(method, path)
        answer.raise_for_status()
        said: dict[str, Any] = answer.json()
        return said


async def answered(serving: Serving, model: str, jobs: int) -> list[tuple[float, int]]:
    """Returns how many had been answered at which moments, until all requests have ended."""
    seen: list[tuple[float, int]] = []
    name = model.removeprefix("sim/")
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        models = (await of_models(serving, "GET", "/sim/counts"))["models"]
        seen.append((time.monotonic(), models.get(name, {}).get("answered", 0)))
        if seen[-1][1] >= jobs or (len(seen) > STILL and seen[-1][1] == seen[-STILL][1]):
            return seen
        await asyncio.sleep(LOOK_S)
    return seen


async def measured(serving: Serving, model: str, jobs: int) -> dict[str, Any]:
    """Returns the figures of one case."""
    await of_models(serving, "POST", "/sim/reset")
    began = time.monotonic()
    seen, _ = await asyncio.gather(answered(serving, model, jobs), given(serving, model, jobs))
    first, last = (next(at for at, number in seen if number >= jobs * part) for part in (0.1, 0.9))
    between = [number for at, number in seen if at in (first, last)]
    statuses = (await of_models(serving, "GET", "/sim/counts"))["statuses"]
    refused = statuses.get("429", 0)
    return {
        "jobs": jobs,
        "seconds": seen[-1][0] - began,
        "used": seen[-1][1] / (RATE * (seen[-1][0] - began)),
        "used_in_the_middle": (between[1] - between[0]) / (RATE * (last - first)),
        "requests": sum(statuses.values()),
        "refused": refused,
        "refused_part": refused / sum(statuses.values()),
        "lost": jobs - seen[-1][1],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 2], metavar="N")
    parser.add_argument("--cases", choices=tuple(MODELS), nargs="+", default=list(MODELS))
    options = parser.parse_args()
    jobs = RATE * (QUICK_SECONDS if options.quick else SECONDS)
    figures: dict[str, dict[str, Any]] = {}
    for callers in options.callers:
        variables = {"DITTO_RATE_LIMITS": json.dumps(LIMITS), "DITTO_RUNTIME__CALLERS": str(callers)}
        with (
            tempfile.TemporaryDirectory() as name,
            simulated_models(Path(name)) as sim,
            service(Path(name), sim, **variables) as serving,
        ):
            for case in options.cases:
                figures[f"{case}, callers: {callers}"] = asyncio.run(measured(serving, MODELS[case], jobs))
    table = Table("limit", *next(iter(figures.values())))
    for case, row in figures.items():
        table.add_row(case, *(f"{value:.4f}" if isinstance(value, float) else str(value) for value in row.values()))
    Console(width=160).print(table)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
