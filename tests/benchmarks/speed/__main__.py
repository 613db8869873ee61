"""How fast a job is: what each system adds to its models' time, jobs a second, CPU for a job, and wide jobs.

`python -m tests.benchmarks.speed [--quick] [--json FILE] [--only NAME …]` starts one model server and asks it through
each system in turn: through nothing at all, a handler on aiohttp, one on httpx, a DBOS workflow on SQLite, and Ditto.
Three models of 50 ms answer each job, 200 ms each in the wide ones.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.benchmarks.speed import measuring
from tests.benchmarks.speed.measuring import FULL, QUICK, Plan
from tests.benchmarks.speed.systems import Running, started_ditto, started_mock, started_rival

SYSTEMS = ("mock", "aiohttp", "httpx", "dbos", "ditto")
_TITLES = {
    "mock": "nothing but the models",
    "aiohttp": "aiohttp handler, nothing kept",
    "httpx": "FastAPI + httpx handler, nothing kept",
    "dbos": "DBOS on SQLite, a step a model",
    "ditto": "Ditto, durable",
}
_WIDE_OF_RIVALS = (100, 300)
LEGEND = """\
Added: wall time of a request less the models' own 50 ms, the median, one request after the other. CPU for a job: of \
all processes of the system, the models' and the load's left out. Wide: one job of so many models of 200 ms. Crowd: \
128 jobs of ten such models at the same moment, until the last has its answer. In brackets: requests that failed."""


@contextlib.contextmanager
def started(name: str, folder: Path, mock: Running) -> Iterator[Running]:
    """Yields a system that takes requests."""
    match name:
        case "mock":
            yield mock
        case "ditto":
            with started_ditto(folder, mock.url) as running:
                yield running
        case _:
            with started_rival(name, folder, mock.url) as running:
                yield running


def figures(name: str, running: Running, plan: Plan) -> dict[str, Any]:
    """Returns what was measured of a system."""
    panel = 1 if name == "mock" else measuring.PANEL
    if name == "ditto":
        measuring.until_spares(running.url)
    found: dict[str, Any] = {"one": measuring.under_load(running, plan, 1, panel)}
    for at_once in plan.at_once:
        found[str(at_once)] = measuring.under_load(running, plan, at_once, panel)
        _say(f"{name} at {at_once}: {found[str(at_once)]['jobs_per_s']} a second")
    if name == "mock":
        came, _ = measuring.loaded(running, plan, measuring.CROWD, ["m0-0"])
        return found | {"limit_per_s": round(came.per_s)}
    wide = plan.wide if name == "ditto" else _WIDE_OF_RIVALS
    found["wide"] = {str(models): measuring.wide(running, models, plan.wide_rounds) for models in wide}
    if name == "ditto":
        found["crowd"] = measuring.crowd(running, plan.wide_rounds)
        for placement in ("shared", "dedicated"):
            assert measuring.held_by(running, placement).startswith("host:" if placement == "shared" else "job:")
            found[f"{placement}_after_a_pause"] = measuring.paused(running, placement, plan.pauses)
            _say(f"{placement} after a pause: {found[f'{placement}_after_a_pause']['added_ms_p50']} ms added")
    return found


def show(measured: dict[str, dict[str, Any]]) -> None:
    """Prints the table."""
    table = Table(title="Three models of 50 ms a job")
    for column in ("", "added", "jobs/s at 8 / 32 / 128", "CPU ms a job at 8 / 32 / 128", "wide 100 / 300 / 1000 ms"):
        table.add_column(column, justify="left" if not column else "right")
    for name, found in measured.items():
        loads = [found[key] for key in found if key.isdecimal()]
        cpu = "" if name == "mock" else " / ".join(f"{each['cpu_ms_per_job']:.2f}" for each in loads)
        wide = " / ".join(f"{each['ms_p50']:.0f}{_failed(each)}" for each in found.get("wide", {}).values())
        rates = " / ".join(f"{each['jobs_per_s']:.0f}{_failed(each)}" for each in loads)
        table.add_row(_TITLES[name], f"{found['one']['added_ms_p50']:.1f}", rates, cpu, wide)
    console = Console(width=140)
    console.print(table)
    if (mock := measured.get("mock")) is not None:
        console.print(f"The load and the models without a wait: {mock['limit_per_s']} requests a second.")
    if (ditto := measured.get("ditto")) is not None:
        shared, own = ditto["shared_after_a_pause"], ditto["dedicated_after_a_pause"]
        console.print(
            f"Ditto after a pause: {shared['added_ms_p50']:.1f} ms added on a shared host, "
            f"{own['added_ms_p50']:.1f} in an actor of its own. "
            f"Crowd: {ditto['crowd']['slowest_ms_p50']:.0f} ms{_failed(ditto['crowd'])}."
        )
    console.print(LEGEND, highlight=False)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.speed", description="How fast a job is")
    parser.add_argument("--quick", action="store_true", help="three seconds for each figure instead of ten")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the same figures, and CPU by kind of process")
    parser.add_argument("--only", nargs="+", choices=SYSTEMS, default=SYSTEMS, help="these systems")
    options = parser.parse_args()
    if not os.path.isdir("/proc/self"):
        sys.exit("this needs /proc, to find every process of a system")
    plan = QUICK if options.quick else FULL
    measured: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="ditto", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with started_mock(folder) as mock:
            for system in options.only:
                if system == "dbos" and importlib.util.find_spec("dbos") is None:
                    _say("DBOS is not installed and left out: pip install '.[bench]'")
                    continue
                with started(system, folder, mock) as running:
                    measured[system] = figures(system, running, plan)
                if options.json is not None:
                    options.json.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    show(measured)


def _failed(found: dict[str, Any]) -> str:
    return f" ({found['failed']})" if found["failed"] else ""


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
