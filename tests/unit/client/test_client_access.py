"""The clients show their key with every request, to their server alone, and name what is refused by its type."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx
import pytest

from ditto.client.async_client import AsyncDitto
from ditto.client.http_backend import HttpBackend
from ditto.client.sync_client import Ditto
from ditto.errors import ConfigurationError, Forbidden, NotFound, RateLimited, Unauthorized
from tests.unit.client.hasty import Hasty


def served(seen: list[httpx.Request], status: int, type_: str) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        error = {"type": type_, "message": "no", "details": None}
        return httpx.Response(status, json={"error": error}, headers={"retry-after": "3600"})

    return httpx.MockTransport(answer)


VERBS: list[Callable[[AsyncDitto], Awaitable[object]]] = [
    lambda client: client.ask("Why?"),
    lambda client: client.submit("Why?", deadline_s=5),
    lambda client: client.get("j1"),
    lambda client: client.cancel("j1"),
    lambda client: anext(client.events("j1")),
]


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Unauthorized), (403, Forbidden), (404, NotFound)], ids=lambda value: str(value)
)
async def test_what_the_gate_refuses_has_its_type_and_is_not_asked_again(status: int, kind: type[Exception]) -> None:
    for verb in VERBS:
        seen: list[httpx.Request] = []
        transport = served(seen, status, kind.__name__)
        async with AsyncDitto.over(HttpBackend("http://ditto", "k-1", transport, Hasty().patience())) as client:
            with pytest.raises(kind):
                await verb(client)
        assert [request.headers["authorization"] for request in seen] == ["Bearer k-1"]


async def test_a_ceiling_that_is_far_away_is_not_waited_for() -> None:
    seen: list[httpx.Request] = []
    transport = served(seen, 429, "RateLimited")
    async with AsyncDitto.over(HttpBackend("http://ditto", "k-1", transport, Hasty().patience())) as client:
        with pytest.raises(RateLimited):
            await client.submit("Why?")
    assert len(seen) == 1


async def test_without_a_key_none_is_shown() -> None:
    seen: list[httpx.Request] = []
    async with AsyncDitto.over(HttpBackend("http://ditto", transport=served(seen, 401, "Unauthorized"))) as client:
        with pytest.raises(Unauthorized):
            await client.get("j1")
    assert "authorization" not in seen[0].headers


@pytest.mark.parametrize("key", ["two\nlines", "ключ", "", "a b"])
def test_what_no_header_holds_is_no_key_and_is_not_repeated(key: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        HttpBackend("http://ditto", key)
    assert not key or key not in str(refused.value)


async def test_the_environment_may_hold_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DITTO_API_KEY", "from-the-environment")
    for client, shown in ((AsyncDitto(), "from-the-environment"), (AsyncDitto(api_key="given"), "given")):
        backend = client._backend
        assert isinstance(backend, HttpBackend)
        assert backend._client.headers["authorization"] == f"Bearer {shown}"
        assert shown not in repr(backend._client)
        await client.close()


def test_the_blocking_client_shows_its_key_too() -> None:
    with Ditto("http://127.0.0.1:9", api_key="given") as client:
        backend = client._client._backend
        assert isinstance(backend, HttpBackend)
        assert backend._client.headers["authorization"] == "Bearer given"
