"""`python -m tests.powercut --seed N --cuts N --json FILE`: cuts the power under the journal, and tells what was lost.

`--cuts 0` cuts before every sync, and as often elsewhere. `--synchronous OFF` or `NORMAL` overrules the journal's own
choice: promised jobs go missing then. The exit code is 1 where anything did.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path

from tests.powercut.cutting import Figures, cut
from tests.powercut.plan import planned
from tests.powercut.recording import record, why_not


def run(folder: Path, *, seed: int, cuts: int, together: int = 60, synchronous: str | None = None) -> Figures:
    """Records all sessions in this folder and returns what the cuts found."""
    recording = record(folder, seed, together, synchronous)
    return asyncio.run(cut(recording, planned(seed, together), cuts, seed, folder))


def main() -> None:
    """Runs, prints the figures, and ends with 1 where anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.powercut", description="Cuts the power under the journal.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cuts", type=int, default=200, help="0: before every sync, and as many elsewhere")
    parser.add_argument("--jobs", type=int, default=60, help="of each of the two processes that write together")
    parser.add_argument("--synchronous", choices=["OFF", "NORMAL"], help="overrule the journal's own choice")
    parser.add_argument("--json", type=Path, help="write the figures there")
    options = parser.parse_args()
    if (missing := why_not()) is not None:
        sys.exit(f"this needs {missing}")
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        figures = run(
            Path(folder),
            seed=options.seed,
            cuts=options.cuts,
            together=options.jobs,
            synchronous=options.synchronous,
        )
    shown = {
        "seed": options.seed,
        **asdict(replace(figures, left={})),
        "left": {str(left): number for left, number in figures.left.items()},
        "elapsed_s": round(time.monotonic() - begun, 1),
    }
    if options.json is not None:
        options.json.write_text(json.dumps(shown, indent=2))
    for name, value in shown.items():
        if name != "faults":
            print(f"{name:12} {value}")
    for fault in figures.faults[:20]:
        print(f"cut at {fault.cut}, {fault.left} of what was not synced: {'; '.join(fault.what[:3])}")
    print(f"{len(figures.faults)} of {figures.images} disks with something wrong")
    sys.exit(1 if figures.faults else 0)


if __name__ == "__main__":
    main()
