"""Two thousand event streams of a job that says nothing: what they cost at rest, and how soon all hear of its end.

`python -m tests.benchmarks.streams [--streams N] [--json FILE] [--quick]` starts a service, has readers follow a job
whose model hangs, and prints: resident memory of the replica, the ingress and the largest holder of jobs, before and
with all of them, the CPU that they take while nothing happens, and how soon each has heard the job's end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from rich.console import Console
from rich.table import Table

from tests.acceptance.conftest import Serving, service, simulated_models
from tests.chaos.processes import marked
from tests.hostile.processes import resident_mb

STREAMS, QUICK_STREAMS = 2_000, 100
AT_ONCE = 50
REST_S, QUICK_REST_S = 20.0, 2.0
PATIENCE_S = 120.0
_ACCEPTED, _ENDED = b"event: job.accepted", b"event: job.cancelled"


class Reader:
    """One stream, read until the job has ended."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._heard = b""

    @classmethod
    async def opened(cls, host: str, port: int, job_id: str) -> Reader:
        """Returns a stream that has told its first event."""
        reader = cls(*await asyncio.open_connection(host, port))
        reader._writer.write(f"GET /jobs/{job_id}/events HTTP/1.1\r\nHost: ditto\r\n\r\n".encode())
        await reader.until(_ACCEPTED)
        return reader

    async def until(self, mark: bytes) -> None:
        """Returns when this was told."""
        while mark not in self._heard:
            piece = await asyncio.wait_for(self._reader.read(65_536), PATIENCE_S)
            assert piece, self._heard[:500]
            self._heard += piece

    def close(self) -> None:
        self._writer.close()


async def follow(serving: Serving, streams: int, rest_s: float) -> dict[str, Any]:
    """Returns the figures."""
    split, store = urlsplit(serving.url), str(serving.store)
    host, port = str(split.hostname), int(split.port or 80)
    async with httpx.AsyncClient(base_url=serving.url, timeout=60) as http:
        (await http.post("/llm", json={"prompt": "What is 6 * 7?", "models": ["sim/terse"]})).raise_for_status()
        hanging = {"prompt": "What is 6 * 7?", "models": ["sim/terse+hang"], "placement": "shared"}
        job_id = (await http.post("/jobs", json=hanging)).raise_for_status().json()["jobId"]
        gate = asyncio.Semaphore(AT_ONCE)

        async def opened() -> Reader:
            async with gate:
                return await Reader.opened(host, port, job_id)

        before = resident_mb(store)
        began = time.monotonic()
        readers = await asyncio.gather(*(opened() for _ in range(streams)))
        opened_s = time.monotonic() - began
        full = resident_mb(store)
        used = cpu_s(store)
        await asyncio.sleep(rest_s)
        cpu = (cpu_s(store) - used) / rest_s
        began = time.monotonic()
        (await http.post(f"/jobs/{job_id}/cancel")).raise_for_status()
        await asyncio.gather(*(reader.until(_ENDED) for reader in readers))
        told_s = time.monotonic() - began
    for reader in readers:
        reader.close()
    grown = {part: round((full[part] - mb) * 1024 / streams, 1) for part, mb in before.items() if part in full}
    return {
        "streams": streams,
        "opened_per_s": streams / opened_s,
        **{f"{part}_mb_before": mb for part, mb in before.items()},
        **{f"{part}_mb_with_all": mb for part, mb in full.items()},
        **{f"{part}_kb_per_stream": kb for part, kb in grown.items()},
        "cores_at_rest": cpu,
        "all_told_the_end_s": told_s,
    }


def cpu_s(store: str) -> float:
    """Returns the CPU time that the service's processes have taken."""
    ticks = 0
    for process in marked(store, "DITTO_STORE"):
        try:
            fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        ticks += int(fields[11]) + int(fields[12])
    return ticks / 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=STREAMS)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_STREAMS} streams")
    options = parser.parse_args()
    streams, rest_s = (QUICK_STREAMS, QUICK_REST_S) if options.quick else (options.streams, REST_S)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with (
        tempfile.TemporaryDirectory() as name,
        simulated_models(Path(name)) as sim,
        service(Path(name), sim) as serving,
    ):
        figures = asyncio.run(follow(serving, streams, rest_s))
    table = Table("figure", "value")
    for figure, value in figures.items():
        table.add_row(figure, f"{value:.2f}" if isinstance(value, float) else str(value))
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
