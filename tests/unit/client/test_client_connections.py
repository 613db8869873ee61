"""What the client does when the network or the server fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from ditto import AsyncDitto
from ditto.client.http_backend import HttpBackend
from ditto.errors import ConfigurationError, InternalError, RateLimited, Unavailable
from ditto.http import examples

Answer = Callable[[httpx.Request], httpx.Response]


class Server(httpx.AsyncBaseTransport):
    """Answers one request after the other as it is told: with a response, or by raising."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers: Iterator[httpx.Response | Exception] = iter(answers)
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(request.content) for request in self.requests]


def client_of(server: Server) -> AsyncDitto:
    return AsyncDitto.over(HttpBackend("http://ditto/", transport=server, pauses_s=(0.0, 0.0)))


def done() -> httpx.Response:
    return httpx.Response(200, json=examples.JOB)


def stream(*events: tuple[int, str]) -> httpx.Response:
    data = [{"jobId": "j", "seq": seq, "at": "2025-07-01T09:30:00Z", "kind": kind} for seq, kind in events]
    text = "".join(f"event: {e['kind']}\ndata: {json.dumps(e)}\nid: {e['seq']}\n\n: ping\n\n" for e in data)
    return httpx.Response(200, text=text, headers={"content-type": "text/event-stream"})


@pytest.mark.parametrize(
    "loss",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.WriteError("broken pipe"),
        httpx.RemoteProtocolError("closed"),
        httpx.Response(500, text="Internal Server Error"),
        httpx.Response(503, text="<html>no server</html>"),
    ],
)
async def test_a_lost_connection_is_tried_again_under_the_same_key(loss: httpx.Response | Exception) -> None:
    server = Server(loss, done())

    view = await client_of(server).ask("Hi?")

    assert view.job_id == examples.JOB["jobId"]
    assert server.bodies[0] == server.bodies[1]
    assert len(server.bodies[0]["idempotencyKey"]) == 32


async def test_two_questions_have_two_keys_and_a_given_one_is_kept() -> None:
    server = Server(done(), done(), done())
    client = client_of(server)

    await client.ask("Hi?")
    await client.ask("Hi?")
    await client.ask("Hi?", idempotency_key="mine")

    keys = [body["idempotencyKey"] for body in server.bodies]
    assert len(set(keys)) == 3
    assert keys[2] == "mine"


async def test_a_server_that_never_answers_is_unavailable() -> None:
    server = Server(*[httpx.ConnectError("refused")] * 3)

    with pytest.raises(Unavailable, match="no Ditto server answers at http://ditto"):
        await client_of(server).ask("Hi?")

    assert len(server.requests) == 3


async def test_an_answer_that_takes_longer_than_the_deadline_is_not_asked_for_again() -> None:
    server = Server(httpx.ReadTimeout("slow"))

    with pytest.raises(Unavailable, match="did not answer within 61 s"):
        await client_of(server).ask("Hi?", deadline_s=1)

    assert len(server.requests) == 1


@pytest.mark.parametrize(("status", "raised"), [(429, RateLimited), (500, InternalError), (503, Unavailable)])
async def test_an_error_of_the_contract_is_raised_and_not_tried_again(status: int, raised: type[Exception]) -> None:
    server = Server(httpx.Response(status, json=examples.ERRORS[status]))

    with pytest.raises(raised, match=examples.ERRORS[status]["error"]["message"]):
        await client_of(server).ask("Hi?")


async def test_an_error_of_somebody_else_is_raised_by_its_status() -> None:
    server = Server(httpx.Response(429, text="slow down"))

    with pytest.raises(RateLimited, match="status 429"):
        await client_of(server).ask("Hi?")


async def test_an_event_stream_that_breaks_goes_on_where_it_broke() -> None:
    server = Server(
        stream((1, "job.accepted"), (2, "call.started")),
        httpx.ReadError("reset"),
        stream((3, "call.completed")),
        httpx.Response(204),
    )

    events = [event async for event in client_of(server).events("j")]

    assert [event.seq for event in events] == [1, 2, 3]
    assert [request.url.params["after"] for request in server.requests] == ["0", "2", "2", "3"]


async def test_an_event_stream_that_cannot_be_had_is_given_up() -> None:
    server = Server(*[httpx.ConnectError("refused")] * 3)

    with pytest.raises(Unavailable):
        await anext(client_of(server).events("j"))


async def test_a_jobs_name_is_one_part_of_the_path() -> None:
    server = Server(done())

    await client_of(server).get("a/b?c")

    assert server.requests[0].url.raw_path == b"/jobs/a%2Fb%3Fc"


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://x", "http://", "http://x:port", ""])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="is no address of a server"):
        HttpBackend(url)


async def test_the_address_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DITTO_URL", "nonsense")

    with pytest.raises(ConfigurationError, match="nonsense"):
        AsyncDitto()
    await AsyncDitto("http://127.0.0.1:1").close()
