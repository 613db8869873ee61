"""`ditto batch` as it is used: killed and gone on with, over a service, in a cluster, by Ray's own submission."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import DITTO, Serving, service, simulated_models

LONG_S = 180
ROWS = 24
SCRIPT = Path(__file__).parents[2] / "ditto" / "submit.py"


class Folder:
    """A folder with an input, an output and a store of its own."""

    def __init__(self, path: Path, **variables: str) -> None:
        self.path = path
        self.input = path / "in.jsonl"
        self.output = path / "out.jsonl"
        left_out = ("RAY_ADDRESS", "DITTO_CONFIG", "DITTO_URL")
        kept = {name: value for name, value in os.environ.items() if name not in left_out}
        self.environ = {**kept, "DITTO_STORE": str(path / "journal.db"), **variables}
        self._begun: list[subprocess.Popen[str]] = []

    def write(self, *rows: object) -> None:
        self.input.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")

    def begin(self, *options: str, program: tuple[str, ...] = (DITTO, "batch")) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*program, str(self.input), str(self.output), *options],
            cwd=self.path,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._begun.append(process)
        return process

    def run(self, *options: str, program: tuple[str, ...] = (DITTO, "batch"), code: int = 0) -> str:
        """Returns what the command said."""
        process = self.begin(*options, program=program)
        said, _ = process.communicate(timeout=LONG_S)
        assert process.returncode == code, said
        assert "Traceback" not in said
        return said

    def rows(self) -> dict[str, Any]:
        """Returns the output by id; every line must be whole, and every id stand once."""
        lines = self.output.read_bytes().split(b"\n")
        assert lines.pop() == b""
        records = [json.loads(line) for line in lines]
        assert len({record["id"] for record in records}) == len(records)
        return {record["id"]: record for record in records}

    def until_rows(self, number: int) -> None:
        until_s = time.monotonic() + LONG_S
        while not self.output.exists() or self.output.read_bytes().count(b"\n") < number:
            assert time.monotonic() < until_s, "no rows came"
            time.sleep(0.05)

    def end(self) -> None:
        """Ends what a failed test has left running."""
        for process in self._begun:
            if process.poll() is None:
                process.terminate()
                process.communicate(timeout=60)


@pytest.fixture
def models(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "models"
    folder.mkdir()
    with simulated_models(folder) as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path, models: str) -> Iterator[Folder]:
    folder = Folder(tmp_path, DITTO_SIM_URL=models)
    yield folder
    folder.end()


@pytest.fixture
def served(tmp_path: Path, serving: Serving) -> Iterator[Folder]:
    """A folder whose batches use the store of the running service."""
    folder = Folder(tmp_path, **{name: serving.environ[name] for name in ("DITTO_STORE", "DITTO_SIM_URL")})
    yield folder
    folder.end()


def _sums(number: int = ROWS) -> list[dict[str, object]]:
    return [{"id": f"row {n}", "prompt": f"What is {n}*23?"} for n in range(number)]


def test_every_row_is_answered_and_a_second_run_asks_nothing(folder: Folder, models: str) -> None:
    folder.write(*_sums(), {"id": "bad", "prompt": "x", "colour": "red"}, {"text": "緊急です 🔥"})

    said = folder.run(code=1)

    rows = folder.rows()
    assert len(rows) == ROWS + 2
    assert [rows[f"row {n}"]["answer"] for n in range(ROWS)] == [n * 23 for n in range(ROWS)]
    assert rows["bad"]["error"]["details"] == [{"path": "colour", "message": "unknown field"}]
    assert f"{ROWS + 2} rows, {ROWS} complete, 2 failed" in said
    assert said.count("simulated models") == 1
    total = httpx.get(f"{models}/sim/counts").json()["total"]

    folder.write(*_sums(), {"id": "bad", "prompt": "What is 2*2?"})
    said = folder.run()

    assert f"{ROWS + 1} rows, {ROWS + 1} complete, {ROWS} of them already there" in said
    assert len(folder.rows()) == ROWS + 1
    assert httpx.get(f"{models}/sim/counts").json()["total"] == total + 5


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_batch_goes_on_and_asks_no_answer_again(folder: Folder, models: str, number: signal.Signals) -> None:
    at_once = 4
    panel = ("-m", "sim/terse+slow=300ms", "-m", "sim/careful+slow=200ms", "--concurrency", str(at_once))
    folder.write(*_sums())
    process = folder.begin(*panel)
    folder.until_rows(6)

    os.killpg(process.pid, number)
    said, _ = process.communicate(timeout=60)
    if number is signal.SIGINT:
        assert process.returncode == 130
        assert "the same command goes on there" in said
    before = folder.output.read_bytes()
    assert before.count(b"\n") < ROWS
    folder.output.write_bytes(before + before[:40])  # as if the kill had torn a line

    folder.run(*panel)

    assert folder.output.read_bytes().startswith(before)
    assert {row["state"] for row in folder.rows().values()} == {"complete"}
    assert len(folder.rows()) == ROWS
    total = httpx.get(f"{models}/sim/counts").json()["total"]
    assert 2 * ROWS <= total <= 2 * (ROWS + at_once)


def test_two_at_once_on_one_output_the_second_stops(folder: Folder) -> None:
    folder.write({"id": "a", "prompt": "Hello?", "models": ["sim/terse+slow=20s"]}, *_sums(2))
    first = folder.begin()
    folder.until_rows(1)

    said = folder.run(code=1)

    assert "another batch writes" in said
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=60)
    assert first.returncode == 143


def test_columns_options_and_a_schema(folder: Folder) -> None:
    schema = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]}
    (folder.path / "schema.json").write_text(json.dumps(schema))
    folder.write({"id": 1, "text": "Total: 49.90 EUR", "answer": "gold"}, {"id": 2, "text": "Total: 7 EUR"})

    folder.run(
        "--prompt", "Invoice. {text}", "--schema", "schema.json", "-m", "sim/terse", "-m", "sim/wordy", "--responses"
    )

    rows = folder.rows()
    assert rows["1"]["result"] == {"total": 49.9}
    assert rows["2"]["result"] == {"total": 7}
    assert set(rows["1"]["responses"]) == {"sim/terse", "sim/wordy"}


def test_over_a_running_service(served: Folder, serving: Serving) -> None:
    served.write(*_sums(8), {"id": "unknown", "prompt": "x", "models": ["nobody/x"]})

    served.run("--url", serving.url, code=1)

    rows = served.rows()
    assert [rows[f"row {n}"]["answer"] for n in range(8)] == [n * 23 for n in range(8)]
    assert "unknown model" in rows["unknown"]["error"]["details"][0]["message"]
    job = httpx.get(f"{serving.url}/jobs/{rows['row 0']['jobId']}").json()
    assert job["result"] == rows["row 0"]["result"]


def test_rows_wait_for_their_turn_at_a_full_service(folder: Folder, models: str, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    limits = {"DITTO_LIMITS__RUNNING_JOBS": "2", "DITTO_LIMITS__WAITING_JOBS": "2", "DITTO_RUNTIME__SPARES": "0"}
    folder.write(*_sums())
    with service(full, models, **limits) as serving:
        said = folder.run("--url", serving.url, "--name", "full", "-m", "sim/terse+slow=300ms")
        jobs = httpx.get(f"{serving.url}/jobs", params={"metadata.batch": "full", "limit": 200}).json()["jobs"]

    assert f"{ROWS} rows, {ROWS} complete" in said
    assert said.count("the service is full") == 1
    assert len(folder.rows()) == len(jobs) == ROWS
    assert {row["usage"]["calls"] for row in folder.rows().values()} == {1}
    assert httpx.get(f"{models}/sim/counts").json()["total"] == ROWS


def test_in_the_cluster_that_the_environment_names(served: Folder, serving: Serving) -> None:
    served.environ["RAY_ADDRESS"] = serving.ray
    served.write(*_sums(4))

    served.run()

    assert len(served.rows()) == 4
    assert httpx.get(f"{serving.url}/healthz").status_code == 200


def test_the_script_for_ray_submit_runs_alone(served: Folder, serving: Serving) -> None:
    """`ray submit` copies this one file to the head's home and runs it there, on the head's cluster."""
    served.environ["RAY_ADDRESS"] = serving.ray  # which is what "auto" means on a machine with several clusters
    script = shutil.copy(SCRIPT, served.path / "submit.py")
    served.write(*_sums(4))

    said = served.run("--concurrency", "2", program=(sys.executable, str(script)))

    assert "4 rows, 4 complete" in said
    assert len(served.rows()) == 4
