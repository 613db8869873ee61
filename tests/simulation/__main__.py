"""Simulates: `python -m tests.simulation --seeds 10000`, or one seed with its trace: `--seed 4711`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from tests.simulation.breaks import BREAKS
from tests.simulation.runs import run
from tests.simulation.searching import Searchers


def main() -> int:
    """Returns the exit code: 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many seeds")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    parser.add_argument("--seed", type=int, help="this seed alone, with a line for each thing that happens")
    parser.add_argument("--break", choices=sorted(BREAKS), dest="break_name", help="with this safeguard out")
    parser.add_argument("--table", action="store_true", help="for each safeguard the first seed that misses it")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path, help="where the figures are written to")
    options = parser.parse_args()
    if options.seed is not None:
        return _show(options.seed, options.break_name)
    if options.table:
        return _table(options.seeds, options.processes, options.json)
    return _search(options)


def _show(seed: int, break_name: str | None) -> int:
    result = run(seed, None if break_name is None else BREAKS[break_name])
    for at_s, *what in result.trace:
        print(f"{at_s:9.4f}", *what)
    print(f"{result.steps} steps, {result.virtual_s:.1f} s of virtual time, trace {result.digest()}")
    for violation in result.violations:
        print("BROKEN", violation)
    return 1 if result.violations else 0


def _table(most: int, processes: int, path: Path | None) -> int:
    with Searchers(processes) as searchers:
        rows = {name: searchers.first_caught(name, most) for name in BREAKS}
    for name, caught in rows.items():
        told = f"not noticed by {most} seeds" if caught is None else f"seed {caught[0]:5}  {caught[1]}"
        print(f"{name:20} {told}")
    if path is not None:
        path.write_text(json.dumps(rows, indent=2))
    return 1 if None in rows.values() else 0


def _search(options: argparse.Namespace) -> int:
    began = time.perf_counter()
    with Searchers(options.processes) as searchers:
        found = searchers.search(options.first, options.seeds, options.break_name)
    elapsed_s = time.perf_counter() - began
    figures = {
        "seeds": found.seeds,
        "failed": {str(seed): what for seed, what in sorted(found.failed.items())},
        "elapsed_s": round(elapsed_s, 1),
        "seeds_per_s": round(found.seeds / elapsed_s, 1),
        "steps": found.steps,
        "virtual_s": round(found.virtual_s),
        "counts": {str(what): count for what, count in found.counts.most_common()},
    }
    print(json.dumps({**figures, "failed": len(found.failed)}, indent=2))
    print(found.report())
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2))
    return 1 if found.failed else 0


if __name__ == "__main__":
    sys.exit(main())
