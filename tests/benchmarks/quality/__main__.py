"""The command."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from rich.console import Console

from tests.benchmarks.quality import __doc__ as description
from tests.benchmarks.quality import draws, measuring, report


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.quality",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder of recorded answers")
    parser.add_argument("--json", type=Path, help="write every figure there")
    parser.add_argument("--pictures", type=Path, help="draw reliability and accuracy by coverage in this folder")
    parser.add_argument("--quick", action="store_true", help="three draws, panels of five")
    parser.add_argument("--draws", type=int, help=f"other than the protocol's {draws.DRAWS}")
    options = parser.parse_args()
    count = options.draws or (measuring.QUICK_DRAWS if options.quick else draws.DRAWS)
    if not options.data.is_dir():
        parser.exit(0, f"skipped: there are no recorded answers in {options.data}\n")
    figures = measuring.measured(options.data, quick=options.quick, count=count)
    report.show(figures, Console(width=160))
    if options.pictures is not None:
        from tests.benchmarks.quality import pictures  # matplotlib is needed for nothing else

        pictures.draw(figures, options.pictures)
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
