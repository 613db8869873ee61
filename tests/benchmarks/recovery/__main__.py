"""`python -m tests.benchmarks.recovery [--rounds 20] [--quick] [--json FILE]`: a killed job beside DBOS.

It needs `pip install '.[bench]'`, ends only what it has started, and takes about 25 minutes; `--quick`, three rounds
each, five. Stopped in between and given again with the same file, it goes on with the rows that are missing there.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.acceptance.conftest import simulated_models
from tests.benchmarks.recovery import ditto_side
from tests.benchmarks.recovery.shape import Round, Shape
from tests.benchmarks.recovery.table import Row, show, summary

ROUNDS, QUICK_ROUNDS = 20, 3


def spread(rounds: int) -> list[float]:
    """Returns the moments of the kills, as fractions of the job's length."""
    return [(number + 0.5) / rounds for number in range(rounds)]


def beside_dbos(folder: Path, sim: str, shape: Shape, moments: Sequence[float]) -> Iterator[Round]:
    """Yields DBOS's rounds, each on a database of its own."""
    from tests.benchmarks.recovery import dbos_side  # DBOS may be absent, which is said before

    undisturbed_s = dbos_side.undisturbed(_made(folder / "undisturbed"), sim, shape)
    for number, moment in enumerate(moments):
        yield dbos_side.killed(_made(folder / f"{number}"), sim, shape, moment, undisturbed_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A row that is to be measured: `measure` takes a folder, the simulated models, the shape and the moments."""

    system: str
    killed: str
    shape: Shape
    measure: Callable[[Path, str, Shape, Sequence[float]], Iterator[Round]]

    def row(self, folder: Path, sim: str, moments: Sequence[float]) -> Row:
        """Returns the row when all its rounds are done."""
        done, loads = [], []
        for each in self.measure(folder, sim, self.shape, moments):
            print(".", end="", flush=True, file=sys.stderr)
            done.append(each)
            loads.append(os.getloadavg()[0])
        print(file=sys.stderr)
        return Row(system=self.system, killed=self.killed, shape=self.shape, rounds=tuple(done), loads=tuple(loads))


def plans() -> Iterator[Plan]:
    """Yields what is to be measured, in the order of the table."""
    own = partial(ditto_side.holder_killed, placement="dedicated")
    shared = partial(ditto_side.holder_killed, placement="shared")
    dbos = f"DBOS {importlib.metadata.version('dbos')}"
    for shape in Shape:
        yield Plan(system=dbos, killed="the process", shape=shape, measure=beside_dbos)
        yield Plan(system="Ditto", killed="the whole service", shape=shape, measure=ditto_side.whole_service_killed)
        yield Plan(system="Ditto", killed="the job's own actor", shape=shape, measure=own)
        yield Plan(system="Ditto", killed="the shared host", shape=shape, measure=shared)


def measured(rounds: int, kept: Path | None) -> list[dict[str, Any]]:
    """Returns every row's figures; those that stand in `kept` with as many rounds are not measured again."""
    found = json.loads(kept.read_text()) if kept is not None and kept.exists() else []
    known = {(each["system"], each["killed"], each["shape"]): each for each in found if each["rounds"] == rounds}
    summaries: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="ditto", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with simulated_models(folder) as sim:
            for place, plan in enumerate(plans()):
                done = known.get((plan.system, plan.killed, str(plan.shape)))
                # Ray's sockets come to lie below the row's folder, so its name is short.
                summaries.append(done or summary(plan.row(_made(folder / f"{place}"), sim, spread(rounds))))
                if kept is not None:
                    kept.write_text(json.dumps(summaries, indent=2))
    return summaries


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def main() -> None:
    """Measures, prints the table, and ends with 1 where a job was lost or a recorded call repeated."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.recovery", description="A killed job beside DBOS")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds")
    parser.add_argument("--json", type=Path, help="the same figures and each round's; goes on where it stopped")
    options = parser.parse_args()
    if importlib.util.find_spec("dbos") is None:
        sys.exit("DBOS is not installed: pip install '.[bench]'")
    if not os.path.isdir("/proc/self"):
        sys.exit("this needs /proc, to find every process of a service")
    summaries = measured(QUICK_ROUNDS if options.quick else options.rounds, options.json)
    show(summaries)
    sys.exit(any(each["recovered"] < each["rounds"] or each["recorded_repeated"] for each in summaries))


if __name__ == "__main__":
    main()
