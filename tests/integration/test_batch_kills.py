"""`ditto batch` killed with -9 again and again, over HTTP: no row missing, none twice, and nothing asked twice."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from ditto.domain.request import Request
from ditto.http.app import build
from ditto.http.limits import Limits
from ditto.runtime.service import Submitted
from tests.fakes import FakeService
from tests.unit.http.conftest import SETTINGS

ROWS = 300
KILLS = 3
LONG_S = 120.0


class Rationed(FakeService):
    """A service that answers only so many questions, so that a batch is never done before it is killed."""

    def __init__(self) -> None:
        super().__init__()
        self.ration = self.answered = 0

    async def submit(self, request: Request, *, live: bool = False) -> Submitted:
        while self.answered >= self.ration:  # noqa: ASYNC110  # another thread gives it out
            await asyncio.sleep(0.005)
        self.answered += 1
        return await super().submit(request, live=live)


@contextmanager
def serving(service: FakeService) -> Iterator[str]:
    """Yields the address of a server in this process."""

    async def opened() -> FakeService:
        return service

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        app = build(opened, limits=Limits(), settings=SETTINGS)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(LONG_S)


class Folder:
    def __init__(self, path: Path, output: str) -> None:
        self.path = path
        self.output = path / output
        left_out = ("RAY_ADDRESS", "DITTO_CONFIG", "DITTO_URL", "DITTO_API_KEY")
        self.environ = {name: value for name, value in os.environ.items() if name not in left_out}
        rows = ({"id": f"row {n}", "prompt": f"Say {n}."} for n in range(ROWS))
        (path / "in.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    def begin(self, url: str, *options: str) -> subprocess.Popen[str]:
        command = (sys.executable, "-P", "-c", "from ditto.cli import main; main()", "batch")
        return subprocess.Popen(
            [*command, "in.jsonl", self.output.name, "--url", url, "--concurrency", "4", *options],
            cwd=self.path,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def written(self) -> int:
        """Returns how many rows stand in whichever file grows."""
        working = self.output.with_name(f"{self.output.name}.partial")
        growing = working if working.exists() else self.output
        return growing.read_bytes().count(b"\n") if growing.exists() else 0

    def rows(self) -> list[dict[str, Any]]:
        with self.output.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file)) if self.output.suffix == ".csv" else [json.loads(line) for line in file]


@pytest.mark.parametrize(
    ("output", "options"),
    [("out.jsonl", ("--merge", "one-pass")), ("out.csv", ("--merge", "two-pass", "--responses"))],
)
def test_killed_at_any_moment_it_goes_on(tmp_path: Path, output: str, options: tuple[str, ...]) -> None:
    folder, service, luck = Folder(tmp_path, output), Rationed(), random.Random(output)
    with serving(service) as url:
        for _ in range(KILLS):
            service.ration += luck.randrange(5, ROWS // (KILLS + 1))
            process = folder.begin(url, *options)
            _until(lambda: service.answered == service.ration and folder.written() > 0, process)
            process.kill()
            process.communicate(timeout=LONG_S)
        before = folder.written()
        service.ration = 10 * ROWS

        last = folder.begin(url, *options)
        said, _ = last.communicate(timeout=LONG_S)

    rows = folder.rows()
    assert last.returncode == 0, said
    assert f"{ROWS} rows, {ROWS} complete" in said
    assert 0 < before < ROWS
    assert {row["id"] for row in rows} == {f"row {n}" for n in range(ROWS)}
    assert len(rows) == len({row["jobId"] for row in rows}) == ROWS
    assert len({request.idempotency_key for request in service.asked}) == ROWS
    assert len(service.asked) <= ROWS + 4 * KILLS
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"in.jsonl", output, "out.report.html", "out.report.json"}


def _until(holds: Any, process: subprocess.Popen[str]) -> None:
    until_s = time.monotonic() + LONG_S
    while not holds():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < until_s, "no rows came"
        time.sleep(0.005)
