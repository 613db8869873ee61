"""What looks at the processes of a command come to: rows a second, CPU for a row, and memory over time.

The CPU of a process that has ended is what the last look at it saw. Memory is resident memory; of several processes of
a kind the largest is told, and all of them together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

_LAID_ASIDE = 0.02
"""Of the rows, at both ends: the rate is that of the rows between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    kind: str
    cpu_s: float
    resident_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Attributes:
    rows: In the output at that moment.
    processes: By process id.
    """

    at_s: float
    rows: int
    processes: dict[int, Process] = field(default_factory=dict)


def figures(looks: Sequence[Look], rows: int, elapsed_s: float) -> dict[str, Any]:
    """Returns rate, CPU and memory of a run.

    Args:
        rows: All that were asked.
        elapsed_s: From the command's beginning to its end.
    """
    steady = _steady(looks, rows)
    told: dict[str, Any] = {
        "rows": rows,
        "elapsed_s": round(elapsed_s, 1),
        "rows_per_s_in_all": round(rows / elapsed_s, 1),
        "cpu_ms_per_row_in_all": _per_row(_spent(looks), rows),
    }
    if len(steady) > 1 and steady[-1].rows > steady[0].rows:
        passed, count = steady[-1].at_s - steady[0].at_s, steady[-1].rows - steady[0].rows
        spent = _spent(steady)
        told |= {
            "steady_s": round(passed, 1),
            "rows_per_s": round(count / passed, 1),
            "cpu_ms_per_row": _per_row(spent, count),
            "cpu_ms_per_row_by_kind": {kind: round(each * 1000 / count, 3) for kind, each in spent.items()},
        }
    told["memory"] = memory(steady)
    told["most_mb"] = {kind: round(max(each for _, each in seen), 1) for kind, seen in _by_kind(looks, max).items()}
    return told


def memory(looks: Sequence[Look]) -> dict[str, dict[str, float]]:
    """Returns by kind of process how its memory went: medians of the first and the last third, and the slope.

    The slope is over the last two thirds, in KB for a thousand rows: what is loaded at the beginning is not in it.
    """
    if len(looks) < 3:
        return {}
    series = _by_kind(looks, max)
    series["all together"] = [(each.rows, sum(one.resident_mb for one in each.processes.values())) for each in looks]
    told = {}
    for kind, seen in series.items():
        third = max(1, len(seen) // 3)
        told[kind] = {
            "first_mb": round(median(mb for _, mb in seen[:third]), 1),
            "last_mb": round(median(mb for _, mb in seen[-third:]), 1),
            "kb_per_1000_rows": round(_slope(seen[third:]) * 1024 * 1000, 1),
        }
    return told


def _steady(looks: Sequence[Look], rows: int) -> list[Look]:
    low, high = rows * _LAID_ASIDE, rows * (1 - _LAID_ASIDE)
    return [each for each in looks if low <= each.rows <= high]


def _by_kind(looks: Sequence[Look], of: Callable[[Iterable[float]], float]) -> dict[str, list[tuple[int, float]]]:
    """Returns for each kind how many rows there were and what its processes had in memory then."""
    found: dict[str, list[tuple[int, float]]] = {}
    for each in looks:
        sizes: dict[str, list[float]] = {}
        for process in each.processes.values():
            sizes.setdefault(process.kind, []).append(process.resident_mb)
        for kind, sized in sizes.items():
            found.setdefault(kind, []).append((each.rows, of(sized)))
    return dict(sorted(found.items()))


def _spent(looks: Sequence[Look]) -> dict[str, float]:
    """Returns the CPU between the first look and the last by kind, the largest first."""
    last: dict[int, Process] = {}
    for each in looks:
        last |= each.processes
    spent: dict[str, float] = {}
    for pid, process in last.items():
        before = looks[0].processes.get(pid)
        spent[process.kind] = spent.get(process.kind, 0.0) + process.cpu_s - (0.0 if before is None else before.cpu_s)
    return dict(sorted(spent.items(), key=lambda each: -each[1]))


def _per_row(spent: dict[str, float], rows: int) -> float:
    return round(sum(spent.values()) * 1000 / rows, 3)


def _slope(seen: Sequence[tuple[int, float]]) -> float:
    """Returns how many MB each further row takes, by least squares."""
    rows = sum(row for row, _ in seen) / len(seen)
    mb = sum(each for _, each in seen) / len(seen)
    spread = sum((row - rows) ** 2 for row, _ in seen)
    return sum((row - rows) * (each - mb) for row, each in seen) / spread if spread else 0.0
