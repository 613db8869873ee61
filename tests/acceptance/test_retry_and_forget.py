"""What can be done with a job that has ended, and that one key is one job whatever happens: on real processes."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

import ditto
from tests.acceptance.conftest import DITTO, Serving, process, said

FLAKY = "sim/wordy+fail=503*1"
GONE_S = 75


def calls(serving: Serving) -> dict[str, int]:
    """Returns how often each simulated model was asked since the last reset."""
    models = httpx.get(f"{serving.sim}/sim/counts").json()["models"]
    return {name: model["started"] for name, model in models.items() if model["started"]}


def half_failed(number: int) -> dict:
    """Returns a request of which one model fails the first time it is asked."""
    return {"prompt": f"What is {number} * 3?", "models": ["sim/terse", FLAKY], "maxRetries": 0}


@pytest.fixture
def counted(serving: Serving) -> Serving:
    httpx.post(f"{serving.sim}/sim/reset")
    return serving


def test_a_retry_asks_the_failed_model_alone_and_its_events_go_on(http, counted):
    first = http.post("/llm", json=half_failed(14)).json()
    seen = http.get(f"/jobs/{first['jobId']}/events").text.count("\nid: ")
    assert http.get(f"/jobs/{first['jobId']}/events", params={"after": seen}).status_code == 204

    retried = http.post(f"/jobs/{first['jobId']}/retry")
    later = http.get(f"/jobs/{first['jobId']}/events", headers={"Last-Event-ID": str(seen)}).text
    ended = http.get(f"/jobs/{first['jobId']}", params={"wait": 20_000}).json()
    again = http.post(f"/jobs/{first['jobId']}/retry")

    assert list(first["errors"]) == [FLAKY]
    assert (retried.status_code, retried.json()["state"]) == (202, "running")
    kinds = [line.removeprefix("event: ") for line in later.splitlines() if line.startswith("event: ")]
    assert kinds == ["job.retried", "call.started", "call.completed", "job.completed"]
    assert (ended["state"], ended["errors"], ended["structured"]["answer"]) == ("complete", {}, 42)
    assert (again.status_code, again.json()) == (200, ended)
    assert calls(counted) == {"terse": 1, "wordy+fail=503*1": 2}


@pytest.mark.parametrize("door", ["over http", "in the cluster"])
def test_python_retries_and_deletes(counted, door):
    prompt = f"What is {20 + len(door)} * 3?"
    with ditto.Ditto(counted.url) if door == "over http" else ditto.connect(counted.ray) as service:
        job = service.submit(prompt, models=["sim/terse", FLAKY], max_retries=0, answer="number")
        first = job.wait(60)
        with pytest.raises(ditto.Conflict):
            service.submit("Hello?", models=["sim/terse+hang"], deadline_s=20).delete()
        assert job.retry().state == "running"
        ended = job.wait(60)
        job.delete()
        with pytest.raises(ditto.NotFound):
            job.state()

    assert list(first.errors) == [FLAKY]
    assert (ended.errors, ended.structured.answer) == ({}, (20 + len(door)) * 3)
    assert httpx.get(f"{counted.url}/jobs/{job.id}").status_code == 404
    assert {name: calls(counted)[name] for name in ("terse", "wordy+fail=503*1")} == {"terse": 1, "wordy+fail=503*1": 2}


def test_a_deleted_job_is_gone_from_the_file_and_its_key_is_free(http, serving):
    secret = "The vault of Mr. Zebulon Quartermain opens at 391 o'clock"
    body = {"prompt": f"Summarize: {secret}.", "models": ["sim/terse", "sim/wordy"], "idempotencyKey": "vault"}
    first = http.post("/llm", json=body).json()
    assert secret.encode() in whole(serving.store)

    assert http.delete(f"/jobs/{first['jobId']}").status_code == 204

    assert http.get(f"/jobs/{first['jobId']}").status_code == 404
    assert http.delete(f"/jobs/{first['jobId']}").status_code == 404
    other = http.post("/llm", json={"prompt": "What is 6 * 7?", "models": ["sim/terse"], "idempotencyKey": "vault"})
    assert (other.status_code, other.json()["result"]) == (200, "42")
    until = time.monotonic() + GONE_S
    while secret.encode() in whole(serving.store):
        assert time.monotonic() < until
        time.sleep(1)


def whole(store: Path) -> bytes:
    """Returns every byte of the store, its log's included."""
    return b"".join(path.read_bytes() for path in store.parent.glob(f"{store.name}*"))


async def test_a_hundred_at_the_same_instant_with_one_key_are_one_job_and_one_set_of_calls(counted):
    models = ["sim/terse", "sim/wordy", "sim/careful+slow=1s"]
    body = {"prompt": "What is 16 * 24?", "models": models, "idempotencyKey": "a hundred"}
    async with httpx.AsyncClient(base_url=counted.url, timeout=60, limits=httpx.Limits(max_connections=None)) as client:
        asking = [client.post("/llm" if number % 2 else "/jobs", json=body) for number in range(100)]
        answers = await asyncio.gather(*asking)
        other = await client.post("/jobs", json={**body, "temperature": 0.5, "models": models[:2]})

    assert len({answer.json()["jobId"] for answer in answers}) == 1
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) <= {200, 202}
    assert statuses.count(202) <= 1
    assert {answer.json()["result"] for answer in answers[1::2]} == {answers[1].json()["result"]}
    assert calls(counted) == {name.removeprefix("sim/"): 1 for name in models}
    assert other.status_code == 422
    assert [wrong["path"] for wrong in other.json()["error"]["details"]] == ["models", "temperature"]


def test_a_key_is_one_job_at_every_door(counted, tmp_path):
    asked = {"prompt": "What is 8 * 9?", "models": ["sim/terse", "sim/wordy"]}
    by_http = httpx.post(f"{counted.url}/llm", json={**asked, "idempotencyKey": "doors"}, timeout=60).json()["jobId"]
    with ditto.Ditto(counted.url) as service:
        by_python = service.ask(**asked, idempotency_key="doors").job_id
    with ditto.connect(counted.ray) as service:
        in_cluster = service.ask(**asked, idempotency_key="doors").job_id
    (tmp_path / "in.jsonl").write_text(json.dumps({"id": "a", **asked, "idempotencyKey": "doors"}))
    command = [DITTO, "batch", "in.jsonl", "out.jsonl", "--url", counted.url]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=120, capture_output=True)
    by_batch = json.loads((tmp_path / "out.jsonl").read_text())["jobId"]

    assert by_http == by_python == in_cluster == by_batch
    assert calls(counted) == {"terse": 1, "wordy": 1}


def test_a_waiting_client_outlives_a_restart_of_the_whole_service(tmp_path, sim, own_environ):
    """The one asks and waits, the other follows the events; both come back by themselves, to the same job."""
    httpx.post(f"{sim}/sim/reset")
    environ = {**own_environ, "DITTO_RUNTIME__DRAIN_S": "0"}
    port = str(free_port())
    command = (DITTO, "serve", "--port", port)
    slow = "sim/careful+slow=25s"
    with ThreadPoolExecutor() as threads, ditto.Ditto(f"http://127.0.0.1:{port}") as client:
        with process(*command, environ=environ, log=tmp_path / "first.log") as running:
            said(r"Ditto at", tmp_path / "first.log", running)
            asking = threads.submit(
                client.ask, "What is 9 * 9?", models=["sim/terse", slow], placement="shared", idempotency_key="k"
            )
            until = time.monotonic() + 30
            while not (jobs := client.jobs().jobs) or jobs[0].progress["sim/terse"] != "answered":
                assert time.monotonic() < until
                time.sleep(0.1)
            following = threads.submit(lambda: [event.seq for event in client.events(jobs[0].job_id)])
        with process(*command, environ=environ, log=tmp_path / "second.log"):
            answer, numbers = asking.result(150), following.result(150)

    assert (answer.job_id, answer.structured.answer) == (jobs[0].job_id, 81)
    assert numbers == list(range(1, len(numbers) + 1))
    assert httpx.get(f"{sim}/sim/counts").json()["models"]["terse"]["started"] == 1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
