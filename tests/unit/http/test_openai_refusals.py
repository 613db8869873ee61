"""What OpenAI's routes refuse, by name and in OpenAI's shape; and what they take since it changes nothing."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ditto.domain.events import Failure
from ditto.errors import (
    Conflict,
    CrashLoop,
    DeadlineExceeded,
    InternalError,
    RateLimited,
    ServiceError,
    Unavailable,
)
from ditto.http.limits import Limits
from ditto.http.openai.errors import openai_error
from tests.fakes import FakeService
from tests.unit.http.conftest import Open

CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"
USER = {"role": "user", "content": "Is this email urgent?"}
ASKED = {"model": "trio", "messages": [USER]}
INPUT = {"model": "trio", "input": "Is this email urgent?"}
DEAD = Failure(type="Timeout", message="no answer in 300000 ms", attempts=3)
IMAGE = {"type": "image_url", "image_url": {"url": "data:,"}}


def error_of(response: httpx.Response) -> dict[str, Any]:
    assert set(response.json()) == {"error"}
    error: dict[str, Any] = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code", "ditto"}
    return error


CHAT_REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"n": 2}, "n"),
    ({"n": True}, "n"),
    ({"tools": [{"type": "function"}]}, "tools"),
    ({"tool_choice": "required"}, "tool_choice"),
    ({"functions": [{}]}, "functions"),
    ({"function_call": {"name": "f"}}, "function_call"),
    ({"logprobs": True}, "logprobs"),
    ({"top_logprobs": 3}, "top_logprobs"),
    ({"logit_bias": {"50256": -100}}, "logit_bias"),
    ({"frequency_penalty": 0.5}, "frequency_penalty"),
    ({"presence_penalty": -1}, "presence_penalty"),
    ({"modalities": ["text", "audio"]}, "modalities"),
    ({"audio": {"voice": "alloy"}}, "audio"),
    ({"prediction": {"type": "content", "content": "x"}}, "prediction"),
    ({"reasoning_effort": "low"}, "reasoning_effort"),
    ({"verbosity": "low"}, "verbosity"),
    ({"web_search_options": {}}, "web_search_options"),
    ({"store": True}, "store"),
    ({"service_tier": "flex"}, "service_tier"),
    ({"prompt_cache_key": "k"}, "prompt_cache_key"),
    ({"colour": 1}, "colour"),
    ({"stream_options": {"include_usage": True, "include_obfuscation": True}, "stream": True}, "stream_options"),
    ({"stop": ["1", "2", "3", "4", "5"]}, "stop"),
    ({"temperature": 3}, "temperature"),
    ({"max_completion_tokens": 0}, "max_completion_tokens"),
    ({"response_format": {"type": "grammar"}}, "response_format"),
    ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}},
        "response_format.json_schema.schema",
    ),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "strin"}}}},
        "response_format.json_schema.schema",
    ),
    ({"messages": []}, "messages"),
    ({"messages": [USER, {"role": "tool", "content": "4", "tool_call_id": "c"}]}, "messages.1"),
    ({"messages": [{"role": "user", "content": [IMAGE]}]}, "messages.0.content.0"),
    ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "messages.0.content.0"),
    ({"messages": [{"role": "user", "content": ""}]}, "messages.0"),
    ({"messages": [{**USER, "name": "Ada"}]}, "messages.0.name"),
    ({"messages": [{"role": "assistant", "content": "x", "tool_calls": [{}]}, USER]}, "messages.0.tool_calls"),
    ({"messages": [USER, {"role": "assistant", "content": "Yes"}]}, "messages"),
    ({"ditto": {"colour": 1}}, "ditto.colour"),
    ({"ditto": {"prompt": "x"}}, "ditto.prompt"),
    ({"ditto": {"settle": "soon"}}, "ditto.settle"),
    ({"ditto": {"max_retries": 11}}, "ditto.max_retries"),
    ({"ditto": {"judge": "nope/x"}}, "ditto.judge"),
    ({"ditto": {"stream": "all"}}, "ditto.stream"),
    ({"ditto": {"stream": "first"}}, "ditto.stream"),
    ({"ditto": {"stream": "first"}, "stream": True, "model": "in turn"}, "ditto.stream"),
    ({"ditto": []}, "ditto"),
    ({"user": "a", "metadata": {"user": "b"}}, "user"),
    ({"metadata": "x"}, "metadata"),
    ({"model": 3}, "model"),
    ({"model": "ditto/consensus:sim/alpha#2"}, "model"),
]

RESPONSES_REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"previous_response_id": "resp_1"}, "previous_response_id"),
    ({"conversation": "conv_1"}, "conversation"),
    ({"background": True}, "background"),
    ({"store": True}, "store"),
    ({"tools": [{"type": "web_search"}]}, "tools"),
    ({"reasoning": {"effort": "low"}}, "reasoning"),
    ({"truncation": "auto"}, "truncation"),
    ({"include": ["reasoning.encrypted_content"]}, "include"),
    ({"seed": 1}, "seed"),
    ({"max_output_tokens": 0}, "max_output_tokens"),
    ({"input": [{"type": "function_call_output", "call_id": "c", "output": "4"}]}, "input"),
    ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "input.0.content.0"),
    ({"input": []}, "input"),
    ({"input": " "}, "input"),
    ({"text": {"format": {"type": "json_schema", "name": "x", "schema": {"type": "strin"}}}}, "text.format.schema"),
    ({"text": {"verbosity": "high"}}, "text.verbosity"),
]


@pytest.mark.parametrize(
    ("route", "body", "param"),
    [
        *((CHAT, {**ASKED, **more}, param) for more, param in CHAT_REFUSED),
        *((RESPONSES, {**INPUT, **more}, param) for more, param in RESPONSES_REFUSED),
        (CHAT, {"model": "trio"}, "messages"),
        (RESPONSES, {"model": "trio"}, "input"),
    ],
)
async def test_what_is_not_supported_or_wrong_is_refused_by_name_and_nothing_is_begun(
    door: httpx.AsyncClient, route: str, body: dict[str, Any], param: str
) -> None:
    response = await door.post(route, json=body)

    error = error_of(response)
    assert response.status_code == 400, response.text
    assert error["type"] == "invalid_request_error"
    assert error["param"].startswith(param)
    assert param in error["message"]
    assert (await door.get("/jobs")).json()["jobs"] == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({**ASKED, "max_tokens": 1, "max_completion_tokens": 2}, "one limit"),
        ({**ASKED, "stream_options": {"include_usage": True}}, "stream: true"),
        ([], "must be a JSON object"),
    ],
)
async def test_fields_that_do_not_go_together_are_refused(door: httpx.AsyncClient, body: Any, words: str) -> None:
    response = await door.post(CHAT, json=body)

    assert response.status_code == 400
    assert words in error_of(response)["message"]
    assert error_of(response)["param"] is None


async def test_every_wrong_field_is_named_at_once(door: httpx.AsyncClient) -> None:
    response = await door.post(CHAT, json={**ASKED, "n": 3, "tools": [{}], "top_p": 7})

    error = error_of(response)
    assert {wrong["path"] for wrong in error["ditto"]["details"]} == {"n", "tools", "top_p"}
    assert "only 1 is taken" in error["message"]


@pytest.mark.parametrize(
    ("route", "body"),
    [
        (
            CHAT,
            {
                **ASKED,
                "n": 1,
                "tools": [],
                "tool_choice": "auto",
                "parallel_tool_calls": True,
                "functions": [],
                "function_call": "none",
                "logprobs": False,
                "top_logprobs": 0,
                "logit_bias": {},
                "frequency_penalty": 0.0,
                "presence_penalty": 0,
                "modalities": ["text"],
                "store": False,
                "service_tier": "auto",
                "verbosity": "medium",
                "stream": False,
            },
        ),
        (CHAT, {**ASKED, **dict.fromkeys([next(iter(more)) for more, _ in CHAT_REFUSED[:20]])}),
        (
            CHAT,
            {
                **ASKED,
                **dict.fromkeys(("stream", "stream_options", "response_format", "stop", "seed", "user", "ditto")),
            },
        ),
        (
            RESPONSES,
            {
                **INPUT,
                "tools": [],
                "tool_choice": "none",
                "parallel_tool_calls": False,
                "include": [],
                "top_logprobs": 0,
                "reasoning": {},
                "truncation": "disabled",
                "background": False,
                "store": False,
                "service_tier": "default",
                "text": {"format": {"type": "text"}, "verbosity": "medium"},
                "stream_options": {"include_obfuscation": False},
            },
        ),
        (RESPONSES, {**INPUT, **dict.fromkeys([next(iter(more)) for more, _ in RESPONSES_REFUSED[:8]])}),
    ],
)
async def test_null_and_what_changes_nothing_is_taken(
    door: httpx.AsyncClient, route: str, body: dict[str, Any]
) -> None:
    response = await door.post(route, json=body)

    assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("tri", "unknown model"),
        ("nope/x", "unknown model"),
        ("ditto/vote:sim/alpha", "ditto/consensus:<model>"),
        ("ditto/consensus", "ditto/consensus:<model>"),
        ("ditto/consensus:sim/alpha,", "ditto/consensus:<model>"),
        ("ditto/consensus:sim/alpha,nope/x", "unknown model 'nope/x'"),
        ("", "unknown model"),
    ],
)
async def test_a_model_that_is_none_is_not_found(door: httpx.AsyncClient, model: str, words: str) -> None:
    response = await door.post(CHAT, json={**ASKED, "model": model})

    error = error_of(response)
    assert response.status_code == 404
    assert (error["code"], error["param"]) == ("model_not_found", "model")
    assert words in error["message"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("route", "body"), [(CHAT, ASKED), (RESPONSES, INPUT)])
async def test_a_failed_job_is_settled_and_each_model_is_told(
    door: httpx.AsyncClient, service: FakeService, route: str, body: dict[str, Any], stream: bool
) -> None:
    service.replies = dict.fromkeys(("sim/alpha", "sim/beta", "sim/gamma"), DEAD)

    response = await door.post(route, json={**body, "stream": stream})

    error = error_of(response)
    assert response.status_code == 502
    assert (error["type"], error["code"]) == ("server_error", "job_error")
    assert error["ditto"]["details"]["sim/alpha"]["type"] == "Timeout"
    assert response.headers["x-should-retry"] == "false"
    assert response.headers["x-ditto-job-id"] == error["ditto"]["jobId"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("ended", "status", "retry"),
    [
        (DeadlineExceeded("the deadline passed", {}, "01JOB"), 504, "false"),
        (CrashLoop("the job has killed every process", None, "01JOB"), 500, "false"),
        (InternalError("Ditto failed on this job", None, "01JOB"), 500, "false"),
        (Conflict("job 01JOB is running", None, "01JOB"), 409, "false"),
        (RateLimited("the service is full"), 429, None),
        (Unavailable("the service is draining"), 503, None),
        (ZeroDivisionError("secret"), 500, None),
    ],
)
async def test_whether_to_try_again_is_told_as_openais_clients_read_it(
    opened: Open, ended: Exception, status: int, retry: str | None, stream: bool
) -> None:
    async with opened(FakeService(unready=ended), Limits()) as door:
        response = await door.post(CHAT, json={**ASKED, "stream": stream})

    error = error_of(response)
    assert (response.status_code, response.headers.get("x-should-retry")) == (status, retry)
    assert ("retry-after" in response.headers) == (status in (429, 503))
    assert error["type"] == (
        "rate_limit_error" if status == 429 else "server_error" if status >= 500 else error["type"]
    )
    assert "secret" not in response.text


async def test_a_key_with_another_request_names_what_differs_as_openai_does(door: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "k"}
    await door.post(CHAT, json=ASKED, headers=headers)

    response = await door.post(CHAT, json={**ASKED, "max_tokens": 3, "model": "sim/alpha"}, headers=headers)

    error = error_of(response)
    assert (response.status_code, error["code"]) == (422, "idempotency_mismatch")
    assert {wrong["path"] for wrong in error["ditto"]["details"]} == {"max_tokens", "model"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nowhere", 404),
        ("GET", "/v1/responses/resp_1", 404),
        ("GET", "/v1/chat/completions", 405),
        ("POST", "/v1/chat/completions?version=1", 400),
        ("GET", "/v1/models?limit=1", 400),
    ],
)
async def test_errors_of_the_routes_themselves_have_openais_shape(
    door: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    response = await door.request(method, path)

    assert response.status_code == status
    assert error_of(response)["type"] == "invalid_request_error"


async def test_errors_of_the_body_have_openais_shape(opened: Open, service: FakeService) -> None:
    async with opened(service, Limits(body_bytes=100, linger_s=0.001)) as door:
        large = await door.post(CHAT, json={**ASKED, "user": "x" * 200})
        other = await door.post(CHAT, content=b"{}", headers={"content-type": "text/plain"})
        broken = await door.post(CHAT, content=b"{", headers={"content-type": "application/json"})

    assert [response.status_code for response in (large, other, broken)] == [413, 415, 400]
    assert [error_of(response)["code"] for response in (large, other, broken)] == [
        "too_large",
        "unsupported_media_type",
        "bad_request",
    ]


async def test_the_other_routes_keep_their_own_shape(door: httpx.AsyncClient) -> None:
    response = await door.post("/llm", json={"prompt": " "})

    assert set(response.json()["error"]) == {"type", "message", "details"}


def test_a_service_error_of_any_kind_has_a_code() -> None:
    codes = [openai_error(kind("x"), CHAT)["error"]["code"] for kind in ServiceError.__subclasses__()]

    assert all(code.replace("_", "").isalpha() and code.islower() for code in codes)
    assert len(set(codes)) == len(codes)
