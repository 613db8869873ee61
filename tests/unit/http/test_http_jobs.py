"""The routes where all goes well."""

from __future__ import annotations

import httpx
import pytest

from ditto.domain.events import Failure
from tests.fakes import FakeService, Held

PROMPT = {"prompt": "What is the capital of France?"}
DEAD = Failure(type="Unreachable", message="connection refused")


async def test_asking_returns_the_merged_answer_in_the_wires_spelling(
    door: httpx.AsyncClient, service: FakeService
) -> None:
    service.replies = {"sim/alpha": "Paris", "sim/beta": "Paris", "sim/gamma": "Lyon"}

    response = await door.post("/llm", json={**PROMPT, "metadata": {"mail_id": 7}})

    body = response.json()
    assert response.status_code == 200
    assert body["state"] == "complete"
    assert body["result"] == "Paris"
    assert body["responses"] == {"sim/alpha": "Paris", "sim/beta": "Paris", "sim/gamma": "Lyon"}
    assert body["structured"]["supportingModels"] == ["sim/alpha", "sim/beta"]
    assert body["structured"]["dissent"][0]["models"] == ["sim/gamma"]
    assert body["metadata"] == {"mail_id": 7}
    assert set(body["timings"]) == {"total", "fanout", "slowest", "merge"}


async def test_snake_case_fields_are_taken_too(door: httpx.AsyncClient, service: FakeService) -> None:
    response = await door.post("/llm", json={**PROMPT, "max_retries": 3})

    assert response.status_code == 200
    assert service.asked[0].max_retries == 3


async def test_text_of_any_script_comes_back_as_it_was_sent(door: httpx.AsyncClient, service: FakeService) -> None:
    service.replies = {"sim/alpha": "Да 👍🏽 ¿sí? 東京"}

    response = await door.post("/llm", json={"prompt": "Ответь: 東京 🗼?", "models": ["sim/alpha"]})

    assert response.json()["result"] == "Да 👍🏽 ¿sí? 東京"
    assert service.asked[0].prompt == "Ответь: 東京 🗼?"


async def test_a_submitted_job_is_named_by_its_location(door: httpx.AsyncClient, service: FakeService) -> None:
    service.replies = {"sim/alpha": Held()}

    response = await door.post("/jobs", json={**PROMPT, "models": ["sim/alpha"]})
    found = await door.get(response.headers["location"])

    assert response.status_code == 202
    assert response.headers["location"] == f"/jobs/{response.json()['jobId']}"
    assert found.json()["state"] == "running"
    assert found.json()["progress"] == {"sim/alpha": "running"}


@pytest.mark.parametrize("where", ["header", "body"])
async def test_a_known_idempotency_key_gives_the_same_job(door: httpx.AsyncClient, where: str) -> None:
    body = PROMPT if where == "header" else {**PROMPT, "idempotencyKey": "k1"}
    headers = {"Idempotency-Key": "k1"} if where == "header" else {}

    first = await door.post("/jobs", json=body, headers=headers)
    again = await door.post("/jobs", json=body, headers=headers)

    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["jobId"] == again.json()["jobId"]


async def test_the_same_key_in_header_and_body_is_one_key(door: httpx.AsyncClient, service: FakeService) -> None:
    response = await door.post("/jobs", json={**PROMPT, "idempotency_key": "k"}, headers={"Idempotency-Key": "k"})

    assert response.status_code == 202
    assert service.asked[0].idempotency_key == "k"


async def test_waiting_for_a_job_returns_it_as_it_stands_when_the_time_is_over(
    door: httpx.AsyncClient, service: FakeService
) -> None:
    service.replies = {"sim/alpha": Held()}
    job_id = (await door.post("/jobs", json={**PROMPT, "models": ["sim/alpha"]})).json()["jobId"]

    early = await door.get(f"/jobs/{job_id}?wait=1")
    await service.release("sim/alpha", "Paris")
    late = await door.get(f"/jobs/{job_id}?wait=300000")

    assert early.json()["state"] == "running"
    assert (late.json()["state"], late.json()["result"]) == ("complete", "Paris")


async def test_cancelling_stops_a_job_and_is_harmless_afterwards(door: httpx.AsyncClient, service: FakeService) -> None:
    service.replies = {"sim/alpha": Held()}
    job_id = (await door.post("/jobs", json={**PROMPT, "models": ["sim/alpha"]})).json()["jobId"]

    first = await door.post(f"/jobs/{job_id}/cancel")
    second = await door.post(f"/jobs/{job_id}/cancel")

    assert (first.status_code, first.json()["state"]) == (200, "cancelled")
    assert second.json() == first.json()


async def test_retrying_asks_the_failed_models_alone(door: httpx.AsyncClient, service: FakeService) -> None:
    service.replies = {"sim/alpha": "Paris", "sim/beta": DEAD}
    answer = (await door.post("/llm", json={**PROMPT, "models": ["sim/alpha", "sim/beta"]})).json()
    service.replies = {"sim/alpha": "another reply than before", "sim/beta": Held()}

    retried = await door.post(f"/jobs/{answer['jobId']}/retry")
    await service.release("sim/beta", "Paris")
    ended = (await door.get(f"/jobs/{answer['jobId']}?wait=1000")).json()

    assert list(answer["errors"]) == ["sim/beta"]
    assert (retried.status_code, retried.json()["state"]) == (202, "running")
    assert retried.headers["location"] == f"/jobs/{answer['jobId']}"
    assert (ended["state"], ended["errors"]) == ("complete", {})
    assert ended["responses"] == {"sim/alpha": "Paris", "sim/beta": "Paris"}


async def test_a_failed_job_may_be_complete_after_a_retry(door: httpx.AsyncClient, service: FakeService) -> None:
    service.replies = {"sim/alpha": DEAD}
    failed = await door.post("/llm", json={**PROMPT, "models": ["sim/alpha"]})
    job = f"/jobs/{failed.json()['error']['jobId']}"
    service.replies = {"sim/alpha": "Paris"}

    retried = await door.post(f"{job}/retry")

    assert (failed.status_code, retried.status_code) == (502, 202)
    assert (await door.get(job)).json()["result"] == "Paris"


async def test_retrying_a_job_of_which_nothing_failed_returns_it(door: httpx.AsyncClient) -> None:
    answer = (await door.post("/llm", json=PROMPT)).json()

    retried = await door.post(f"/jobs/{answer['jobId']}/retry")

    assert (retried.status_code, retried.json()) == (200, answer)


@pytest.mark.parametrize("state", ["running", "cancelled"])
async def test_a_job_that_runs_or_was_cancelled_is_not_retried(
    door: httpx.AsyncClient, service: FakeService, state: str
) -> None:
    service.replies = {"sim/alpha": Held()}
    job = f"/jobs/{(await door.post('/jobs', json={**PROMPT, 'models': ['sim/alpha']})).json()['jobId']}"
    if state == "cancelled":
        await door.post(f"{job}/cancel")

    response = await door.post(f"{job}/retry")

    assert (response.status_code, response.json()["error"]["type"]) == (409, "Conflict")
    assert (await door.get(job)).json()["state"] == state


async def test_a_deleted_job_is_gone_and_its_key_is_free(door: httpx.AsyncClient) -> None:
    body = {**PROMPT, "idempotencyKey": "k"}
    first = (await door.post("/llm", json=body)).json()["jobId"]

    deleted = await door.delete(f"/jobs/{first}")
    again = await door.delete(f"/jobs/{first}")
    other = await door.post("/llm", json={"prompt": "Another question?", "idempotencyKey": "k"})

    assert (deleted.status_code, deleted.content, again.status_code) == (204, b"", 404)
    assert (await door.get(f"/jobs/{first}")).status_code == 404
    assert (await door.get(f"/jobs/{first}/events")).status_code == 404
    assert other.status_code == 200
    assert [job["jobId"] for job in (await door.get("/jobs")).json()["jobs"]] == [other.json()["jobId"]]


async def test_a_running_job_is_not_deleted(door: httpx.AsyncClient, service: FakeService) -> None:
    service.replies = {"sim/alpha": Held()}
    job = f"/jobs/{(await door.post('/jobs', json={**PROMPT, 'models': ['sim/alpha']})).json()['jobId']}"

    refused = await door.delete(job)
    still = (await door.get(job)).json()["state"]
    await door.post(f"{job}/cancel")
    deleted = await door.delete(job)

    assert (refused.status_code, refused.json()["error"]["type"]) == (409, "Conflict")
    assert (still, deleted.status_code) == ("running", 204)


async def test_jobs_are_listed_newest_first_page_by_page(door: httpx.AsyncClient) -> None:
    ids = [(await door.post("/jobs", json=PROMPT)).json()["jobId"] for _ in range(3)]

    first = (await door.get("/jobs?limit=2")).json()
    second = (await door.get("/jobs", params={"limit": 2, "cursor": first["cursor"]})).json()

    assert [job["jobId"] for job in first["jobs"]] == [ids[2], ids[1]]
    assert [job["jobId"] for job in second["jobs"]] == [ids[0]]
    assert second["cursor"] is None


async def test_jobs_are_found_by_state_metadata_and_review(door: httpx.AsyncClient, service: FakeService) -> None:
    service.replies = {"sim/held": Held()}
    await door.post("/jobs", json={**PROMPT, "metadata": {"team": "a", "Run": 1}})
    await door.post("/jobs", json={**PROMPT, "models": ["sim/held"], "metadata": {"team": "b"}})

    running = (await door.get("/jobs?state=running")).json()["jobs"]
    of_team = (await door.get("/jobs?metadata.team=a&metadata.Run=1")).json()["jobs"]
    reviewed = (await door.get("/jobs?needsReview=false&state=running")).json()["jobs"]

    assert [job["metadata"] for job in running] == [{"team": "b"}]
    assert [job["metadata"] for job in of_team] == [{"team": "a", "Run": 1}]
    assert [job["metadata"] for job in reviewed] == [{"team": "b"}]


async def test_a_live_and_ready_service_says_so(door: httpx.AsyncClient) -> None:
    assert (await door.get("/healthz")).json() == {"status": "alive"}
    assert (await door.get("/readyz")).json() == {"status": "ready"}


async def test_the_service_is_closed_with_the_application(opened, service: FakeService) -> None:  # type: ignore[no-untyped-def]
    from ditto.http.limits import Limits

    async with opened(service, Limits()):
        assert not service.closed

    assert service.closed
