"""`python -m tests.benchmarks.recovery [--rounds 20] [--quick] [--json FILE]`: a killed job beside DBOS.

It needs `pip install '.[bench]'`, ends only what it has started, and takes about 25 minutes; `--quick`, three rounds
each, five.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.acceptance.conftest import simulated_models
from tests.benchmarks.recovery import ditto_side
from tests.benchmarks.recovery.shape import Round, Shape
from tests.benchmarks.recovery.table import Row, show, summary

ROUNDS, QUICK_ROUNDS = 20, 3


def spread(rounds: int) -> list[float]:
    """Returns the moments of the kills, as fractions of the job's length."""
    return [(number + 0.5) / rounds for number in range(rounds)]


def beside_dbos(folder: Path, sim: str, shape: Shape, moments: list[float]) -> Iterator[Round]:
    """Yields DBOS's rounds, each on a database of its own."""
    from tests.benchmarks.recovery import dbos_side  # DBOS may be absent, which is said before

    undisturbed_s = dbos_side.undisturbed(_made(folder / "undisturbed"), sim, shape)
    for number, moment in enumerate(moments):
        yield dbos_side.killed(_made(folder / f"{number}"), sim, shape, moment, undisturbed_s)


def rows(folder: Path, sim: str, rounds: int) -> Iterator[Row]:
    """Yields each row when its rounds are done."""
    moments = spread(rounds)
    version = importlib.metadata.version("dbos")
    for place, shape in enumerate(Shape):

        def made(name: str, place: int = place) -> Path:
            return _made(folder / f"{name}{place}")  # short: Ray's sockets come to lie below it

        found = beside_dbos(made("dbos"), sim, shape, moments)
        yield _row(f"DBOS {version}", "the process", shape, found)
        found = ditto_side.whole_service_killed(made("all"), sim, shape, moments)
        yield _row("Ditto", "the whole service", shape, found)
        for placement, killed in (("dedicated", "the job's own actor"), ("shared", "the shared host")):
            found = ditto_side.holder_killed(made(placement[:3]), sim, shape, placement, moments)
            yield _row("Ditto", killed, shape, found)


def _row(system: str, killed: str, shape: Shape, rounds: Iterator[Round]) -> Row:
    done, loads = [], []
    for each in rounds:
        print(".", end="", flush=True, file=sys.stderr)
        done.append(each)
        loads.append(os.getloadavg()[0])
    print(file=sys.stderr)
    return Row(system=system, killed=killed, shape=shape, rounds=tuple(done), loads=tuple(loads))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def main() -> None:
    """Measures, prints the table, and ends with 1 where a job was lost or a recorded call repeated."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.recovery", description="A killed job beside DBOS")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds")
    parser.add_argument("--json", type=Path, help="write the same figures, and each round's, there")
    options = parser.parse_args()
    if importlib.util.find_spec("dbos") is None:
        sys.exit("DBOS is not installed: pip install '.[bench]'")
    if not os.path.isdir("/proc/self"):
        sys.exit("this needs /proc, to find every process of a service")
    summaries = []
    with tempfile.TemporaryDirectory(prefix="ditto", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with simulated_models(folder) as sim:
            for row in rows(folder, sim, QUICK_ROUNDS if options.quick else options.rounds):
                summaries.append(summary(row))
                if options.json is not None:
                    options.json.write_text(json.dumps(summaries, indent=2))
    show(summaries)
    sys.exit(any(each["recovered"] < each["rounds"] or each["recorded_repeated"] for each in summaries))


if __name__ == "__main__":
    main()
