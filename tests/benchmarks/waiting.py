"""Ten thousand jobs that wait for their turn: how much memory they take, and how quickly they are there again.

`python -m tests.benchmarks.waiting [--json FILE] [--quick]` starts a service whose shared host runs 20 jobs at once,
gives it jobs until it refuses one, and prints: resident memory of the host and of the HTTP replica before and with all
of them waiting, how soon the refusal comes, how soon the host answers again after a kill -9, and that each job ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import ray
from ray.exceptions import ActorUnavailableError
from ray.util import list_named_actors
from rich.console import Console
from rich.table import Table

from ditto.runtime import cluster
from tests.acceptance.conftest import Serving, service, simulated_models

WAITING, QUICK_WAITING = 10_000, 500
RUNNING = 20
AT_ONCE = 32
BODY = {"prompt": "What is 6 * 7?", "models": ["sim/terse"], "placement": "shared"}
PATIENCE_S = 900


def resident_mb(pid: int) -> float:
    """Returns a process's resident memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def host_pid() -> int:
    """Returns the process id of the shared host, once it answers."""
    name = next(str(actor["name"]) for actor in list_named_actors(all_namespaces=True) if "host:0-" in actor["name"])
    actor = ray.get_actor(name, namespace="ditto")
    while True:
        try:
            return int(ray.get(actor.status.remote()).pid)
        except ActorUnavailableError:  # it was killed, and Ray begins it again
            time.sleep(0.05)


def replica_pid() -> int:
    """Returns the process id of the HTTP replica."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"ServeReplica:ditto" in (folder / "cmdline").read_bytes():
                return int(folder.name)
        except OSError:
            continue  # it has ended
    raise LookupError("no replica")


async def fill(url: str, jobs: int) -> list[str]:
    """Submits jobs, so many at once, and returns their ids."""
    gate = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(base_url=url, timeout=120) as client:

        async def submit() -> str:
            async with gate:
                answer = await client.post("/jobs", json=BODY)
                answer.raise_for_status()
                return str(answer.json()["jobId"])

        return await asyncio.gather(*(submit() for _ in range(jobs)))


async def open_jobs(url: str) -> int:
    """Returns 0 when all jobs have ended."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        found = 0
        for state in ("pending", "running"):
            found += len((await client.get("/jobs", params={"state": state, "limit": 1})).json()["jobs"])
        return found


def measure(serving: Serving, waiting: int) -> dict[str, Any]:
    """Returns the figures."""
    hold = {**BODY, "models": ["sim/wordy+hang"]}
    warm = httpx.post(f"{serving.url}/llm", json=BODY, timeout=60)
    warm.raise_for_status()
    before = {"host": resident_mb(host_pid()), "replica": resident_mb(replica_pid())}
    held = [httpx.post(f"{serving.url}/jobs", json=hold, timeout=60).raise_for_status().json() for _ in range(RUNNING)]
    began = time.perf_counter()
    asyncio.run(fill(serving.url, waiting))
    filled_s = time.perf_counter() - began
    began = time.perf_counter()
    refused = httpx.post(f"{serving.url}/jobs", json=BODY, timeout=60)
    refused_s = time.perf_counter() - began
    full = {"host": resident_mb(host_pid()), "replica": resident_mb(replica_pid())}
    began = time.perf_counter()
    os.kill(host_pid(), signal.SIGKILL)
    pid = host_pid()
    back_s = time.perf_counter() - began
    again = resident_mb(pid)
    for job in held:  # from here on the others have their turn
        httpx.post(f"{serving.url}/jobs/{job['jobId']}/cancel", timeout=60).raise_for_status()
    until = time.monotonic() + PATIENCE_S
    while asyncio.run(open_jobs(serving.url)):
        assert time.monotonic() < until, "jobs are still open"
        time.sleep(1)
    asked = httpx.get(f"{serving.sim}/sim/counts").json()["models"]["terse"]["started"]
    return {
        "waiting": waiting,
        "accepted_per_s": waiting / filled_s,
        "refused_with": refused.status_code,
        "retry_after_s": refused.headers.get("retry-after"),
        "refused_ms": refused_s * 1000,
        "host_mb_before": before["host"],
        "host_mb_full": full["host"],
        "host_kb_per_waiting_job": (full["host"] - before["host"]) * 1024 / waiting,
        "replica_mb_before": before["replica"],
        "replica_mb_full": full["replica"],
        "killed_host_answers_after_s": back_s,
        "host_mb_after_kill": again,
        "jobs_open_at_the_end": 0,
        "calls_per_job": (asked - 1) / waiting,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    waiting = QUICK_WAITING if options.quick else WAITING
    limits = {"DITTO_LIMITS__RUNNING_JOBS": str(RUNNING), "DITTO_LIMITS__WAITING_JOBS": str(waiting)}
    with (
        tempfile.TemporaryDirectory() as name,
        simulated_models(Path(name)) as sim,
        service(Path(name), sim, **limits) as serving,
    ):
        cluster.join(serving.ray)
        try:
            figures = measure(serving, waiting)
        finally:
            cluster.leave()
    table = Table("figure", "value")
    for figure, value in figures.items():
        table.add_row(figure, f"{value:.2f}" if isinstance(value, float) else str(value))
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
