"""What every answer says to browsers, whose pages may ask, and how much a request may hold."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from ditto.errors import ConfigurationError
from ditto.http.app import build
from ditto.http.limits import Limits
from ditto.settings import from_args
from tests.fakes import FakeService
from tests.unit.http.conftest import SETTINGS
from tests.unit.http.raw import Socket
from tests.unit.http.test_http_streams import submitted

PAGE = "https://app.example.com"
AS_JSON = {"content-type": "application/json"}


@pytest.fixture
async def shared(service: FakeService) -> AsyncIterator[httpx.AsyncClient]:
    """The application where pages of one other origin may use it."""

    async def factory() -> FakeService:
        return service

    app = build(factory, limits=Limits(), settings=SETTINGS.model_copy(update={"cors_origins": (PAGE,)}))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ditto")
    async with app.router.lifespan_context(app), client:
        yield client


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/healthz"),
        ("GET", "/jobs"),
        ("GET", "/nowhere"),
        ("POST", "/llm"),
        ("PUT", "/jobs"),
        ("GET", "/openapi.json"),
        ("GET", "/docs"),
        ("POST", "/v1/chat/completions"),
    ],
)
async def test_every_answer_is_data_for_who_asked_and_for_nobody_else(
    door: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await door.request(method, path)

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert len(answer.headers.get_list("content-security-policy")) == 1


async def test_pages_of_other_origins_may_not_ask(door: httpx.AsyncClient) -> None:
    preflight = {"origin": PAGE, "access-control-request-method": "POST"}
    asked = await door.options("/llm", headers=preflight)
    listed = await door.get("/jobs", headers={"origin": PAGE})

    assert asked.status_code == 405
    assert [name for answer in (asked, listed) for name in answer.headers if name.startswith("access-control")] == []


async def test_pages_of_an_origin_that_is_named_may_ask(shared: httpx.AsyncClient) -> None:
    wanted = {"access-control-request-method": "POST", "access-control-request-headers": "content-type,idempotency-key"}
    asked = await shared.options("/llm", headers={"origin": PAGE, **wanted})
    stranger = await shared.options("/llm", headers={"origin": "https://evil.example.com", **wanted})
    listed = await shared.get("/jobs", headers={"origin": PAGE})

    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, PAGE)
    assert stranger.status_code == 400
    assert "access-control-allow-origin" not in stranger.headers
    assert listed.headers["access-control-allow-origin"] == PAGE
    assert "x-ditto-job-id" in listed.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in listed.headers


async def test_a_page_of_an_origin_that_is_named_may_follow_a_job(shared: httpx.AsyncClient) -> None:
    job_id = await submitted(shared)
    app = shared._transport.app  # type: ignore[attr-defined]

    async with Socket(app, f"/jobs/{job_id}/ws", {"origin": PAGE}) as follower:
        _, code, _ = await follower.closed()
    async with Socket(app, f"/jobs/{job_id}/ws", {"origin": "https://[evil"}) as follower:
        _, refused, _ = await follower.closed()

    assert (code, refused) == (1000, 4403)


@pytest.mark.parametrize("origin", ["*", "app.example.com", "https://app.example.com/", "https://*.example.com"])
def test_an_origin_is_named_whole(origin: str) -> None:
    with pytest.raises(ConfigurationError, match=r"cors_origins\.0"):
        from_args({"cors_origins": [origin]}, source="the tests")


async def test_a_head_that_is_too_long_is_refused(door: httpx.AsyncClient) -> None:
    long = "x" * 33_000
    headers = await door.get("/jobs", headers={"x-long": long})
    query = await door.get(f"/jobs?cursor={long}")
    path = await door.get(f"/v1/{long}")

    for answer in (headers, query, path):
        assert answer.status_code == 400
        assert "above the limit of 32768 bytes" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"prompt": "x", "metadata": {"a": [' + b"[]," * 5_000_000 + b"[]]}}",
        b'{"prompt": "x", "metadata": {' + b",".join(b'"%d":1' % n for n in range(150_000)) + b"}}",
    ],
)
async def test_a_body_of_too_many_values_is_refused_before_they_are_made(door: httpx.AsyncClient, body: bytes) -> None:
    answer = await door.post("/llm", content=body, headers=AS_JSON)

    assert answer.status_code == 413
    assert answer.json()["error"]["details"] == {"limitValues": 100_000}


@pytest.mark.parametrize("unit", ['[{",', '"[[{{,,"', r"\"[,", "\\", '"\\"', '"\\\\",'])
async def test_brackets_and_commas_in_a_text_are_no_values(
    door: httpx.AsyncClient, service: FakeService, unit: str
) -> None:
    prompt = unit * 200_000

    answer = await door.post("/llm", json={"prompt": prompt})

    assert answer.status_code == 200
    assert service.asked[0].prompt == prompt


@pytest.mark.parametrize("depth", [201, 700, 5_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
async def test_a_body_that_is_nested_too_deeply_is_refused(
    door: httpx.AsyncClient, depth: int, opening: str, closing: str
) -> None:
    inner = opening * depth + "1" + closing * depth
    answer = await door.post("/llm", content=f'{{"prompt": "x", "metadata": {{"a": {inner}}}}}', headers=AS_JSON)

    assert answer.status_code == 400
    assert "nested too deeply" in answer.json()["error"]["details"][0]["message"]


@pytest.mark.parametrize("body", [b'"' * 3_000_001, b'["' + b'\\"' * 3_000_000, b'[,"' + b'\\"' * 3_000_000 + b"\\"])
async def test_texts_that_never_end_take_no_time(door: httpx.AsyncClient, body: bytes) -> None:
    began = time.process_time()

    answer = await door.post("/llm", content=b"," * 200_000 + body, headers=AS_JSON)

    assert answer.status_code in (400, 413)
    assert time.process_time() - began < 30


async def test_a_large_schema_is_checked_beside_the_loop_and_still_refused_by_its_field(
    door: httpx.AsyncClient,
) -> None:
    schema: dict[str, Any] = {"properties": {f"field{n}": {"type": "string"} for n in range(200)}, "pattern": "("}

    answer = await door.post("/llm", content=json.dumps({"prompt": "x", "schema": schema}), headers=AS_JSON)

    assert (answer.status_code, answer.json()["error"]["details"][0]["path"]) == (400, "schema")


@pytest.mark.parametrize("host", ["evil.example.com", "evil.example.com:8000", "127.0.0.1.evil.example", "EVIL.COM."])
async def test_a_page_whose_name_was_pointed_here_is_told_nothing(door: httpx.AsyncClient, host: str) -> None:
    listed = await door.get("/jobs", headers={"host": host})
    shown = await door.get("/jobs", headers={"host": host, "authorization": "Bearer anything"})
    asked = await door.post("/llm", json={"prompt": "x"}, headers={"host": host})
    alive = await door.get("/healthz", headers={"host": host})

    assert (listed.status_code, shown.status_code, asked.status_code, alive.status_code) == (403, 403, 403, 200)
    assert listed.json()["error"]["type"] == "Forbidden"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8000", "[::1]:8000", "localhost:8000", "a.localhost", "ditto", "10.0.0.7", "[::ffff:10.0.0.7]:80", ""],
)
async def test_an_address_and_a_name_that_nobody_owns_are_answered(door: httpx.AsyncClient, host: str) -> None:
    assert (await door.get("/jobs", headers={"host": host})).status_code == 200
