"""Thousands of hostile requests at a service that is started as a user starts it.

`python -m tests.hostile [--requests N] [--seed N] [--json FILE] [--metrics FILE] [--quick]` prints what was answered,
what was wrong (nothing, or the exit code is 1), the memory of the replica, the ingress and the host before, after a
fifth and at the end, and how long a normal job takes before and after. `--metrics` keeps the page of metrics that is
there afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from tests.acceptance.conftest import service, simulated_models
from tests.hostile.run import run

REQUESTS, QUICK = 10_000, 400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--metrics", type=Path, metavar="FILE")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} requests")
    options = parser.parse_args()
    requests = QUICK if options.quick else options.requests
    with (
        tempfile.TemporaryDirectory() as name,
        simulated_models(Path(name)) as sim,
        service(Path(name), sim) as serving,
    ):
        figures = asyncio.run(run(serving.url, requests=requests, seed=options.seed, store=serving.store))
    told = json.dumps(figures.told(), indent=2)
    print(told)
    if options.json:
        options.json.write_text(told + "\n", encoding="utf-8")
    if options.metrics:
        options.metrics.write_text(figures.metrics, encoding="utf-8")
    sys.exit(1 if figures.wrong else 0)


if __name__ == "__main__":
    main()
