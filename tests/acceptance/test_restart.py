"""Everything is killed and started again: an accepted job goes on, and its journalled replies are not asked again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import DITTO, said, service
from tests.acceptance.test_following import messages, socket
from tests.chaos.run import short_folder
from tests.chaos.service import Service


def test_a_job_outlives_the_whole_service(tmp_path, sim):
    httpx.post(f"{sim}/sim/reset")
    body = {"prompt": "What is 9 * 9?", "models": ["sim/terse", "sim/wordy+slow=8s"]}
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    with service(first, sim, DITTO_STORE=str(tmp_path / "journal.db")) as serving:
        job = httpx.post(f"{serving.url}/jobs", json=body).json()
        with socket(serving, job["jobId"]) as following:
            seen = list(until_kind(messages(following), "call.completed"))
    with service(second, sim, DITTO_STORE=str(tmp_path / "journal.db")) as serving:
        with socket(serving, job["jobId"], after=seen[-1]["seq"]) as following:
            seen += messages(following)
        answer = httpx.get(f"{serving.url}/jobs/{job['jobId']}", params={"wait": 60_000}, timeout=90).json()
    assert [event["seq"] for event in seen] == list(range(1, len(seen) + 1))
    assert seen[-1]["kind"] == "job.completed"
    assert answer["state"] == "complete"
    assert answer["structured"]["answer"] == 81
    models = httpx.get(f"{sim}/sim/counts").json()["models"]
    assert models["terse"]["started"] == 1


def until_kind(events: Iterator[dict[str, Any]], kind: str) -> Iterator[dict[str, Any]]:
    for event in events:
        yield event
        if event["kind"] == kind:
            return


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_services_share_one_journal_and_leave_each_others_jobs_alone(kind, request, tmp_path, sim):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    is_file = kind == "sqlite"
    store = str(tmp_path / "journal.db") if is_file else request.getfixturevalue("postgres").new_database()
    slow = {"prompt": "What is 9 * 9?", "models": ["sim/terse+slow=15s"], "placement": "shared"}
    quick = {"prompt": "What is 6 * 7?", "models": ["sim/terse"], "placement": "shared"}
    with service(first, sim, DITTO_STORE=store) as one:
        job = httpx.post(f"{one.url}/jobs", json=slow).json()
        with service(second, sim, DITTO_STORE=store) as other:
            for serving in (one, other):
                answer = httpx.post(f"{serving.url}/llm", json=quick, timeout=60).json()
                assert answer["result"] == "42"
            ended = httpx.get(f"{one.url}/jobs/{job['jobId']}", params={"wait": 60_000}, timeout=90).json()
            events = httpx.get(f"{other.url}/jobs/{job['jobId']}/events").text
    assert (ended["state"], ended["result"], ended["host"]) == ("complete", "81", job["host"])
    assert "job.adopted" not in events


def test_what_a_lost_machine_held_another_service_on_the_same_postgresql_ends(tmp_path, sim, postgres):
    store = postgres.new_database()
    httpx.post(f"{sim}/sim/reset")
    body = {"prompt": "What is 9 * 9?", "models": ["sim/terse", "sim/wordy+slow=20s"], "placement": "shared"}
    with short_folder(keep=False) as folder:
        lost = Service(folder, sim_url=sim, store=store, variables={})
        try:
            asyncio.run(lost.start())
            job = httpx.post(f"{lost.url}/jobs", json=body).json()
            answered(lost.url, job, "sim/terse")
        finally:
            lost.kill()
    with service(tmp_path, sim, DITTO_STORE=store) as other:
        ended = httpx.get(f"{other.url}/jobs/{job['jobId']}", params={"wait": 90_000}, timeout=120).json()
    assert (ended["state"], ended["structured"]["answer"]) == ("complete", 81)
    assert ended["host"] != job["host"]
    assert httpx.get(f"{sim}/sim/counts").json()["models"]["terse"]["started"] == 1


def test_stopping_the_service_leaves_no_process_behind(tmp_path, sim):
    log = tmp_path / "serve.log"
    environ = {
        **os.environ,
        "DITTO_STORE": str(tmp_path / "journal.db"),
        "DITTO_SIM_URL": sim,
        "DITTO_MARK": str(tmp_path),
    }
    with log.open("wb") as output:
        running = subprocess.Popen([DITTO, "serve", "--port", "0"], env=environ, stdout=output, stderr=output)
    said(r"Ditto at (http://[\d.:]+)", log, running)
    assert marked(str(tmp_path))
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 0
    until = time.monotonic() + 20
    while left := marked(str(tmp_path)):
        assert time.monotonic() < until, left
        time.sleep(0.2)
    assert "Traceback" not in log.read_text()


def answered(url: str, job: dict[str, str], model: str) -> None:
    """Returns once this model of the job has answered."""
    until = time.monotonic() + 20
    while httpx.get(f"{url}/jobs/{job['jobId']}").json()["progress"][model] != "answered":
        assert time.monotonic() < until
        time.sleep(0.1)


def marked(mark: str) -> list[str]:
    """Returns the command lines of the processes that were started with this mark in their environment."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as environ:
                if f"DITTO_MARK={mark}".encode() in environ.read():
                    with open(f"/proc/{pid}/cmdline", "rb") as command:
                        found.append(command.read().replace(b"\0", b" ").decode()[:120])
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


if not os.path.isdir("/proc/self"):
    assert "CI" not in os.environ, "CI runs where processes can be looked at"
    pytest.skip("waits for /proc, to see which processes are left", allow_module_level=True)
