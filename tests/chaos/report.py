"""What a run has cost, as one table for people and as JSON."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.chaos.ledger import Toll
from tests.chaos.run import Result

WRONGS = (
    "lost", "ended_twice", "answered_repeated", "doubled", "wrong", "unfolded", "unserved", "torn",
)  # fmt: skip
_COUNTS = ("jobs", "clients", "dedicated", "adopted", "calls", "requests", "tries")


def as_json(result: Result) -> dict[str, Any]:
    """Returns the run as JSON: the counts, every list of what is wrong, and each fault."""
    cost = result.account
    return {
        "seed": result.plan.seed,
        "store": "sqlite" if result.plan.store is None else "postgresql",
        "took_s": round(result.took_s, 1),
        **{name: getattr(cost, name) for name in _COUNTS},
        **{name: len(getattr(cost, name)) for name in WRONGS},
        "kinds": {name: _toll(toll) for name, toll in sorted(cost.tolls.items())},
        "missed": result.missed,
        "left": result.left,
        "details": {name: getattr(cost, name) for name in WRONGS if getattr(cost, name)},
        "faults": [asdict(fault) for fault in result.faults],
    }


def write(path: Path, parts: Sequence[dict[str, Any]]) -> None:
    """Writes the runs and their sum."""
    path.write_text(json.dumps({"total": total(parts), "runs": list(parts)}, indent=2) + "\n", encoding="utf-8")


def read(path: Path) -> list[dict[str, Any]]:
    """Returns the runs that were written there, none where there is no such file."""
    if not path.exists():
        return []
    runs: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["runs"]
    return runs


def total(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Returns several runs as one."""
    summed: dict[str, Any] = {name: sum(part[name] for part in parts) for name in (*_COUNTS, *WRONGS)}
    names = sorted({name for part in parts for name in part["kinds"]})
    summed["kinds"] = {
        name: _merged([part["kinds"][name] for part in parts if name in part["kinds"]]) for name in names
    }
    return summed


def show(parts: Sequence[dict[str, Any]], console: Console) -> None:
    """Prints one table, and below it what is wrong."""
    summed = total(parts)
    table = Table(title=f"{summed['jobs']} jobs, {summed['calls']} calls, {summed['requests']} requests to models")
    for heading in (
        "fault",
        "times",
        "calls in flight",
        "repeated",
        "not its own",
        "clients cut",
        "came back",
        "median",
        "worst",
    ):
        table.add_column(heading, justify="left" if heading == "fault" else "right")
    for name, toll in summed["kinds"].items():
        cells = [toll[key] for key in ("faults", "in_flight", "repeated", "not_its_own", "broken", "came_back")]
        table.add_row(name, *(str(cell) for cell in cells), _seconds(toll["median_s"]), _seconds(toll["worst_s"]))
    console.print(table)
    console.print(", ".join(f"{name} {summed[name]}" for name in WRONGS))
    for part in parts:
        for name, items in part["details"].items():
            console.print(f"{name}: " + "\n  ".join(items[:20]), markup=False)
        for name in ("missed", "left"):
            if part[name]:
                console.print(f"{name}: {', '.join(part[name])}", markup=False)


def _toll(toll: Toll) -> dict[str, Any]:
    return _with_times(
        {
            "faults": toll.faults,
            "in_flight": toll.in_flight,
            "repeated": toll.repeated,
            "not_its_own": toll.not_its_own,
            "broken": toll.broken,
            "came_back": toll.came_back,
        },
        [round(seconds, 3) for seconds in toll.recoveries_s],
    )


def _merged(tolls: Sequence[dict[str, Any]]) -> dict[str, Any]:
    names = ("faults", "in_flight", "repeated", "not_its_own", "broken", "came_back")
    counts = {name: sum(toll[name] for toll in tolls) for name in names}
    return _with_times(counts, [seconds for toll in tolls for seconds in toll["recoveries_s"]])


def _with_times(counts: dict[str, Any], recoveries_s: list[float]) -> dict[str, Any]:
    return {
        **counts,
        "median_s": statistics.median(recoveries_s) if recoveries_s else None,
        "worst_s": max(recoveries_s, default=None),
        "recoveries_s": recoveries_s,
    }


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} s"
