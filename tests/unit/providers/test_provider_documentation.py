"""Every dialect writes and reads the forms that the fixtures hold.

The bodies are our own, after the providers' public documentation; each names the page for its form, and not every
page could be opened when it was written.
"""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from ditto import errors
from ditto.domain.spec import Message, Sampling
from ditto.errors import CallError
from ditto.providers.models import DIALECTS
from ditto.providers.port import DialectPort, ModelReply, ModelRequest
from ditto.settings.endpoints import KNOWN, Dialect

FIXTURES = Path(__file__).parents[2] / "fixtures" / "providers"
KEY = "k-1234567890"


def fixtures(kind: str) -> list[Any]:
    paths = sorted(FIXTURES.glob(f"*/{kind}/*.json"))
    return [pytest.param(path, id=f"{path.parts[-3]}-{path.stem}") for path in paths]


def loaded(path: Path) -> dict[str, Any]:
    fixture: dict[str, Any] = json.loads(path.read_text())
    assert fixture["source"].startswith("https://")
    return fixture


def request_of(value: dict[str, Any]) -> ModelRequest:
    sampling = dict(value.get("sampling", {}))
    sampling["stop"] = tuple(sampling.get("stop", ()))
    return ModelRequest(
        model=value["model"],
        messages=tuple(Message(**message) for message in value["messages"]),
        system=value.get("system"),
        sampling=Sampling(**sampling),
        seed=value.get("seed"),
        schema=value.get("schema"),
    )


def dialect_of(path: Path) -> DialectPort:
    return {str(name): port for name, port in DIALECTS.items()}[path.parts[-3]]


def outcome(path: Path, fixture: dict[str, Any]) -> ModelReply | CallError:
    port = dialect_of(path)
    body = fixture["text"].encode() if "text" in fixture else json.dumps(fixture["body"]).encode()
    request = ModelRequest(model="m", messages=(Message(role="user", content="?"),))
    try:
        if fixture["status"] == 200:
            return port.read(body, request)
        refusal = port.refusal(fixture["status"], body)
        return refusal or port.error(fixture["status"], httpx.Headers(fixture["headers"]), body)
    except CallError as error:
        return error


@pytest.mark.parametrize("path", fixtures("responses"))
def test_each_documented_response_means_what_its_page_says(path: Path) -> None:
    fixture = loaded(path)
    expected = fixture["expected"]

    found = outcome(path, fixture)

    if "reply" in expected:
        assert found == ModelReply(**expected["reply"])
    else:
        assert isinstance(found, CallError)
        assert type(found) is getattr(errors, expected["error"])
        assert expected.get("message", "") in str(found)
        assert found.retry_after_s == expected.get("retry_after_s")


@pytest.mark.parametrize("path", fixtures("responses"))
def test_a_refused_parameter_is_recognised_and_nothing_else_is_taken_for_one(path: Path) -> None:
    fixture = loaded(path)
    body = fixture["text"].encode() if "text" in fixture else json.dumps(fixture["body"]).encode()

    refused = dialect_of(path).refused_parameter(fixture["status"], body)

    assert refused == fixture["expected"].get("refused")


@pytest.mark.parametrize("path", fixtures("requests"))
def test_each_request_is_written_as_its_page_says(path: Path) -> None:
    fixture = loaded(path)
    expected, endpoint = fixture["expected"], KNOWN[fixture["provider"]]
    key = KEY if endpoint.key_env else None

    built = DIALECTS[endpoint.dialect].build(
        request_of(fixture["request"]), endpoint, key, "acc1", left_out=frozenset(fixture["left_out"]), stream=False
    )

    assert built.request.method == "POST"
    assert str(built.request.url) == expected["url"]
    assert json.loads(built.request.content) == expected["body"]
    assert list(built.warnings) == expected["warnings"]
    for name, value in expected.get("headers", {}).items():
        assert built.request.headers.get(name) == value


@pytest.mark.parametrize("path", fixtures("requests"))
def test_every_request_ends_with_the_users_message_and_is_not_streamed(path: Path) -> None:
    fixture = loaded(path)
    endpoint = KNOWN[fixture["provider"]]

    built = DIALECTS[endpoint.dialect].build(
        request_of(fixture["request"]), endpoint, KEY, "acc1", left_out=frozenset(), stream=False
    )

    body = json.loads(built.request.content)
    assert body["messages"][-1]["role"] == "user"
    assert not body.get("stream")
    assert built.request.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", fixtures("requests"))
def test_whatever_is_dispensable_can_be_left_out_and_changes_the_request(path: Path) -> None:
    fixture = loaded(path)
    endpoint = KNOWN[fixture["provider"]]
    port, request = DIALECTS[endpoint.dialect], request_of(fixture["request"])
    built = port.build(request, endpoint, KEY, "acc1", left_out=frozenset(), stream=False)

    for name in built.dispensable:
        without = port.build(request, endpoint, KEY, "acc1", left_out=frozenset({name}), stream=False)
        assert without.request.content != built.request.content


def test_settings_can_add_headers_and_an_address_of_their_own() -> None:
    endpoint = KNOWN["openai"].model_copy(
        update={"base_url": "http://127.0.0.1:9/v1/", "headers": {"x-team": "7", "authorization": "Basic abc"}}
    )
    request = ModelRequest(model="m", messages=(Message(role="user", content="?"),))

    built = DIALECTS["openai"].build(request, endpoint, KEY, None, left_out=frozenset(), stream=False)

    assert str(built.request.url) == "http://127.0.0.1:9/v1/chat/completions"
    assert built.request.headers["x-team"] == "7"
    assert built.request.headers["authorization"] == "Basic abc"


@pytest.mark.parametrize("model", ["@cf/meta/llama-3.1-8b-instruct", "@cf/openai/gpt-oss-20b"])
def test_an_address_that_ends_in_v1_chooses_the_compatible_route_of_workers_ai(model: str) -> None:
    known = KNOWN["cloudflare"]
    endpoint = known.model_copy(update={"base_url": f"{known.base_url}/v1"})
    request = ModelRequest(model=model, messages=(Message(role="user", content="?"),))

    built = DIALECTS["workers-ai"].build(request, endpoint, KEY, "acc1", left_out=frozenset(), stream=False)

    assert built.request.url.path == "/client/v4/accounts/acc1/ai/v1/chat/completions"


def test_text_that_utf_8_cannot_hold_is_sent_and_read_without_it() -> None:
    port = DIALECTS["openai"]
    request = ModelRequest(model="m", messages=(Message(role="user", content="half \ud83d"),))

    built = port.build(request, KNOWN["ollama"], None, None, left_out=frozenset(), stream=False)
    reply = port.read(rb'{"choices":[{"message":{"content":"half \ud83d"}}]}', request)

    assert json.loads(built.request.content)["messages"][0]["content"] == "half ?"
    assert reply.text == "half ?"


@pytest.mark.parametrize("dialect", list(DIALECTS))
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"text"',
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"choices": [null], "content": {}, "result": 3}',
        b'{"choices": [{"message": {"content": [1, {"type": "text", "text": 2}]}}], "content": [null]}',
        b'{"choices": {"0": 1}, "content": "x", "result": {"response": null}}',
        b'{"error": 7, "errors": "x", "success": false}',
        b'{"error": {"code": [], "details": [3], "detail": {"a": 1}, "message": {"detail": 4}}}',
        b"9" * 5_000,
    ],
)
def test_garbage_is_a_call_error_and_never_another(dialect: Dialect, body: bytes) -> None:
    port = DIALECTS[dialect]
    request = ModelRequest(model="m", messages=(Message(role="user", content="?"),))

    with pytest.raises(CallError):
        port.read(body, request)

    for status in (200, 302, 400, 401, 404, 422, 429, 500, 529, 599, 999):
        assert isinstance(port.error(status, httpx.Headers(), body), CallError)
        port.refusal(status, body)
        port.refused_parameter(status, body)
