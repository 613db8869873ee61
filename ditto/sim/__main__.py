"""`python -m ditto.sim`: serves the simulated models until it is told to stop, and prints its URL."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ditto.sim.server import serve


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ditto.sim", description="Simulated models; no language model.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--replay", type=Path, help="recorded replies, JSON lines, gzipped or not")
    parser.add_argument("--latency", type=float, metavar="SECONDS", help="instead of the personas' own latencies")
    parser.add_argument("--stand-in", metavar="PERSONA", help="plays models of unknown names")
    parser.add_argument("--key", help="the only right API key")
    given = parser.parse_args()
    try:
        serve(
            given.host,
            given.port,
            replay=given.replay,
            default_latency_s=given.latency,
            stand_in=given.stand_in,
            api_key=given.key,
            announce=lambda url: print(url, flush=True),
        )
    except (ValueError, OSError) as error:
        print(f"ditto sim: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
