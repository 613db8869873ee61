"""How many jobs a second a store takes: processes that write whole jobs, as hosts of jobs do, and nothing else.

`python -m tests.benchmarks.store [--json FILE] [--quick] [--writers N …] [--stores NAME …]` writes jobs of three
models, many at once in each process, each in the two appends that a job on a shared host makes: its acceptance with its
key and the calls that begin, then the replies with the end. Into one SQLite file, and into PostgreSQL, both durable at
each commit. It prints jobs and commits a second, how many jobs a commit carries, the CPU of a writer and of the server
for a job, and the bytes that a job takes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table
from ulid import ULID

from ditto.domain import events as ev
from ditto.domain.events import Event, Recorded
from ditto.domain.job import Job, accepted, apply
from ditto.domain.spec import Call, JobSpec, Message, StrategyName
from ditto.domain.strategies import verdict
from ditto.settings.stores import store_at
from ditto.store.opening import open_journal
from ditto.store.port import Append, Claim
from tests import postgres
from tests.benchmarks.speed.systems import cpu_s_of

SECONDS, QUICK_SECONDS = 10.0, 3.0
AT_ONCE = 64
MODELS = ("sim/terse", "sim/wordy", "sim/contrary")
TEXTS = ("23", "Let me think this through. 0 + 23 = 23. The answer is 23.", "I see it differently: 0 + 23 is 13.")


def appends(number: int) -> tuple[Append, Append]:
    """Returns the two appends of a job that begins now."""
    job_id, now = str(ULID()), datetime.now(UTC)
    prompt = f"What is {number} + 23?"
    spec = JobSpec(
        strategy=StrategyName.CONSENSUS,
        calls=tuple(Call(name=model, model=model) for model in MODELS),
        messages=(Message(role="user", content=prompt),),
        deadline_at=now + timedelta(minutes=30),
        metadata={"batch": "store"},
    )
    first: list[Event] = [ev.JobAccepted(spec=spec, holder="host:0")]
    first += [ev.CallStarted(call=model, round=1, caller="caller:0") for model in MODELS]
    replies = [
        ev.CallCompleted(
            call=model, round=1, reply=ev.Reply(text=text, input_tokens=9, output_tokens=5, elapsed_s=0.02)
        )
        for model, text in zip(MODELS, TEXTS, strict=True)
    ]
    merged = verdict(_job(job_id, now, [*first, *replies]))
    last: list[Event] = [*replies, ev.JobCompleted(verdict=merged, merge_s=0.001)]
    claim = Claim(key=f"batch-{job_id}", fingerprint=json.dumps({"models": MODELS, "prompt": prompt}))
    return (
        Append(job_id=job_id, id=str(ULID()), after=0, events=tuple((now, each) for each in first), claim=claim),
        Append(job_id=job_id, id=str(ULID()), after=len(first), events=tuple((now, each) for each in last)),
    )


def _job(job_id: str, now: datetime, events: list[Event]) -> Job:
    job = accepted(job_id, Recorded(seq=1, at=now, event=events[0]))
    for seq, event in enumerate(events[1:], start=2):
        job = apply(job, Recorded(seq=seq, at=now, event=event))
    return job


async def write(where: str, seconds: float) -> dict[str, float]:
    """Writes jobs for so long; returns how many, in how many commits, and the CPU of this process meanwhile."""
    journal = open_journal(store_at(where))
    made = [appends(number) for number in range(AT_ONCE)]  # what merging costs is not asked here
    print("ready", flush=True)
    sys.stdin.readline()
    jobs, commits = 0, journal.commits
    cpu_s, until_s = time.process_time(), time.monotonic() + seconds

    async def again(pair: tuple[Append, Append]) -> None:
        nonlocal jobs
        while time.monotonic() < until_s:
            for append in _anew(pair):
                await journal.append(append)
            jobs += 1

    await asyncio.gather(*(again(pair) for pair in made))
    told = {"jobs": jobs, "commits": journal.commits - commits, "cpu_s": time.process_time() - cpu_s}
    await journal.close()
    return told


def _anew(pair: tuple[Append, Append]) -> Iterator[Append]:
    """Yields the same appends of another job."""
    job_id = str(ULID())
    for append in pair:
        claim = None if append.claim is None else Claim(key=f"batch-{job_id}", fingerprint=append.claim.fingerprint)
        events = append.events
        yield Append(job_id=job_id, id=str(ULID()), after=append.after, events=events, claim=claim)


def measured(where: str, writers: int, seconds: float, server_cpu_s: Callable[[], float]) -> dict[str, float]:
    """Returns the figures of so many processes that write at the same time."""
    command = (sys.executable, "-m", "tests.benchmarks.store", "--write", where, str(seconds))
    environ = {**os.environ, "PYTHONPATH": os.getcwd()}
    running = [
        subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(writers)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    before_s, began_s = server_cpu_s(), time.monotonic()
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    told = [json.loads(process.communicate(timeout=120 + seconds)[0]) for process in running]
    elapsed_s, server_s = time.monotonic() - began_s, server_cpu_s() - before_s
    jobs, commits = (sum(each[name] for each in told) for name in ("jobs", "commits"))
    return {
        "jobs_per_s": jobs / seconds,
        "commits_per_s": commits / seconds,
        "jobs_per_commit": jobs / commits,
        "writer_cpu_ms_per_job": sum(each["cpu_s"] for each in told) * 1000 / jobs,
        "server_cpu_ms_per_job": server_s * 1000 / jobs,
        "jobs": jobs,
        "elapsed_s": elapsed_s,
    }


@contextmanager
def sqlite() -> Iterator[tuple[str, Callable[[], float], Callable[[], int]]]:
    """Yields a store, the CPU of its server, and its size."""
    with tempfile.TemporaryDirectory(prefix="store") as name:
        file = Path(name) / "journal.db"
        asyncio.run(open_journal(file).close())
        yield str(file), lambda: 0.0, lambda: sum(each.stat().st_size for each in Path(name).iterdir())


@contextmanager
def postgresql() -> Iterator[tuple[str, Callable[[], float], Callable[[], int]]]:
    """Yields a store in a server of its own that syncs each commit, the server's CPU, and the database's size."""
    with postgres.begun(durable=True) as server:
        where = server.new_database()
        asyncio.run(open_journal(store_at(where)).close())
        name = where.rpartition("/")[2]
        yield (
            where,
            lambda: sum(cpu_s_of(pid, ended_children=True) for pid in server.processes()),
            lambda: int(server.psql(name, "SELECT pg_database_size(current_database())")),
        )


STORES = {"SQLite": sqlite, "PostgreSQL": postgresql}


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.store", description="Jobs a second of a store")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="three seconds for each figure instead of ten")
    parser.add_argument("--writers", type=int, nargs="+", default=[1, 2, 4], metavar="N", help="processes that write")
    parser.add_argument("--stores", nargs="+", choices=STORES, default=list(STORES))
    parser.add_argument("--write", nargs=2, metavar=("STORE", "SECONDS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write is not None:
        print(json.dumps(asyncio.run(write(options.write[0], float(options.write[1])))))
        return
    figures: dict[str, dict[str, float]] = {}
    for name in options.stores:
        if name == "PostgreSQL" and postgres.binaries() is None:
            print("there is no PostgreSQL server here: Debian's package is postgresql", file=sys.stderr)
            continue
        for writers in options.writers:
            with STORES[name]() as (where, server_cpu_s, size):
                empty = size()
                seconds = QUICK_SECONDS if options.quick else SECONDS
                found = measured(where, writers, seconds, server_cpu_s)
                found["bytes_per_job"] = (size() - empty) / found["jobs"]
            figures[f"{name}, writers: {writers}"] = {key: round(value, 3) for key, value in found.items()}
    table = Table("store", *(name.replace("_", " ") for name in next(iter(figures.values()))))
    for name, row in figures.items():
        table.add_row(name, *(f"{value:g}" for value in row.values()))
    Console(width=150).print(table)
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
