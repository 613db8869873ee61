"""A process killed with -9 while a job waits for a slow model: the job ends all the same, nothing is asked twice."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest
import ray

from ditto import Ditto
from ditto.runtime import cluster
from tests.acceptance.conftest import Serving
from tests.chaos.processes import marked

SLOW = "sim/careful+slow=4s"
WAIT_MS = 60_000


@pytest.fixture(scope="module", autouse=True)
def joined(serving: Serving) -> Iterator[None]:
    cluster.join(serving.ray)
    yield
    cluster.leave()


def process_of(beginning: str) -> int:
    """Returns the process id of the actor of Ditto's whose name begins so."""
    named = ray.util.list_named_actors(all_namespaces=True)
    name = next(str(actor["name"]) for actor in named if str(actor["name"]).startswith(beginning))
    actor = ray.get_actor(name, namespace="ditto")
    if name == "keeper":
        return int(ray.get(actor.pid.remote()))
    status = ray.get(actor.status.remote())
    return int(status["pid"] if isinstance(status, dict) else status.pid)


@contextmanager
def waiting_job(http: httpx.Client, serving: Serving, kind: str, placement: str) -> Iterator[dict]:
    """Yields a job of which two replies are in the journal and one is still awaited."""
    httpx.post(f"{serving.sim}/sim/reset")
    body = {
        "prompt": f"What is 17 * 23? Mind the {kind}.",
        "models": ["sim/terse", "sim/wordy", SLOW],
        "placement": placement,
    }
    job = http.post("/jobs", json=body).json()
    until = time.monotonic() + 10
    while list(http.get(f"/jobs/{job['jobId']}").json()["progress"].values()).count("answered") < 2:
        assert time.monotonic() < until
        time.sleep(0.05)
    yield job


def ended(http: httpx.Client, job: dict) -> dict:
    answer = http.get(f"/jobs/{job['jobId']}", params={"wait": WAIT_MS}, timeout=90).json()
    assert answer["state"] == "complete", answer
    assert answer["structured"]["answer"] == 391
    assert len(answer["responses"]) == 3
    return answer


def until_ready(http: httpx.Client) -> None:
    """Returns when the service takes requests again."""
    until, ready = time.monotonic() + 60, False
    while not ready:
        assert time.monotonic() < until
        time.sleep(0.2)
        with suppress(httpx.TransportError):
            ready = http.get("/readyz").status_code == httpx.codes.OK


def calls(serving: Serving) -> dict[str, int]:
    """Returns how often each model of the job was asked; those of other tests' jobs are left out."""
    models = httpx.get(f"{serving.sim}/sim/counts").json()["models"]
    return {name: models[name]["started"] for name in ("terse", "wordy", SLOW.removeprefix("sim/"))}


@pytest.mark.parametrize(("kind", "placement"), [("own actor", "dedicated"), ("shared host", "shared")])
def test_a_jobs_holder_is_killed_and_no_call_is_repeated(http, serving, kind, placement):
    with waiting_job(http, serving, kind, placement) as job:
        assert job["host"].startswith("job:" if placement == "dedicated" else "host:")
        os.kill(process_of(job["host"]), signal.SIGKILL)
        answer = ended(http, job)
    assert answer["host"] == job["host"]
    assert calls(serving) == {"terse": 1, "wordy": 1, "careful+slow=4s": 1}


def test_the_caller_is_killed_and_only_its_call_in_flight_is_repeated(http, serving):
    with waiting_job(http, serving, "caller", "auto") as job:
        os.kill(process_of("caller:0-"), signal.SIGKILL)
        ended(http, job)
    assert calls(serving) == {"terse": 1, "wordy": 1, "careful+slow=4s": 2}


def test_the_keeper_is_killed_and_nobody_notices(http, serving):
    with waiting_job(http, serving, "keeper", "auto") as job:
        os.kill(process_of("keeper"), signal.SIGKILL)
        ended(http, job)
    assert calls(serving) == {"terse": 1, "wordy": 1, "careful+slow=4s": 1}


def test_a_client_that_waits_does_not_see_its_jobs_holder_die(http, serving):
    with waiting_job(http, serving, "waiting client", "shared") as job:
        pid = process_of(job["host"])
        with http.stream("GET", f"/jobs/{job['jobId']}/events") as events:
            lines = events.iter_lines()
            for line in lines:
                if line == "event: call.completed":
                    break
            os.kill(pid, signal.SIGKILL)
            kinds = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    kinds = [kind for kind in kinds if kind not in ("call.delta", "verdict.leading")]
    assert kinds == ["call.completed", "job.adopted", "call.completed", "job.completed"]
    assert calls(serving) == {"terse": 1, "wordy": 1, "careful+slow=4s": 1}


def test_the_replica_that_serves_a_stream_is_killed_and_its_reader_sees_every_event_once(http, serving):
    with waiting_job(http, serving, "replica", "shared") as job, Ditto(serving.url) as client:
        coming = (event for event in client.events(job["jobId"]) if event.seq is not None)
        seen = [next(coming).seq]
        for replica in [each for each in marked(str(serving.store), "DITTO_STORE") if "ServeReplica:" in each.title]:
            os.kill(replica.pid, signal.SIGKILL)
        seen += [event.seq for event in coming]
        with httpx.Client(base_url=serving.url, timeout=60) as again:
            until_ready(again)
            answer = ended(again, job)
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) >= 2 * len(answer["responses"]) + 2
    assert calls(serving) == {"terse": 1, "wordy": 1, "careful+slow=4s": 1}


@pytest.mark.parametrize(("frozen", "repeated"), [("host:0-", 0), ("caller:0-", 1)])
def test_a_process_that_is_frozen_for_good_is_replaced(http, serving, frozen, repeated):
    with waiting_job(http, serving, frozen, "shared") as job:
        os.kill(process_of(frozen), signal.SIGSTOP)
        ended(http, job)
    assert calls(serving) == {"terse": 1, "wordy": 1, "careful+slow=4s": 1 + repeated}
