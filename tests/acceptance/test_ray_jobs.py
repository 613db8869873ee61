"""One cluster's head, and what is run on it: a job of Ray's, the file that `ray submit` copies there, a driver."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import ditto
from tests.acceptance.heads import Head

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
