"""Where the time of one job goes: each step of the warm path, and what the processes do under load.

`python -m tests.benchmarks.speed.path [--jobs N] [--profile S] [--json FILE]` asks a shared host one job after the
other and takes the moments at which it passes the client, its journal and the models: they are all on this machine and
know one clock. With `--profile` it then looks with py-spy, for so many seconds, at what the holder, the caller and the
replica are doing at 32 jobs at once.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, ClassVar

import httpx
from rich.console import Console
from rich.table import Table

from ditto.domain import events as ev
from ditto.store.sqlite import SqliteJournal
from tests.benchmarks.speed import load
from tests.benchmarks.speed.measuring import MODEL_MS, PANEL, until_spares
from tests.benchmarks.speed.mock import Answering
from tests.benchmarks.speed.systems import Running, names, started_ditto, started_mock, used

STEPS = (
    "the ingress, the replica, and the message to the holder, until it begins the job",
    "commit of the acceptance and the calls, message to the caller, until the first model is asked",
    "until the last model is asked",
    "the models themselves",
    "from the last answer to the holder, by way of the caller",
    "the merge",
    "commit of the replies, the verdict and the end; message to the replica, the answer to the client",
)
PROFILED = ("holder", "caller", "replica")
RATE = 250
SHOWN = 15


class Timed(Answering):
    """The model server, which notes when it was asked and when it answered."""

    moments: ClassVar[list[tuple[str, float]]] = []

    def data_received(self, data: bytes) -> None:
        self.moments.append(("asked", time.time()))
        super().data_received(data)

    def _write(self, response: bytes) -> None:
        self.moments.append(("answered", time.time()))
        super()._write(response)


@contextlib.contextmanager
def timed_models() -> Iterator[str]:
    """Yields the address of models in this process, on a thread of their own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = asyncio.run_coroutine_threadsafe(_listen(loop), loop).result()
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _listen(loop: asyncio.AbstractEventLoop) -> asyncio.Server:
    return await loop.create_server(Timed, "127.0.0.1", 0)


def one(client: httpx.Client, running: Running, journal: SqliteJournal) -> list[float]:
    """Returns the seconds that each step of one job took."""
    Timed.moments.clear()
    body = running.asked(names(PANEL, MODEL_MS))
    sent_at = time.time()
    answer = client.post(running.path, content=body, headers={"content-type": "application/json"})
    received_at = time.time()
    records = asyncio.run(journal.read(answer.raise_for_status().json()["jobId"]))
    moments = sorted(at for what, at in Timed.moments if what == "asked")
    answered = max(at for what, at in Timed.moments if what == "answered")
    accepted_at = records[0].at.timestamp()
    replies_at = max(each.at.timestamp() for each in records if isinstance(each.event, ev.CallCompleted))
    end = records[-1]
    assert isinstance(end.event, ev.JobCompleted)
    ended_at = end.at.timestamp()
    passed = (sent_at, accepted_at, moments[0], moments[-1], answered, replies_at, ended_at, received_at)
    return [after - before for before, after in itertools.pairwise(passed)]


def steps(jobs: int) -> dict[str, float]:
    """Returns the median of each step in microseconds, and of the whole."""
    with (
        tempfile.TemporaryDirectory(prefix="ditto", ignore_cleanup_errors=True) as name,
        timed_models() as models,
        started_ditto(Path(name), models) as running,
        httpx.Client(base_url=running.url, timeout=60) as client,
    ):
        until_spares(running.url)
        journal = SqliteJournal(Path(name) / "d" / "journal.db")
        for _ in range(5):
            one(client, running, journal)
        took = [one(client, running, journal) for _ in range(jobs)]
        asyncio.run(journal.close())
    found = {step: median(each[at] for each in took) * 1e6 for at, step in enumerate(STEPS)}
    return found | {"all of it": median(sum(each) for each in took) * 1e6}


def profiled(seconds: float) -> dict[str, Counter[str]]:
    """Returns how often each function was seen at work, by kind of process, at 32 jobs at once."""
    with tempfile.TemporaryDirectory(prefix="ditto", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with started_mock(folder) as mock, started_ditto(folder, mock.url) as running:
            until_spares(running.url)
            asked = load.request(running.url, running.path, running.asked(names(PANEL, MODEL_MS)))
            looking: list[tuple[str, Path, subprocess.Popen[bytes]]] = []

            def look() -> None:
                if not looking:
                    looking.extend(_look(running.mark, folder, seconds))

            asyncio.run(load.load(running.url, asked, at_once=32, warm_s=3.0, measured_s=seconds + 2, between=look))
            return {kind: _seen(raw) for kind, raw, process in looking if process.wait(60) == 0}


def _look(mark: str, folder: Path, seconds: float) -> Iterator[tuple[str, Path, subprocess.Popen[bytes]]]:
    spy = Path(sys.executable).with_name("py-spy")
    now = used(mark)
    for kind in PROFILED:
        pid = max((pid for pid in now.kinds if now.kinds[pid] == kind), key=now.cpu_s.__getitem__)  # spares are idle
        raw = folder / f"{kind}.raw"
        command = [str(spy), "record", "-p", str(pid), "-d", str(int(seconds)), "-r", str(RATE), "-f", "raw", "--gil"]
        yield kind, raw, subprocess.Popen([*command, "-o", str(raw)], stdout=subprocess.DEVNULL)


def _seen(raw: Path) -> Counter[str]:
    """Returns how many samples each function was in, whoever it had called."""
    seen: Counter[str] = Counter()
    for line in raw.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        seen["all"] += int(count)
        for frame in {frame.rpartition(":")[0] or frame for frame in stack.split(";")}:
            seen[frame] += int(count)
    return seen


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.speed.path", description="Where the time goes")
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--profile", type=float, default=0.0, metavar="S", help="look at the processes for so long")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    found: dict[str, Any] = {"steps_us": steps(options.jobs)}
    console = Console(width=140)
    table = Table("step", "µs", title="One job, one after the other; three models of 50 ms; medians")
    for step, took_us in found["steps_us"].items():
        table.add_row(step, f"{took_us:.0f}")
    console.print(table)
    if options.profile:
        for kind, seen in profiled(options.profile).items():
            table = Table("function, with all that it calls", "share", title=f"{kind} at 32 jobs at once")
            for frame, count in seen.most_common(4 * SHOWN):
                table.add_row(frame, f"{count / seen['all']:.0%}")
            console.print(table)
            found[kind] = seen.most_common(200)
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
