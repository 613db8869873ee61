"""Every error, in the contract's one shape, and that nothing was begun."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from ditto.domain.events import Failure
from ditto.errors import (
    Conflict,
    CrashLoop,
    InternalError,
    RateLimited,
    ServiceError,
    StoreUnavailable,
    Unavailable,
)
from ditto.http.limits import Limits
from ditto.http.responses import Json
from tests.fakes import FakeService, Held
from tests.unit.http.conftest import Open
from tests.unit.http.raw import Exchange

AS_JSON = {"content-type": "application/json"}
PROMPT = {"prompt": "Is this email urgent?"}
DEAD = Failure(type="Timeout", message="no answer in 300000 ms", attempts=3)


def error_of(response: httpx.Response) -> dict[str, Any]:
    assert set(response.json()) == {"error"}
    error: dict[str, Any] = response.json()["error"]
    assert set(error) - {"jobId"} == {"type", "message", "details"}
    return error


@pytest.mark.parametrize("route", ["/llm", "/jobs"])
@pytest.mark.parametrize(
    ("body", "path", "words"),
    [
        (b"", "", "Expecting value"),
        (b"{", "", "Expecting"),
        (b"prompt=hello", "", "Expecting value"),
        (b'{"prompt": "\xff"}', "", "no UTF-8"),
        ('{"prompt": "hi"}'.encode("utf-16"), "", "no UTF-8"),
        (b'{"prompt": "hi", "temperature": NaN}', "", "NaN"),
        (b'{"prompt": "hi", "timeout": -Infinity}', "", "-Infinity"),
        (b'{"prompt": "hi", "seed": ' + b"9" * 5000 + b"}", "", "too many digits"),
        (b"[" * 100_000, "", "nested too deeply"),
        (b"[]", "", "must be a JSON object"),
        (b"null", "", "must be a JSON object"),
        (b"{}", "", "exactly one of prompt and messages"),
        (b'{"prompt": " "}', "prompt", "blank"),
        (b'{"prompt": "hi", "models": []}', "models", "at least 1"),
        (b'{"prompt": "hi", "models": ["nope/x"]}', "models", "unknown model"),
        (b'{"prompt": "hi", "strategy": "magic"}', "strategy", "none of"),
        (b'{"prompt": "hi", "colour": 1}', "colour", "unknown field"),
        (b'{"prompt": "hi", "judge": "nope/x"}', "judge", "unknown model"),
        (b'{"prompt": "hi", "settle": "soon"}', "settle", "must be"),
        (b'{"prompt": "hi", "settle": {"confident": 2}}', "settle", "from 0 to 1"),
        (b'{"prompt": "hi", "schema": {"type": "nonsense"}}', "schema", "no valid JSON Schema"),
    ],
)
async def test_a_wrong_body_is_refused_and_nothing_is_begun(
    door: httpx.AsyncClient, route: str, body: bytes, path: str, words: str
) -> None:
    response = await door.post(route, content=body, headers=AS_JSON)
    listed = await door.get("/jobs")

    error = error_of(response)
    assert (response.status_code, error["type"]) == (400, "BadRequest")
    assert path in [wrong["path"] for wrong in error["details"]]
    assert words in " ".join(wrong["message"] for wrong in error["details"])
    assert listed.json()["jobs"] == []


async def test_all_wrong_fields_are_listed_at_once(door: httpx.AsyncClient) -> None:
    response = await door.post("/llm", json={"prompt": 3, "maxRetries": 11, "top_p": 7, "nope": 1, "stop": "x"})

    assert {wrong["path"] for wrong in error_of(response)["details"]} == {
        "prompt",
        "maxRetries",
        "top_p",
        "nope",
        "stop",
    }


async def test_a_key_that_is_there_twice_counts_once(door: httpx.AsyncClient, service: FakeService) -> None:
    response = await door.post("/llm", content=b'{"prompt": "first", "prompt": "second"}', headers=AS_JSON)

    assert response.status_code == 200
    assert service.asked[0].prompt == "second"


async def test_a_byte_order_mark_is_no_part_of_the_json(door: httpx.AsyncClient) -> None:
    response = await door.post("/llm", content=b'\xef\xbb\xbf{"prompt": "hi"}', headers=AS_JSON)

    assert response.status_code == 200


async def test_half_of_a_surrogate_pair_is_refused_and_can_be_shown(door: httpx.AsyncClient) -> None:
    response = await door.post("/llm", content=b'{"prompt": "hi", "\\ud800": 1}', headers=AS_JSON)

    assert response.status_code == 400
    assert Json({"path": "\ud800"}).body == b'{"path":"\\ud800"}'


@pytest.mark.parametrize(
    "declared",
    ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "application/json; charset=latin-1"],
)
async def test_a_body_that_is_not_declared_as_json_is_refused(door: httpx.AsyncClient, declared: str) -> None:
    response = await door.post("/llm", content=b'{"prompt": "hi"}', headers={"content-type": declared})

    assert (response.status_code, error_of(response)["type"]) == (415, "UnsupportedMediaType")


async def test_a_body_that_is_not_declared_at_all_is_refused(door: httpx.AsyncClient) -> None:
    response = await door.post("/llm", content=b'{"prompt": "hi"}')

    assert response.status_code == 415
    assert "Content-Type: application/json" in error_of(response)["message"]


@pytest.mark.parametrize("declared", ["application/json; charset=UTF-8", "Application/JSON", "application/vnd.x+json"])
async def test_json_may_be_declared_with_parameters(door: httpx.AsyncClient, declared: str) -> None:
    response = await door.post("/llm", content=b'{"prompt": "hi"}', headers={"content-type": declared})

    assert response.status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_above_the_limit_is_refused(door: httpx.AsyncClient, chunked: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b" " * 1024 * 1024

    response = await door.post("/llm", content=pieces() if chunked else b" " * 50 * 1024 * 1024, headers=AS_JSON)

    assert (response.status_code, error_of(response)["type"]) == (413, "TooLarge")
    assert error_of(response)["details"] == {"limitBytes": 16 * 1024 * 1024}


async def test_a_body_at_the_limit_is_taken(opened: Open, service: FakeService) -> None:
    body = b'{"prompt": "hi"}'
    async with opened(service, Limits(body_bytes=len(body))) as door:
        at_limit = await door.post("/llm", content=body, headers=AS_JSON)
        above = await door.post("/llm", content=body + b" ", headers=AS_JSON)

    assert (at_limit.status_code, above.status_code) == (200, 413)


async def test_a_body_that_says_it_is_too_large_is_answered_before_it_is_read(
    door: httpx.AsyncClient, service: FakeService
) -> None:
    headers = {**AS_JSON, "content-length": "99999999999999999999999"}
    async with Exchange(app_of(door), "POST", "/llm", headers) as exchange:
        exchange.send(b"{", more=True)
        status, answer = await exchange.status(), await exchange.received()
        exchange.send(b"}")
        end = await exchange.received()

    assert status == 413
    assert b"TooLarge" in answer["body"]
    assert answer["more_body"]
    assert not end["more_body"]


async def test_a_body_that_does_not_arrive_is_given_up(opened: Open, service: FakeService) -> None:
    limits = Limits(body_s=0.001)
    async with opened(service, limits) as door, Exchange(app_of(door), "POST", "/llm", AS_JSON) as exchange:
        exchange.send(b'{"prompt": ', more=True)
        status, answer = await exchange.status(), await exchange.received()

    assert status == 408
    assert b"RequestTimeout" in answer["body"]


async def test_two_different_keys_are_refused(door: httpx.AsyncClient) -> None:
    response = await door.post("/jobs", json={**PROMPT, "idempotencyKey": "a"}, headers={"Idempotency-Key": "b"})

    assert response.status_code == 400
    assert error_of(response)["details"][0]["path"] == "idempotencyKey"


async def test_a_key_that_is_too_long_is_refused(door: httpx.AsyncClient) -> None:
    response = await door.post("/jobs", json=PROMPT, headers={"Idempotency-Key": "k" * 256})

    assert response.status_code == 400


async def test_a_key_with_another_request_is_refused(door: httpx.AsyncClient) -> None:
    await door.post("/jobs", json=PROMPT, headers={"Idempotency-Key": "k"})
    response = await door.post("/jobs", json={"prompt": "Another?"}, headers={"Idempotency-Key": "k"})

    assert (response.status_code, error_of(response)["type"]) == (422, "IdempotencyMismatch")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("GET", "/nowhere"),
        ("GET", "/jobs/"),
        ("POST", "/v1"),
        ("GET", "/jobs/01JOB"),
        ("GET", "/jobs/%00"),
        ("GET", "/jobs/01JOB?wait=10"),
        ("GET", "/jobs/01JOB/events"),
        ("POST", "/jobs/01JOB/cancel"),
        ("POST", "/jobs/01JOB/retry"),
        ("DELETE", "/jobs/01JOB"),
        ("DELETE", "/jobs/%2e%2e"),
    ],
)
async def test_what_is_not_there_is_not_found(door: httpx.AsyncClient, method: str, path: str) -> None:
    response = await door.request(method, path)

    assert (response.status_code, error_of(response)["type"]) == (404, "NotFound")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/llm", "POST"),
        ("PUT", "/jobs", "GET, POST"),
        ("PUT", "/jobs/01JOB", "DELETE, GET"),
        ("DELETE", "/jobs", "GET, POST"),
        ("GET", "/jobs/01JOB/retry", "POST"),
        ("GET", "/jobs/01JOB/cancel", "POST"),
        ("POST", "/healthz", "GET"),
        ("GET", "/batches/lease", "POST"),
    ],
)
async def test_a_wrong_method_says_which_is_right(
    door: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    response = await door.request(method, path)

    assert (response.status_code, error_of(response)["type"]) == (405, "MethodNotAllowed")
    assert allowed in response.headers["allow"] or path == "/jobs"


async def test_no_route_takes_more_methods_than_the_document_names(door: httpx.AsyncClient) -> None:
    response = await door.head("/jobs")

    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("/jobs?state=done", "state"),
        ("/jobs?limit=0", "limit"),
        ("/jobs?limit=many", "limit"),
        ("/jobs?needsReview=perhaps", "needsReview"),
        ("/jobs?colour=red", "colour"),
        ("/jobs?state=running&state=error", "state"),
        ("/jobs?metadata=x", ""),
        ("/jobs?cursor=nonsense", "cursor"),
        ("/jobs?needsReview=true&needs_review=true", ""),
        ("/jobs/01JOB?wait=-1", "wait"),
        ("/jobs/01JOB?wait=300001", "wait"),
        ("/jobs/01JOB?wait=nan", "wait"),
        ("/jobs/01JOB/events?after=-1", "after"),
        ("/jobs/01JOB/events?after=x", "after"),
    ],
)
async def test_a_wrong_query_is_refused_by_name(door: httpx.AsyncClient, path: str, wrong: str) -> None:
    response = await door.get(path)

    assert (response.status_code, error_of(response)["type"]) == (400, "BadRequest")
    assert wrong in [item["path"] for item in error_of(response)["details"]]


async def test_a_failed_job_is_a_bad_gateway_that_is_not_to_be_tried_again(
    door: httpx.AsyncClient, service: FakeService
) -> None:
    service.replies = {"sim/alpha": DEAD}

    response = await door.post("/llm", json={**PROMPT, "models": ["sim/alpha"]})

    error = error_of(response)
    assert (response.status_code, error["type"]) == (502, "JobError")
    assert response.headers["x-should-retry"] == "false"
    assert error["details"] == {"sim/alpha": {"type": "Timeout", "message": DEAD.message, "attempts": 3}}
    assert (await door.get(f"/jobs/{error['jobId']}")).json()["state"] == "error"


async def test_a_passed_deadline_is_a_gateway_timeout(door: httpx.AsyncClient, service: FakeService) -> None:
    service.replies = {"sim/alpha": Held()}
    asking = asyncio.create_task(door.post("/llm", json={**PROMPT, "models": ["sim/alpha"]}))
    job_id = await running_job(door)

    await service.expire(job_id)
    response = await asking

    assert (response.status_code, error_of(response)["type"]) == (504, "DeadlineExceeded")
    assert response.headers["x-should-retry"] == "false"


async def test_a_job_that_is_cancelled_while_it_is_waited_for_is_a_conflict(
    door: httpx.AsyncClient, service: FakeService
) -> None:
    service.replies = {"sim/alpha": Held()}
    asking = asyncio.create_task(door.post("/llm", json={**PROMPT, "models": ["sim/alpha"]}))
    job_id = await running_job(door)

    await door.post(f"/jobs/{job_id}/cancel")
    response = await asking

    assert (response.status_code, error_of(response)["type"]) == (409, "Cancelled")
    assert error_of(response)["jobId"] == job_id
    assert response.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    ("ended", "status"),
    [
        (CrashLoop("the job has killed every process that took it up", None, "01JOB"), 500),
        (InternalError("Ditto failed on this job", None, "01JOB"), 500),
        (Conflict("job 01JOB is running", None, "01JOB"), 409),
    ],
)
async def test_how_a_job_ended_is_not_to_be_tried_again(opened: Open, ended: ServiceError, status: int) -> None:
    async with opened(FakeService(unready=ended), Limits()) as door:
        response = await door.post("/llm", json=PROMPT)

    assert (response.status_code, error_of(response)["type"]) == (status, ended.type)
    assert response.headers["x-should-retry"] == "false"


async def test_a_failure_that_may_pass_may_be_tried_again(opened: Open) -> None:
    async with opened(FakeService(unready=ZeroDivisionError()), Limits()) as door:
        response = await door.post("/llm", json=PROMPT)

    assert response.status_code == 500
    assert "x-should-retry" not in response.headers


@pytest.mark.parametrize("refusal", [RateLimited("the service is full"), Unavailable("the service is draining")])
@pytest.mark.parametrize(("method", "path"), [("POST", "/llm"), ("POST", "/jobs"), ("POST", "/jobs/{id}/retry")])
async def test_every_refusal_for_now_says_when_to_ask_again(
    door: httpx.AsyncClient, service: FakeService, refusal: ServiceError, method: str, path: str
) -> None:
    job_id = (await door.post("/jobs", json=PROMPT)).json()["jobId"]
    service.unready = refusal

    response = await door.request(method, path.format(id=job_id), json=PROMPT)

    assert (response.status_code, error_of(response)["message"]) == (refusal.status, refusal.message)
    assert int(response.headers["retry-after"]) >= 1


async def test_a_full_service_says_when_to_ask_again(opened: Open) -> None:
    service = FakeService(unready=RateLimited("the service is full", {"retryAfter": 2500}))
    async with opened(service, Limits()) as door:
        response = await door.post("/llm", json=PROMPT)

    assert (response.status_code, error_of(response)["type"]) == (429, "RateLimited")
    assert response.headers["retry-after"] == "3"


@pytest.mark.parametrize("reason", [Unavailable("the service is draining"), StoreUnavailable("disk full")])
async def test_a_service_that_takes_no_jobs_is_unavailable(opened: Open, reason: Exception) -> None:
    async with opened(FakeService(unready=reason), Limits()) as door:
        asked, ready = await door.post("/llm", json=PROMPT), await door.get("/readyz")
        alive = await door.get("/healthz")

    assert (asked.status_code, error_of(asked)["type"]) == (503, "Unavailable")
    assert (ready.status_code, error_of(ready)["type"]) == (503, "Unavailable")
    assert error_of(ready)["message"] == error_of(asked)["message"] == str(reason)
    assert int(asked.headers["retry-after"]) >= 1
    assert alive.status_code == 200


async def test_a_service_that_does_not_say_whether_it_is_ready_is_not(opened: Open) -> None:
    class Silent(FakeService):
        async def ready(self) -> None:
            await asyncio.Event().wait()

    async with opened(Silent(), Limits(ready_s=0.001)) as door:
        response = await door.get("/readyz")

    assert response.status_code == 503


async def test_what_nobody_foresaw_is_logged_under_an_id_and_not_shown(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(FakeService(unready=ZeroDivisionError("secret")), Limits()) as door:
        with caplog.at_level(logging.ERROR):
            response = await door.post("/llm", json=PROMPT)

    error = error_of(response)
    assert (response.status_code, error["type"]) == (500, "InternalError")
    assert "secret" not in response.text
    assert "ZeroDivisionError" not in response.text
    assert error["details"]["id"] in error["message"]
    assert caplog.records[0].error_id == error["details"]["id"]  # type: ignore[attr-defined]


def app_of(door: httpx.AsyncClient) -> Any:
    transport = door._transport
    assert isinstance(transport, httpx.ASGITransport)
    return transport.app


async def running_job(door: httpx.AsyncClient) -> str:
    while True:
        jobs = (await door.get("/jobs?state=running")).json()["jobs"]
        if jobs:
            job_id: str = jobs[0]["jobId"]
            return job_id
        await asyncio.sleep(0)
