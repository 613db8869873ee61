"""One cluster's head, and what is run on it: a job of Ray's, the file that `ray submit` copies there, a driver."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

import ditto
from tests.acceptance.conftest import process, said

PYTHON = Path(sys.executable)
PROGRAMS = PYTHON.parent
LOOPBACK = "127.0.0.2"
"""A node's address of 127.0.0.1 Ray replaces by the machine's own, and listens there."""
LONG_S = 120
PANEL = 5
"""Models in the default panel."""
ANSWERS = {"sum": 42, "product": 391, "日本 🔥": 81, "again": 81}
ROWS: list[dict[str, Any]] = [
    {"id": "sum", "prompt": "What is 19 + 23?"},
    {"id": "product", "prompt": "What is 17 * 23?"},
    {"id": "日本 🔥", "prompt": "What is 9 * 9?"},
    {"id": "again", "prompt": "What is 9 * 9?"},
]

DRIVER = """
import json, sys
import ditto, ray

with ditto.connect(sys.argv[1]) as service:
    for line in sys.stdin:
        job = service.submit(json.loads(line)["prompt"], placement="dedicated")
        ended = job.wait(60)
        actor = ray.get_actor(f"job:{job.id}", namespace="ditto")
        told = {
            "ended": ended.model_dump(mode="json", by_alias=True),
            "later": service.job(job.id).state().model_dump(mode="json", by_alias=True),
            "status": ray.get(actor.status.remote()).name,
            "last": [event.kind for event in job.events()][-1],
        }
        print(json.dumps(told))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A cluster that runs on this machine, and what a login shell there has in its environment."""

    address: str
    dashboard: str
    sim: str
    home: Path
    environ: dict[str, str]

    def asked(self) -> int:
        """Returns how often models were asked until now."""
        total: int = httpx.get(f"{self.sim}/sim/counts").json()["total"]
        return total

    def run(self, *command: str | Path, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.home,
            env={**self.environ, **variables},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LONG_S,
            check=False,
        )

    def submit_job(self, folder: Path, *entrypoint: str) -> subprocess.CompletedProcess[str]:
        """Gives `ray job submit`, which waits for the job's end, from a machine that has the cluster's token."""
        where = ("--address", self.dashboard, "--working-dir", str(folder))
        return self.run("ray", "job", "submit", *where, "--", *entrypoint, RAY_AUTH_MODE="token")


@pytest.fixture(scope="module")
def head(sim: str) -> Iterator[Head]:
    """A head that is started as `cluster.yaml` does, with a token of its own, and ended with all its processes."""
    with tempfile.TemporaryDirectory(prefix="ditto-") as name:  # a short path: Ray's sockets lie below it
        home = Path(name)
        left_out = ("RAY_ADDRESS", "RAY_AUTH_", "DITTO_")
        environ = {
            **{key: value for key, value in os.environ.items() if not key.startswith(left_out)},
            "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
            "HOME": name,
            "RAY_TMPDIR": name,
            "DITTO_STORE": str(home / "journal.db"),
            "DITTO_SIM_URL": sim,
        }
        subprocess.run(["ray", "get-auth-token", "--generate"], env=environ, check=True, capture_output=True)
        gcs, dashboard, agent, client, metrics = _free_ports(5)
        command = (
            *("ray", "start", "--head", "--block", "--disable-usage-stats", "--node-ip-address", LOOPBACK),
            *("--include-dashboard", "true", "--dashboard-host", "127.0.0.1", "--dashboard-port", str(dashboard)),
            *("--port", str(gcs), "--dashboard-agent-listen-port", str(agent)),
            *("--ray-client-server-port", str(client), "--metrics-export-port", str(metrics)),
        )
        log = home / "head.log"
        with process(*command, environ={**environ, "RAY_AUTH_MODE": "token"}, log=log) as running:
            said("block forever", log, running)
            yield Head(
                address=f"{LOOPBACK}:{gcs}",
                dashboard=f"http://127.0.0.1:{dashboard}",
                sim=sim,
                home=home,
                environ=environ,
            )
        until_s = time.monotonic() + 20
        while left := _processes(f"RAY_TMPDIR={name}"):
            assert time.monotonic() < until_s, left
            time.sleep(0.2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file of rows, and nothing else."""
    folder = tmp_path / "rows"
    folder.mkdir()
    _write(folder / "in.jsonl", ROWS)
    return folder


def test_a_job_of_rays_answers_each_row_once_and_asks_nothing_twice(head: Head, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    batch = ("ditto", "batch", "in.jsonl", str(output))
    before = head.asked()

    first = head.submit_job(folder, *batch)

    assert first.returncode == 0, first.stdout + first.stderr
    assert "4 rows, 4 complete" in first.stdout
    answered = _rows(output)
    assert {id: row["answer"] for id, row in answered.items()} == ANSWERS
    assert len({row["jobId"] for row in answered.values()}) == len(ROWS)
    assert head.asked() == before + len(ROWS) * PANEL

    written = output.read_bytes()
    again = head.submit_job(folder, *batch)

    assert again.returncode == 0, again.stdout + again.stderr
    assert "4 of them already there" in again.stdout
    assert output.read_bytes() == written
    assert head.asked() == before + len(ROWS) * PANEL

    output.unlink()
    anew = head.submit_job(folder, *batch)

    assert anew.returncode == 0, anew.stdout + anew.stderr
    assert _rows(output) == answered
    assert head.asked() == before + len(ROWS) * PANEL


def test_a_job_of_rays_fails_where_a_row_does(head: Head, folder: Path, tmp_path: Path) -> None:
    _write(folder / "in.jsonl", [ROWS[0], {"id": "dead", "prompt": "Hello?", "models": ["sim/terse+dead"]}])
    output = tmp_path / "out.jsonl"

    done = head.submit_job(folder, "ditto", "batch", "in.jsonl", str(output), "--max-retries", "0")

    assert done.returncode == 1, done.stdout + done.stderr
    assert {id: row["state"] for id, row in _rows(output).items()} == {"sum": "complete", "dead": "error"}


def test_the_file_that_ray_submit_copies_does_the_same_alone(head: Head, folder: Path) -> None:
    shutil.copy(Path(ditto.__file__).with_name("submit.py"), head.home)
    shutil.copy(folder / "in.jsonl", head.home)
    before = head.asked()

    first = head.run("python", head.home / "submit.py", "in.jsonl", "out.jsonl")
    again = head.run("python", head.home / "submit.py", "in.jsonl", "out.jsonl")

    assert first.returncode == 0, first.stdout + first.stderr
    assert again.returncode == 0, again.stdout + again.stderr
    assert "Traceback" not in first.stderr + again.stderr
    assert {id: row["answer"] for id, row in _rows(head.home / "out.jsonl").items()} == ANSWERS
    assert "4 of them already there" in again.stderr
    assert head.asked() == before + len(ROWS) * PANEL


def test_a_driver_gets_from_the_actor_what_the_batch_got(head: Head, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    batch = head.run("ditto", "batch", folder / "in.jsonl", output, "--address", head.address)
    assert batch.returncode == 0, batch.stdout + batch.stderr
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)

    done = head.run("python", script, head.address, stdin=(folder / "in.jsonl").read_text(encoding="utf-8"))

    assert done.returncode == 0, done.stdout + done.stderr
    rows = _rows(output)
    for asked, told in zip(ROWS, map(json.loads, done.stdout.splitlines()), strict=True):
        job, row = told["ended"], rows[asked["id"]]
        assert told["later"] == job
        assert job["host"] == told["status"] == f"job:{job['jobId']}"
        assert told["last"] == "job.completed"
        verdict = {name: job["structured"][name] for name in ("answer", "confidence", "supportingModels", "dissent")}
        assert {"result": job["result"], **verdict}.items() <= row.items()


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")


def _rows(path: Path) -> dict[str, Any]:
    """Returns the output by id; each id must stand once."""
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len({record["id"] for record in records}) == len(records)
    return {record["id"]: record for record in records}


def _free_ports(number: int) -> list[int]:
    """Returns ports outside the range of Ray's workers."""
    probes: list[socket.socket] = []
    ports: list[int] = []
    try:
        while len(ports) < number:
            probes.append(socket.socket())
            probes[-1].bind(("127.0.0.1", 0))
            port = probes[-1].getsockname()[1]
            if not 10_000 <= port < 20_000:
                ports.append(port)
    finally:
        for probe in probes:
            probe.close()
    return ports


def _processes(mark: str) -> list[str]:
    """Returns the commands of living processes that have this in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # it has ended, or is another user's
    return found
