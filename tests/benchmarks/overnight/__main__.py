"""A hundred thousand prompts overnight: how fast, at what cost, and what is left of them after ten kills.

`python -m tests.benchmarks.overnight [--rows N] [--models N] [--kills N] [--seed N] [--json FILE] [--quick]` writes a
file of questions, starts simulated models, and has every row answered by each of them: by `ditto batch` with a Ray of
its own, by a script of asyncio and httpx, and by Ray Data's pipeline of HTTP requests. Each once undisturbed, measured,
and once killed with SIGKILL, and everything that it has started with it, at random moments, and given again. What they
leave is held against what was asked, and against each other; what the models were asked is the models' own count.

`--parts` does some; with `--folder DIR` outputs stay there, so that a part finds what an earlier one left, and
`--json FILE` keeps the figures of parts that were done before.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.acceptance.processes import process, said
from tests.benchmarks.overnight import running
from tests.benchmarks.overnight.models import NAMES
from tests.benchmarks.overnight.ways import BATCH, RAY_DATA, SCRIPT, Given, way, write_input

ROWS, RIVAL_ROWS, KILLS = 100_000, 20_000, 10
QUICK_ROWS, QUICK_RIVAL_ROWS, QUICK_KILLS = 1_500, 600, 3
PARTS = {
    "batch": (BATCH, False),
    "batch-killed": (BATCH, True),
    "script": (SCRIPT, False),
    "script-killed": (SCRIPT, True),
    "ray-data": (RAY_DATA, False),
    "ray-data-killed": (RAY_DATA, True),
}
_UNDISTURBED = ("rows", "rows/s", "CPU ms a row", "bytes a row: output / store", "missing", "twice", "calls beyond")
LEGEND = """\
Rows a second and CPU for a row: between the first and the last fiftieth of the rows, of all of the way's processes, \
Ray's included, the models left out; in brackets over the whole run, with Ray's start and the second merge at the end. \
`ditto batch` merges the replies, journals them, and writes a report; the others write the replies as they are.
Killed: beyond: calls that the models got beyond one for each row and model. At the models: calls that they were at \
between the look before a kill and the last process's end. In flight: with those whose reply was on its way into the \
journal, as that says. Answered, made again: calls that were made again although the journal had their reply; without \
a journal, at least so many that the models had answered."""


@contextlib.contextmanager
def started_models(folder: Path, latency_s: float) -> Iterator[str]:
    """Yields the address of the simulated models."""
    log = folder / "models.log"
    command = (sys.executable, "-m", "tests.benchmarks.overnight.models", str(latency_s))
    with process(*command, environ={**os.environ, "PYTHONPATH": os.getcwd()}, log=log) as started:
        yield said(r"models, at (http://\S+)", log, started)[1]


def part(name: str, folder: Path, given: Given, kills: int, luck: random.Random) -> dict[str, Any]:
    """Returns the figures of one part."""
    title, is_killed = PARTS[name]
    shutil.rmtree(folder / name, ignore_errors=True)
    here = way(title, folder / name, given)
    if not is_killed:
        return running.undisturbed(here)
    before = way(title, folder / name.removesuffix("-killed"), given)
    return running.killed(here, kills, luck, before.read() if before.output.exists() else None)


def show(figures: dict[str, dict[str, Any]]) -> None:
    """Prints the tables."""
    console = Console(width=140)
    _show_undisturbed(console, {name: found for name, found in figures.items() if not PARTS[name][1]})
    _show_memory(console, figures.get("batch", {}))
    _show_killed(console, {name: found for name, found in figures.items() if PARTS[name][1]})
    console.print(LEGEND, highlight=False)


def _show_undisturbed(console: Console, figures: dict[str, dict[str, Any]]) -> None:
    table = _table("Undisturbed", _UNDISTURBED)
    for name, found in figures.items():
        rate = f"{found.get('rows_per_s', '–')} ({found['rows_per_s_in_all']})"
        cpu = f"{found.get('cpu_ms_per_row', '–')} ({found['cpu_ms_per_row_in_all']})"
        sizes = " / ".join(str(found[key] or "–") for key in ("output_bytes_per_row", "store_bytes_per_row"))
        counts = (str(found[key]) for key in ("missing", "twice", "calls_beyond"))
        table.add_row(PARTS[name][0], f"{found['rows']:,}", rate, cpu, sizes, *counts)
    if table.rows:
        console.print(table)


def _show_memory(console: Console, found: dict[str, Any]) -> None:
    columns = ("CPU ms a row", "MB, first third", "last third", "KB more for 1000 rows", "most MB")
    table = _table("`ditto batch` by kind of process; memory of the largest of a kind", columns)
    spent = found.get("cpu_ms_per_row_by_kind", {})
    for kind, each in found.get("memory", {}).items():
        most = found["most_mb"].get(kind, "–")
        figures = (each["first_mb"], each["last_mb"], each["kb_per_1000_rows"], most)
        table.add_row(kind, str(spent.get(kind, "–")), *map(str, figures))
    if table.rows:
        console.print(table)


def _show_killed(console: Console, figures: dict[str, dict[str, Any]]) -> None:
    keys = {
        "kills": "kills",
        "missing": "missing",
        "twice": "twice",
        "torn": "torn",
        "different": "different",
        "calls_beyond": "beyond",
        "at_models_at_kills": "at the models",
        "in_flight_at_kills": "in flight",
        "answered_again": "answered, made again",
    }
    table = _table("Killed, and given again", ("rows", *keys.values()))
    for name, found in figures.items():
        told = ("–" if found[key] is None else str(found[key] or 0) for key in keys)
        table.add_row(PARTS[name][0], f"{found['rows']:,}", *told)
    if table.rows:
        console.print(table)


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title)
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right")
    return table


def main() -> None:
    """Measures and prints."""
    options = _options()
    if not os.path.isdir("/proc/self"):
        sys.exit("this needs /proc, to find every process of a command")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was begun is ended
    figures: dict[str, dict[str, Any]] = {}
    if options.json is not None and options.json.exists():
        figures = json.loads(options.json.read_text())
    with contextlib.ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="overnight", ignore_cleanup_errors=True)
        folder = options.folder or Path(stack.enter_context(temporary))
        folder.mkdir(parents=True, exist_ok=True)
        sim = stack.enter_context(started_models(folder, options.latency))
        for name in options.parts:
            if PARTS[name][0] == RAY_DATA and importlib.util.find_spec("pandas") is None:
                print("pandas is not installed and Ray Data left out: pip install '.[bench]'", file=sys.stderr)
                continue
            given = _given(name, folder, sim, options)
            figures[name] = part(name, folder, given, options.kills, random.Random(f"{options.seed} {name}"))
            print(f"{name}: {json.dumps(figures[name])}", file=sys.stderr, flush=True)
            if options.json is not None:
                options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    show(figures)
    sys.exit(any(not figures[name]["right"] for name in figures if PARTS[name][0] == BATCH))


def _given(name: str, folder: Path, sim: str, options: argparse.Namespace) -> Given:
    rows = options.rows if PARTS[name][0] == BATCH else min(options.rows, options.rival_rows)
    source = folder / f"in-{rows}.jsonl"
    write_input(source, rows)
    return Given(source=source, rows=rows, models=NAMES[: options.models], sim=sim, at_once=options.at_once)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.overnight", description="A large batch, killed and gone on with"
    )
    parser.add_argument("--rows", type=int, help=f"of `ditto batch`, {ROWS:,}")
    parser.add_argument("--rival-rows", type=int, help=f"of the others, {RIVAL_ROWS:,}")
    parser.add_argument("--models", type=int, default=3, choices=range(1, len(NAMES) + 1), help="asked for each row")
    parser.add_argument("--kills", type=int, help=f"of each way, {KILLS}")
    parser.add_argument("--seed", type=int, default=0, help="of the moments at which is killed")
    parser.add_argument("--latency", type=float, default=0.02, metavar="SECONDS", help="of the models")
    parser.add_argument("--at-once", type=int, default=32, help="rows at once in the script, calls in Ray Data")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="these parts, in this order")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where outputs stay; without it they are taken away")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every figure; parts that are there stay")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS:,} rows and {QUICK_KILLS} kills")
    options = parser.parse_args()
    sizes = (QUICK_ROWS, QUICK_RIVAL_ROWS, QUICK_KILLS) if options.quick else (ROWS, RIVAL_ROWS, KILLS)
    for name, usual in zip(("rows", "rival_rows", "kills"), sizes, strict=True):
        if getattr(options, name) is None:
            setattr(options, name, usual)
    return options


if __name__ == "__main__":
    main()
