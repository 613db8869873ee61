"""Keys and tenants: no route without a key that opens, and none that tells anything of another tenant."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import httpx
import pytest

from ditto.domain.tenants import OPERATOR, Allowance, Tenant
from ditto.errors import RateLimited, Unavailable
from ditto.http.limits import Limits
from tests.fakes import FakeService, Held
from tests.unit.http.conftest import Open
from tests.unit.http.raw import Socket
from tests.unit.http.test_http_refusals import app_of, error_of

PROMPT = {"prompt": "What is the capital of France?"}
CHAT = {"model": "trio", "messages": [{"role": "user", "content": "What is the capital of France?"}]}
TENANTS = {
    "acme-key": Tenant(name="acme", allowance=Allowance()),
    "bolt-key": Tenant(name="bolt", allowance=Allowance(models=("sim/alpha",))),
    "operator-key": replace(OPERATOR, keyed=True),
}
ROUTES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/llm", {"json": PROMPT}),
    ("POST", "/jobs", {"json": PROMPT}),
    ("GET", "/jobs", {}),
    ("GET", "/jobs/{id}", {}),
    ("GET", "/jobs/{id}?wait=1", {}),
    ("POST", "/jobs/{id}/cancel", {}),
    ("POST", "/jobs/{id}/retry", {}),
    ("POST", "/jobs/{id}/merge", {"json": {}}),
    ("POST", "/jobs/{id}/feedback", {"json": {"correct": True}}),
    ("GET", "/jobs/{id}/events", {}),
    ("GET", "/jobs/{id}/events?after=99", {}),
    ("DELETE", "/jobs/{id}", {}),
    ("POST", "/v1/chat/completions", {"json": CHAT}),
    ("POST", "/v1/responses", {"json": {"model": "trio", "input": "Hello?"}}),
    ("GET", "/v1/models", {}),
    ("GET", "/v1/models/trio", {}),
    ("POST", "/batches/lease", {"json": {"name": "answers.jsonl"}}),
    ("GET", "/metrics", {}),
    ("GET", "/jobs/{id}/ws", {}),
    ("GET", "/no/such/route", {}),
]
OF_A_JOB = [route for route in ROUTES if "{id}" in route[1] and not route[1].endswith("/ws")]


def of(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def service() -> FakeService:
    service = FakeService()
    service.keys = dict(TENANTS)
    return service


@pytest.fixture
async def job_id(door: httpx.AsyncClient) -> str:
    """A job of acme's that has ended."""
    asked = {**PROMPT, "metadata": {"team": "red"}, "idempotencyKey": "k"}
    submitted = await door.post("/jobs", json=asked, headers=of("acme-key"))
    job_id: str = submitted.json()["jobId"]
    return job_id


@pytest.mark.parametrize(("method", "path", "given"), ROUTES, ids=lambda value: str(value))
async def test_no_route_answers_without_a_key_that_opens(
    door: httpx.AsyncClient, service: FakeService, job_id: str, method: str, path: str, given: dict[str, Any]
) -> None:
    asked = len(service.asked)
    for headers in ({}, of("wrong"), {"Authorization": "Basic YTpi"}, {"Authorization": "acme-key"}, of("")):
        response = await door.request(method, path.format(id=job_id), headers=headers, **given)

        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
        error = response.json()["error"]
        if path.startswith("/v1/"):
            assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_api_key")
            assert error["ditto"]["type"] == "Unauthorized"
        else:
            assert error["type"] == "Unauthorized"
        assert error["message"]
    assert len(service.asked) == asked


@pytest.mark.parametrize(("method", "path", "given"), OF_A_JOB, ids=lambda value: str(value))
async def test_another_tenants_job_is_answered_as_one_that_there_is_not(
    door: httpx.AsyncClient, job_id: str, method: str, path: str, given: dict[str, Any]
) -> None:
    nobodys = "0" * len(job_id)
    others = await door.request(method, path.format(id=job_id), headers=of("bolt-key"), **given)
    unknown = await door.request(method, path.format(id=nobodys), headers=of("bolt-key"), **given)
    own = await door.request(method, path.format(id=job_id), headers=of("acme-key"), **given)

    assert others.status_code == unknown.status_code == 404
    assert others.text.replace(job_id, nobodys) == unknown.text
    assert own.status_code in (200, 204)


async def test_a_job_that_runs_is_neither_seen_nor_cancelled_by_another_tenant(
    door: httpx.AsyncClient, service: FakeService
) -> None:
    service.replies = {"sim/alpha": Held()}
    submitted = await door.post("/jobs", json=PROMPT, headers=of("acme-key"))
    job_id = submitted.json()["jobId"]

    cancelled = await door.post(f"/jobs/{job_id}/cancel", headers=of("bolt-key"))
    deleted = await door.delete(f"/jobs/{job_id}", headers=of("bolt-key"))

    assert (cancelled.status_code, deleted.status_code) == (404, 404)
    assert (await door.get(f"/jobs/{job_id}", headers=of("acme-key"))).json()["state"] == "running"


async def test_lists_show_ones_own_jobs_alone(door: httpx.AsyncClient, job_id: str) -> None:
    for path in ("/jobs", "/jobs?metadata.team=red", "/jobs?state=complete"):
        own = await door.get(path, headers=of("acme-key"))
        others = await door.get(path, headers=of("bolt-key"))

        assert [job["jobId"] for job in own.json()["jobs"]] == [job_id]
        assert others.json() == {"jobs": [], "cursor": None}


async def test_idempotency_keys_of_two_tenants_never_meet(door: httpx.AsyncClient, job_id: str) -> None:
    same = await door.post("/jobs", json={**PROMPT, "idempotencyKey": "k"}, headers=of("acme-key"))
    asked = {"prompt": "Another question?", "models": ["sim/alpha"], "idempotencyKey": "k"}
    others = await door.post("/jobs", json=asked, headers=of("bolt-key"))

    assert (same.status_code, same.json()["jobId"]) == (200, job_id)
    assert others.status_code == 202
    assert others.json()["jobId"] != job_id


async def test_batches_of_one_name_of_two_tenants_do_not_hold_each_other_off(door: httpx.AsyncClient) -> None:
    leases = [
        await door.post("/batches/lease", json={"name": "answers.jsonl"}, headers=of(key))
        for key in ("acme-key", "bolt-key", "acme-key")
    ]

    assert [lease.status_code for lease in leases] == [200, 200, 409]


async def test_a_socket_tells_who_has_no_key_and_nothing_of_another_tenants_job(
    door: httpx.AsyncClient, job_id: str
) -> None:
    ends = {}
    for key in ("", "bolt-key", "acme-key"):
        headers = {"authorization": f"Bearer {key}"} if key else {}
        async with Socket(app_of(door), f"/jobs/{job_id}/ws", headers) as follower:
            messages, code, _ = await follower.closed()
        ends[key] = (code, messages[0].get("error", {}).get("type"))

    assert ends == {"": (4401, "Unauthorized"), "bolt-key": (4404, "NotFound"), "acme-key": (1000, None)}


async def test_models_that_a_tenant_may_not_ask_are_refused_and_not_listed(door: httpx.AsyncClient) -> None:
    refused = await door.post("/llm", json={**PROMPT, "models": ["sim/alpha", "sim/beta"]}, headers=of("bolt-key"))
    taken = await door.post("/llm", json={**PROMPT, "models": ["sim/alpha"]}, headers=of("bolt-key"))
    chat = await door.post("/v1/chat/completions", json={**CHAT, "model": "sim/beta"}, headers=of("bolt-key"))
    model = await door.get("/v1/models/trio", headers=of("bolt-key"))
    listed = await door.get("/v1/models", headers=of("bolt-key"))

    assert (refused.status_code, error_of(refused)["type"]) == (403, "Forbidden")
    assert [wrong["path"] for wrong in error_of(refused)["details"]] == ["models"]
    assert taken.status_code == 200
    assert (chat.status_code, chat.json()["error"]["code"], chat.json()["error"]["param"]) == (
        403,
        "forbidden",
        "model",
    )
    assert model.status_code == 403
    assert "trio" not in [panel["id"] for panel in listed.json()["data"]]


async def test_who_asks_too_often_is_told_when_to_come_back(door: httpx.AsyncClient, service: FakeService) -> None:
    service.limited = RateLimited("above the limit of 3 requests a minute", {"retryAfter": 11_200})

    for path, type_ in (("/jobs", "RateLimited"), ("/v1/models", "rate_limit_error")):
        response = await door.get(path, headers=of("acme-key"))

        assert (response.status_code, response.headers["retry-after"]) == (429, "12")
        assert response.json()["error"]["type"] == type_


async def test_what_all_tenants_do_is_shown_to_who_runs_the_service(door: httpx.AsyncClient) -> None:
    assert (await door.get("/metrics", headers=of("operator-key"))).status_code == 200
    assert (await door.get("/metrics", headers=of("acme-key"))).status_code == 403


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/docs", "/openapi.json"])
async def test_what_tells_nothing_of_anybody_is_open(door: httpx.AsyncClient, path: str) -> None:
    assert (await door.get(path)).status_code == 200


async def test_why_a_service_is_not_ready_is_told_to_who_has_a_key(opened: Open) -> None:
    service = FakeService(unready=Unavailable("the journal /srv/ditto/journal.db cannot be used: the disk is full"))
    service.keys = dict(TENANTS)
    async with opened(service, Limits()) as door:
        stranger, known = await door.get("/readyz"), await door.get("/readyz", headers=of("acme-key"))

    assert (stranger.status_code, known.status_code) == (503, 503)
    assert "journal" not in stranger.text
    assert "the disk is full" in known.text


async def test_a_large_body_is_refused_before_it_is_taken(door: httpx.AsyncClient, service: FakeService) -> None:
    response = await door.post("/llm", content=b"x" * 100_000, headers={"content-type": "application/json"})

    assert response.status_code == 401
    assert service.asked == []


async def test_no_key_is_logged_or_told(
    door: httpx.AsyncClient, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [await door.get("/jobs", headers=of("marker-of-a-key"))]
    service.replies = {"sim/alpha": Held()}
    service.unready = ZeroDivisionError("x")
    answers.append(await door.post("/llm", json=PROMPT, headers=of("acme-key")))

    told = "".join(answer.text for answer in answers) + caplog.text
    assert "marker-of-a-key" not in told
    assert "acme-key" not in told


async def test_where_keys_are_needed_any_name_leads_to_the_service(door: httpx.AsyncClient) -> None:
    named = {"host": "ditto.example.com"}

    assert (await door.get("/jobs", headers={**named, **of("acme-key")})).status_code == 200
    assert (await door.get("/jobs", headers={**named, **of("operator-key")})).status_code == 200
    assert (await door.get("/jobs", headers=named)).status_code == 401


async def test_without_any_key_the_operator_needs_none(opened: Open) -> None:
    async with opened(FakeService(), Limits()) as door:
        assert (await door.post("/llm", json=PROMPT)).status_code == 200
        assert (await door.get("/jobs", headers=of("not looked at"))).status_code == 200
        assert (await door.get("/metrics")).status_code == 200


async def test_the_openapi_document_says_which_routes_need_a_key(door: httpx.AsyncClient) -> None:
    document = (await door.get("/openapi.json")).json()

    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    operations = {told["operationId"]: told for path in document["paths"].values() for told in path.values()}
    is_open = {name for name, told in operations.items() if told["security"] == []}
    assert is_open == {"isAlive", "isReady"}
    for name, told in operations.items():
        assert ("401" in told["responses"]) is (name not in is_open), name
        assert ("429" in told["responses"]) is (name not in is_open), name
