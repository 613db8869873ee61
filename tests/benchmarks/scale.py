"""Does a job take longer, or a process more memory, when a hundred thousand jobs have ended before? And what at rest?

`python -m tests.benchmarks.scale [--quick] [--json FILE]` fills journals with ended jobs by the store's own writer,
starts a service on each, and prints beside each other: CPU for a job and what is added to its models' time, how long a
job, a first and a deep page of the list take to read, memory of each kind of process; and what all of Ditto's
processes take at rest, Ray's and Serve's own left out. Then it fills a journal, lets retention remove all of it, and
fills it again: the file must not be larger than after the first time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table
from ulid import ULID

from ditto.domain.events import Event, Reply
from ditto.domain.request import parse
from ditto.domain.skills.sheet import NOTHING
from ditto.runtime.orders import Outcome, order_id
from ditto.runtime.runner import Turn, first_turn
from ditto.settings import from_args
from ditto.settings.resolving import resolve
from ditto.store.port import Append
from ditto.store.sqlite import SqliteJournal
from tests.benchmarks.speed import measuring
from tests.benchmarks.speed.measuring import FULL, PANEL, QUICK, Plan
from tests.benchmarks.speed.mock import TEXTS
from tests.benchmarks.speed.systems import PROVIDER, Running, resident_mb, started_ditto, started_mock, used

FEW = 1_000
MANY, QUICK_MANY = 100_000, 10_000
AT_ONCE = 500
READS = 50
SETTLE_S = 10.0
"""So long after the last spare is there its process still loads what its first job will need."""
REST_S, QUICK_REST_S = 30.0, 10.0
OURS = ("holder", "caller", "keeper", "replica")
_STEP = 2_000
_SETTINGS = from_args({"providers": {PROVIDER: {"base_url": "http://127.0.0.1:1/v1"}}}, source="the benchmark")


def ended_job() -> list[Event]:
    """Returns the events of a job that three models have answered."""
    body = {"prompt": "What is 17 * 23?", "models": [f"{PROVIDER}/m{number}-50" for number in range(PANEL)]}
    spec = resolve(parse(body), _SETTINGS, datetime.now(UTC), NOTHING)
    begun = first_turn("filled", spec, "host:0", "caller:0", lambda: datetime.now(UTC))
    ended = Turn(begun.job, lambda: datetime.now(UTC))
    for text, name in zip(TEXTS, begun.job.calls, strict=False):
        reply = Reply(text=text, input_tokens=14, output_tokens=9, elapsed_s=0.05)
        ended.take(Outcome(order_id=order_id(begun.job, name, 1), caller="caller:0", result=reply))
    ended.decide("caller:0")
    assert ended.job.state.ended
    return [event for _, event in (*begun.events, *ended.events)]


async def fill(journal: SqliteJournal, jobs: int) -> None:
    """Appends so many ended jobs, a millisecond apart, the last one now."""
    events, first_at = ended_job(), datetime.now(UTC) - timedelta(milliseconds=jobs)

    def append(number: int) -> Append:
        at = first_at + timedelta(milliseconds=number)
        job_id = str(ULID.from_datetime(at))
        return Append(job_id=job_id, id=job_id, after=0, events=tuple((at, event) for event in events))

    numbers = iter(range(jobs))
    while some := list(islice(numbers, AT_ONCE)):
        await asyncio.gather(*(journal.append(append(number)) for number in some))


def filled(path: Path, jobs: int) -> None:
    """Makes a journal in which so many jobs have ended."""

    async def make() -> None:
        journal = SqliteJournal(path)
        await fill(journal, jobs)
        await journal.close()

    asyncio.run(make())


def size_bytes(path: Path) -> int:
    """Returns how large a journal is, its log included."""
    return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))


def grown(folder: Path, models: str, jobs: int, plan: Plan, rest_s: float) -> dict[str, Any]:
    """Returns the figures of a service in whose journal so many jobs have ended."""
    (folder / "d").mkdir(parents=True)
    path = folder / "d" / "journal.db"
    filled(path, jobs)
    _say(f"{jobs:,} jobs have ended")
    with started_ditto(folder, models) as running:
        measuring.until_spares(running.url)
        _say("the service is there, with its spares")
        time.sleep(SETTLE_S)
        resting = at_rest(running, rest_s)
        one, many = (measuring.under_load(running, plan, at_once) for at_once in (1, 32))
        return {
            "ended_jobs": jobs,
            "file_mb": size_bytes(path) / 2**20,
            "added_ms_one_at_a_time": one["added_ms_p50"],
            "jobs_per_s_at_32": many["jobs_per_s"],
            "cpu_ms_per_job_at_32": many["cpu_ms_per_job"],
            **reading(running, path),
            "at_rest": resting,
            "resident_mb": {kind: round(mb, 1) for kind, mb in resident_mb(running.mark).items()},
        }


def reading(running: Running, path: Path) -> dict[str, float]:
    """Returns how long reads take over HTTP, in milliseconds, medians."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        query = "SELECT created_us, job_id FROM jobs ORDER BY created_us LIMIT 1 OFFSET 100"
        created_us, job_id = connection.execute(query).fetchone()
    with httpx.Client(base_url=running.url, timeout=60) as client:

        def took_ms(path: str) -> float:
            began_s = time.perf_counter()
            client.get(path).raise_for_status()
            return (time.perf_counter() - began_s) * 1000

        paths = {
            "job_ms": f"/jobs/{job_id}",
            "first_page_ms": "/jobs?limit=20",
            "deep_page_ms": f"/jobs?limit=20&cursor={created_us}-{job_id}",
        }
        return {name: round(median(took_ms(path) for _ in range(READS)), 2) for name, path in paths.items()}


def at_rest(running: Running, rest_s: float) -> dict[str, float]:
    """Returns what Ditto's processes take when nobody asks: percent of a core, and megabytes, shared ones by part."""
    before = used(running.mark)
    time.sleep(rest_s)
    spent = used(running.mark).since(before)
    memory = resident_mb(running.mark)
    return {
        "core_percent": round(sum(spent.get(kind, 0.0) for kind in OURS) / rest_s * 100, 2),
        "mb": round(sum(memory.get(kind, 0.0) for kind in OURS), 1),
        "ray_and_serve_core_percent": round(sum(spent.get(kind, 0.0) for kind in ("Ray", "Serve")) / rest_s * 100, 2),
        "ray_and_serve_mb": round(sum(memory.get(kind, 0.0) for kind in ("Ray", "Serve", "HAProxy")), 1),
    }


def retained(path: Path, jobs: int) -> dict[str, float]:
    """Returns how large a journal is that is filled, emptied by retention, and filled again."""

    async def run() -> list[int]:
        journal, sizes = SqliteJournal(path), []
        for _ in range(2):
            await fill(journal, jobs)
            sizes.append(size_bytes(path))
            while await journal.expire(datetime.now(UTC) + timedelta(seconds=1), _STEP):
                pass
            await journal.purge()
        await journal.close()
        return sizes

    first, second = asyncio.run(run())
    return {"jobs": jobs, "first_mb": first / 2**20, "again_mb": second / 2**20, "ratio": second / first}


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def show(found: dict[str, Any]) -> None:
    """Prints the figures beside each other."""
    console = Console(width=140)
    few, many = found["grown"]
    table = Table("", f"{few['ended_jobs']:,} ended jobs", f"{many['ended_jobs']:,}", "ratio")
    rows: list[tuple[str, Callable[[dict[str, Any]], float]]] = [
        (name, lambda each, name=name: float(each[name]))  # type: ignore[misc]
        for name in few
        if name not in ("ended_jobs", "at_rest", "resident_mb")
    ]
    rows += [
        (f"MB of {kind}", lambda each, kind=kind: each["resident_mb"].get(kind, 0.0))  # type: ignore[misc]
        for kind in few["resident_mb"]
    ]
    for name, figure in rows:
        one, other = figure(few), figure(many)
        table.add_row(name, f"{one:.2f}", f"{other:.2f}", f"{other / one:.2f}" if one else "")
    console.print(table)
    rest = few["at_rest"]
    console.print(
        f"At rest Ditto's processes take {rest['core_percent']} % of a core and {rest['mb']} MB "
        f"(Ray and Serve: {rest['ray_and_serve_core_percent']} %, {rest['ray_and_serve_mb']} MB)."
    )
    kept = found["retained"]
    console.print(
        f"A journal of {kept['jobs']:,} jobs: {kept['first_mb']:.1f} MB; emptied and filled again: "
        f"{kept['again_mb']:.1f} MB, {kept['ratio']:.2f} times as much."
    )


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.scale", description="Does it stay as it is?")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_MANY:,} ended jobs instead of {MANY:,}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the same figures")
    options = parser.parse_args()
    plan, many, rest_s = (QUICK, QUICK_MANY, QUICK_REST_S) if options.quick else (FULL, MANY, REST_S)
    with tempfile.TemporaryDirectory(prefix="ditto", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        found: dict[str, Any] = {"retained": retained(folder / "retained.db", many // 5)}
        with started_mock(folder) as mock:
            found["grown"] = [grown(folder / str(jobs), mock.url, jobs, plan, rest_s) for jobs in (FEW, many)]
    show(found)
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
