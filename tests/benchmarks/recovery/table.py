"""The figures of all rounds: as a table, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.benchmarks.recovery.shape import Round, Shape

LEGEND = """\
Four model calls, four seconds in all; SIGKILL at moments spread evenly over them, the same for each row.
repeated: requests that the models got beyond one for each call; in brackets those for calls whose reply the system's \
own journal had when the kill came, which it has promised not to repeat.
Seconds are medians, in brackets the longest, from the moment at which the killed command is started again; where only \
the job's holder was killed nothing is started by hand, and they run from the kill.
takes work: DBOS.launch() has returned, or /readyz is 200. That holds a Python start for DBOS; for Ditto the start of \
Ray, of Serve with its ingress, and of the actors. Where the holder alone was killed the service was there throughout.
runs again: the workflow's first line, or job.adopted in the journal. new reply: the first one recorded after the \
kill, which waits for a model of a second or more. end: the job's. later: than undisturbed. load: the machine's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Attributes:
    killed: What got the signal.
    loads: The machine's load average over a minute, after each round.
    """

    system: str
    killed: str
    shape: Shape
    rounds: tuple[Round, ...]
    loads: tuple[float, ...]


def summary(row: Row) -> dict[str, Any]:
    """Returns the row's figures and its rounds as JSON."""
    figures = {
        name: _spread(getattr(each, f"{name}_s") for each in row.rounds)
        for name in ("ready", "resumed", "reply", "end", "delay")
    }
    return {
        "system": row.system,
        "killed": row.killed,
        "shape": str(row.shape),
        "rounds": len(row.rounds),
        "recovered": sum(each.recovered for each in row.rounds),
        "recorded": sum(each.recorded for each in row.rounds),
        "repeated": sum(each.repeated for each in row.rounds),
        "recorded_repeated": sum(each.recorded_repeated for each in row.rounds),
        **{f"{name}_s": spread for name, spread in figures.items()},
        "load": _spread(row.loads),
        "each": [asdict(each) for each in row.rounds],
    }


def show(summaries: Iterable[dict[str, Any]]) -> None:
    """Prints the table and what its columns mean."""
    table = Table(title="Killed with SIGKILL in the middle of a job of four model calls")
    for name in ("system", "killed", "calls"):
        table.add_column(name)
    for name in ("recovered", "repeated", "takes work", "runs again", "new reply", "end", "later", "load"):
        table.add_column(name, justify="right")
    for each in summaries:
        table.add_row(
            each["system"],
            each["killed"],
            each["shape"],
            f"{each['recovered']} of {each['rounds']}",
            f"{each['repeated']} ({each['recorded_repeated']})",
            *(_seconds(each[f"{name}_s"]) for name in ("ready", "resumed", "reply", "end", "delay")),
            _seconds(each["load"]),
        )
    console = Console(width=140)
    console.print(table)
    console.print(LEGEND, highlight=False)


def _spread(values: Iterable[float | None]) -> dict[str, float] | None:
    known = [value for value in values if value is not None]
    return {"median": round(median(known), 2), "longest": round(max(known), 2)} if known else None


def _seconds(spread: dict[str, float] | None) -> str:
    return "–" if spread is None else f"{spread['median']:.1f} ({spread['longest']:.1f})"
