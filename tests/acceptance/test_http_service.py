"""The service as its users meet it: over HTTP, on real processes."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time

import httpx
import pytest
import ray

from ditto.runtime import cluster
from ditto.runtime.placement import Standing
from tests.chaos.processes import marked

FIVE = ["sim/terse", "sim/wordy", "sim/careful", "sim/friendly", "sim/contrary"]


def test_a_question_is_answered_with_one_dissent(http):
    answer = http.post("/llm", json={"prompt": "What is 17 * 23?"}).raise_for_status().json()
    assert answer["state"] == "complete"
    assert answer["structured"]["answer"] == 391
    assert answer["structured"]["supportingModels"] == FIVE[:4]
    assert [dissent["models"] for dissent in answer["structured"]["dissent"]] == [["sim/contrary"]]
    assert answer["result"] in answer["responses"].values()


@pytest.mark.skipif(sys.platform != "linux", reason="it looks for processes as Linux shows them")
def test_whatever_else_the_machine_does_the_services_actors_yield_to_it_no_more_than_the_service(serving):
    processes = marked(str(serving.store), "DITTO_STORE")
    actors = [process.pid for process in processes if process.title.startswith("ray::_")]

    assert actors
    assert {os.getpriority(os.PRIO_PROCESS, pid) for pid in actors} == {os.getpriority(os.PRIO_PROCESS, 0)}


def test_jobs_are_accepted_at_once_and_followed_by_their_id(http):
    accepted = http.post("/jobs", json={"prompt": "What is 6 * 7?", "models": ["sim/terse+slow=1s"]})
    assert accepted.status_code == 202
    location = accepted.headers["location"]
    assert http.get(location).json()["state"] == "running"
    assert http.get(location, params={"wait": 20000}).json()["result"] == "42"


def test_a_client_that_hangs_up_does_not_end_its_job(http, serving):
    metadata = {"test": "hang up"}
    with pytest.raises(httpx.ReadTimeout):
        http.post(
            "/llm",
            json={"prompt": "What is 6 * 7?", "models": ["sim/terse+slow=2s"], "metadata": metadata},
            timeout=1,
        )
    (listed,) = http.get("/jobs", params={"metadata.test": "hang up"}).json()["jobs"]
    ended = http.get(f"/jobs/{listed['jobId']}", params={"wait": 20000}).json()
    assert (ended["state"], ended["result"]) == ("complete", "42")


def test_a_client_can_ask_that_its_hanging_up_cancels_the_job(serving):
    """Of three clients that hang up one at least is heard: the ingress, busy, now and then overlooks one."""
    body = {
        "prompt": "What is 6 * 7?",
        "models": ["sim/terse+hang"],
        "onDisconnect": "cancel",
        "metadata": {"test": "hang up and cancel"},
    }
    for _ in range(3):
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{serving.url}/llm", json=body, timeout=2)
    until = time.monotonic() + 20
    states: set[str] = set()
    while "cancelled" not in states:
        assert time.monotonic() < until, states
        time.sleep(0.2)
        query = {"metadata.test": "hang up and cancel"}
        jobs = httpx.get(f"{serving.url}/jobs", params=query).json()["jobs"]
        states = {job["state"] for job in jobs}
    for job in jobs:
        httpx.post(f"{serving.url}/jobs/{job['jobId']}/cancel").raise_for_status()


def test_cancelling_a_job_cancels_its_calls(http, serving):
    job = http.post("/jobs", json={"prompt": "What is 6 * 7?", "models": ["sim/terse+hang"]}).json()
    time.sleep(0.5)
    assert http.post(f"/jobs/{job['jobId']}/cancel").json()["state"] == "cancelled"
    until = time.monotonic() + 10
    while httpx.get(f"{serving.sim}/sim/counts").json()["models"]["terse+hang"]["aborted"] == 0:
        assert time.monotonic() < until
        time.sleep(0.1)


def test_one_of_each_trouble_among_five_does_not_fail_the_job(http):
    models = [
        "sim/terse",
        "sim/wordy+dead",
        "sim/careful+hang",
        "sim/friendly+garbage",
        "sim/json+empty",
        "sim/shy",
    ]
    began = time.monotonic()
    answer = http.post(
        "/llm", json={"prompt": "What is 17 * 23?", "models": models, "timeout": 3000, "maxRetries": 1}
    ).json()
    took_s = time.monotonic() - began
    assert answer["state"] == "complete"
    assert answer["result"] == "391"
    assert {name: error["type"] for name, error in answer["errors"].items()} == {
        "sim/wordy+dead": "Unreachable",
        "sim/careful+hang": "Timeout",
        "sim/friendly+garbage": "InvalidReply",
        "sim/json+empty": "InvalidReply",
    }
    intents = {reply["model"]: reply["intent"] for reply in answer["structured"]["responses"]}
    assert intents == {"sim/terse": "answer", "sim/shy": "refusal"}
    assert 3 <= took_s < 10


def test_grace_ends_the_waiting_for_a_hanging_model(http):
    body = {"prompt": "What is 17 * 23?", "models": ["sim/terse", "sim/wordy+hang"], "grace": 500}
    answer = http.post("/llm", json=body).json()
    assert answer["errors"]["sim/wordy+hang"]["type"] == "Timeout"
    assert answer["timings"]["total"] < 5000


def test_a_wrong_answer_to_every_model_is_a_settled_failure(http):
    body = {"prompt": "What is 17 * 23?", "models": ["sim/terse+fail=400", "sim/wordy+nokey"]}
    response = http.post("/llm", json=body)
    assert response.status_code == 502
    assert response.headers["x-should-retry"] == "false"
    error = response.json()["error"]
    assert error["type"] == "JobError"
    types = {name: each["type"] for name, each in error["details"].items()}
    assert types == {"sim/terse+fail=400": "BadRequest", "sim/wordy+nokey": "AuthenticationFailed"}


def test_a_missing_key_names_its_variable_and_the_others_go_on(http):
    answer = http.post("/llm", json={"prompt": "What is 6 * 7?", "models": ["sim/terse", "groq/llama-3"]}).json()
    assert answer["result"] == "42"
    error = answer["errors"]["groq/llama-3"]
    assert error["type"] == "MissingKey"
    assert "GROQ_API_KEY" in error["message"]


def test_the_same_key_is_the_same_job(http, serving):
    body = {"prompt": "What is 8 * 8?", "models": ["sim/terse"]}
    httpx.post(f"{serving.sim}/sim/reset")
    headers = {"Idempotency-Key": "acceptance-1"}
    first = http.post("/llm", json=body, headers=headers).json()
    second = http.post("/llm", json=body, headers=headers).json()
    assert first["jobId"] == second["jobId"]
    assert httpx.get(f"{serving.sim}/sim/counts").json()["total"] == 1
    other = http.post("/llm", json={**body, "seed": 1}, headers=headers)
    assert other.status_code == 422
    assert [wrong["path"] for wrong in other.json()["error"]["details"]] == ["seed"]


def test_three_hundred_models_in_one_job(http):
    models = [f"sim/terse+slow={50 + n}ms" for n in range(300)]
    answer = http.post("/llm", json={"prompt": "What is 17 * 23?", "models": models}).json()
    assert len(answer["responses"]) == 300
    assert list(answer["responses"]) == models
    assert answer["structured"]["answer"] == 391


def test_the_same_model_three_times(http):
    answer = http.post("/llm", json={"prompt": "What is 17 * 23?", "models": ["sim/terse"] * 3}).json()
    assert list(answer["responses"]) == ["sim/terse", "sim/terse#2", "sim/terse#3"]


def test_a_prompt_of_a_megabyte_in_many_scripts(http):
    prompt = "Summarize this: " + "Привет, 世界! 👩‍🚀 Здравствуйте. " * 20_000
    answer = http.post("/llm", json={"prompt": prompt, "models": ["sim/terse", "sim/wordy"]})
    assert answer.status_code == 200, answer.text[:500]
    assert "Привет" in answer.json()["result"]


def test_events_are_streamed_to_the_jobs_end(http):
    job = http.post("/jobs", json={"prompt": "What is 6 * 7?", "models": ["sim/terse", "sim/wordy+slow=1s"]}).json()
    with http.stream("GET", f"/jobs/{job['jobId']}/events") as stream:
        kinds = [line.removeprefix("event: ") for line in stream.iter_lines() if line.startswith("event: ")]
    assert kinds[:3] == ["job.accepted", "call.started", "call.started"]
    assert kinds[-1] == "job.completed"
    assert kinds.count("call.completed") == 2


def test_twenty_requests_two_seconds_apart_have_an_actor_each(http, serving):
    cluster.join(serving.ray)
    try:
        until = time.monotonic() + 60
        while len(ray.get(ray.get_actor("keeper", namespace="ditto").standing.remote(Standing(), 0.0)).spares) < 2:
            assert time.monotonic() < until
            time.sleep(0.2)
        for _ in range(20):
            job = http.post("/jobs", json={"prompt": "What is 6 * 7?", "models": ["sim/terse+slow=1s"]}).json()
            assert job["host"] == f"job:{job['jobId']}"
            during = ray.get_actor(job["host"], namespace="ditto")
            assert ray.get(during.status.remote()).open_jobs == 1
            ended = http.get(f"/jobs/{job['jobId']}", params={"wait": 20000}).json()
            assert ended["result"] == "42"
            after = ray.get_actor(job["host"], namespace="ditto")
            assert ray.get(after.status.remote()).name == job["host"]
            time.sleep(1.2)
    finally:
        cluster.leave()


async def test_fifty_at_once_share_and_all_are_right(serving):
    async with httpx.AsyncClient(base_url=serving.url, timeout=60) as client:
        bodies = [{"prompt": f"What is {n} * 3?", "models": ["sim/terse", "sim/wordy"]} for n in range(10, 60)]
        answers = await asyncio.gather(*(client.post("/llm", json=body) for body in bodies))
    found = [answer.json() for answer in answers]
    assert [each["structured"]["answer"] for each in found] == [n * 3 for n in range(10, 60)]
    hosts = [each["host"] for each in found]
    assert sum(host.startswith("host:") for host in hosts) >= 40
    assert all(host == f"job:{each['jobId']}" for host, each in zip(hosts, found, strict=True) if host[0] == "j")


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"prompt": "x", "temprature": 1}, ["temprature"]),
        ({"prompt": " "}, ["prompt"]),
        ({"prompt": "x", "models": []}, ["models"]),
        ({"prompt": "x", "models": ["opnai/gpt-5"]}, ["models.0"]),
        ({"prompt": "x", "strategy": "vote"}, ["strategy"]),
        ({"prompt": "x", "schema": {"type": "strin"}}, ["schema"]),
        ({"prompt": "x", "judge": "nobody/x"}, ["judge"]),
        (
            {"prompt": "x", "temperature": "hot", "maxRetries": 11, "models": "sim/terse"},
            ["models", "temperature", "maxRetries"],
        ),
    ],
)
def test_bad_input_names_every_wrong_field_and_starts_nothing(http, serving, body, paths):
    before = httpx.get(f"{serving.sim}/sim/counts").json()["total"]
    response = http.post("/llm", json=body)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["type"] == "BadRequest"
    assert [wrong["path"] for wrong in error["details"]] == paths
    assert "Traceback" not in response.text
    assert httpx.get(f"{serving.sim}/sim/counts").json()["total"] == before


def test_what_is_no_json_and_what_is_too_large_are_refused_in_the_contracts_shape(http):
    headers = {"content-type": "application/json"}
    broken = http.post("/llm", content=b'{"prompt": ', headers=headers)
    assert (broken.status_code, broken.json()["error"]["type"]) == (400, "BadRequest")
    large = http.post("/llm", content=json.dumps({"prompt": "x" * 50_000_000}), headers=headers)
    assert (large.status_code, large.json()["error"]["type"]) == (413, "TooLarge")
    missing = http.get("/jobs/nobody")
    assert (missing.status_code, missing.json()["error"]["type"]) == (404, "NotFound")
    unbuilt = http.get("/nowhere")
    assert (unbuilt.status_code, unbuilt.json()["error"]["type"]) == (404, "NotFound")


def test_the_documentation_needs_no_other_host(http):
    page = http.get("/docs").raise_for_status().text
    assert "//cdn" not in page
    assert "/llm" in http.get("/openapi.json").json()["paths"]
    assert http.get("/healthz").status_code == 200
