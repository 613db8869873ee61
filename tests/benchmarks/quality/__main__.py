"""The command."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from rich.console import Console

from tests.benchmarks.quality import __doc__ as description
from tests.benchmarks.quality import measuring, report


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.quality",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder of recorded answers")
    parser.add_argument("--json", type=Path, help="write every figure there")
    parser.add_argument("--quick", action="store_true", help="three draws, panels of five")
    options = parser.parse_args()
    if not options.data.is_dir():
        parser.exit(0, f"skipped: there are no recorded answers in {options.data}\n")
    figures = measuring.measured(options.data, quick=options.quick)
    report.show(figures, Console(width=140))
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
