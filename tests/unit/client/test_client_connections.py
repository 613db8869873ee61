"""What the client does when the network or the server fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import chain, repeat
from typing import Any

import httpx
import pytest

from ditto import AsyncDitto, JobState
from ditto.client.http_backend import HttpBackend
from ditto.errors import (
    ConfigurationError,
    Conflict,
    CrashLoop,
    InternalError,
    NotFound,
    RateLimited,
    ServiceError,
    Unavailable,
)
from ditto.http import examples
from tests.unit.client.hasty import Hasty

Told = httpx.Response | Exception


class Server(httpx.AsyncBaseTransport):
    """Answers one request after the other as it is told: with a response, or by raising."""

    def __init__(self, *answers: Told | repeat[Told], takes: Callable[[], None] = lambda: None) -> None:
        self._answers = chain.from_iterable(each if isinstance(each, repeat) else [each] for each in answers)
        self._takes = takes
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        self._takes()
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(request.content) for request in self.requests]


def client_of(server: Server, hasty: Hasty | None = None) -> AsyncDitto:
    patience = (hasty or Hasty()).patience()
    return AsyncDitto.over(HttpBackend("http://ditto/", transport=server, patience=patience))


def later(status: int, seconds: str) -> httpx.Response:
    return httpx.Response(status, json=examples.ERRORS[status], headers={"retry-after": seconds})


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
        httpx.Response(404, text="Path '/llm' not found. Ping http://.../-/routes for available routes."),
        httpx.Response(500, text="Internal Server Error"),
        httpx.Response(502, text="Bad Gateway"),
        httpx.Response(503, text="<html>no server</html>"),
        httpx.Response(504, text="Gateway Timeout"),
        later(429, "1"),
        later(503, "1"),
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


async def test_a_server_that_has_never_answered_is_soon_given_up() -> None:
    server, hasty = Server(repeat(httpx.ConnectError("refused"))), Hasty()

    with pytest.raises(Unavailable, match="no Ditto server answers at http://ditto"):
        await client_of(server, hasty).ask("Hi?")

    assert len(server.requests) > 3
    assert hasty.now_s <= 2
    assert hasty.told == []


async def test_a_server_that_was_there_is_waited_for_while_it_is_started_again() -> None:
    server, hasty = Server(done(), *[httpx.ConnectError("refused")] * 20, done()), Hasty()
    client = client_of(server, hasty)

    await client.ask("Hi?")
    await client.ask("Hi again?")

    assert len({json.dumps(body) for body in server.bodies[1:]}) == 1
    assert 20 < hasty.now_s <= 60
    assert [error.type for error in hasty.told] == ["Unavailable"]


async def test_a_server_that_broke_off_the_first_question_was_there() -> None:
    server, hasty = Server(httpx.ReadError("reset"), *[httpx.ConnectError("refused")] * 20, done()), Hasty()

    view = await client_of(server, hasty).ask("Hi?")

    assert view.job_id == examples.JOB["jobId"]
    assert hasty.now_s > 20


async def test_a_server_that_stays_away_is_given_up() -> None:
    server, hasty = Server(done(), repeat(httpx.ReadError("reset"))), Hasty()
    client = client_of(server, hasty)
    await client.ask("Hi?")

    with pytest.raises(Unavailable, match="ReadError: reset"):
        await client.ask("Hi again?")

    assert 50 < hasty.now_s <= 60


async def test_pauses_grow_and_are_spread() -> None:
    calm, spread = Hasty(), Hasty()
    for hasty, luck in ((calm, 0.0), (spread, 1.0)):
        server = Server(*[httpx.Response(502)] * 7, done())
        backend = HttpBackend("http://ditto", transport=server, patience=hasty.patience(luck))
        await AsyncDitto.over(backend).ask("Hi?")

    assert calm.pauses_s == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
    assert spread.pauses_s == pytest.approx([1.25 * pause_s for pause_s in calm.pauses_s])


@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_is_asked_again_when_it_said_and_not_before(status: int) -> None:
    server, hasty = Server(later(status, "7"), later(status, "9"), done()), Hasty()

    await client_of(server, hasty).ask("Hi?")

    assert hasty.pauses_s == [7, 9]
    assert server.bodies[0] == server.bodies[1] == server.bodies[2]
    assert [error.message for error in hasty.told] == [examples.ERRORS[status]["error"]["message"]]


@pytest.mark.parametrize(("deadline_s", "tries"), [(None, 7), (25.0, 3), (200.0, 21), (5.0, 1)])
@pytest.mark.parametrize("verb", ["ask", "submit"])
async def test_a_full_server_is_waited_for_as_long_as_the_caller_has_time(
    verb: str, deadline_s: float | None, tries: int
) -> None:
    server, hasty = Server(repeat(later(429, "10"))), Hasty()

    with pytest.raises(RateLimited, match="full"):
        await getattr(client_of(server, hasty), verb)("Hi?", deadline_s=deadline_s)

    assert len(server.requests) == tries


@pytest.mark.parametrize("status", [409, 500, 502, 503, 504])
async def test_a_settled_failure_is_final(status: int) -> None:
    headers = {"x-should-retry": "false", "retry-after": "1"}
    server = Server(httpx.Response(status, json=examples.ERRORS[status], headers=headers))

    with pytest.raises(ServiceError, match=examples.ERRORS[status]["error"]["message"]):
        await client_of(server).ask("Hi?")

    assert len(server.requests) == 1


async def test_a_job_that_killed_all_that_held_it_is_an_error_of_its_own() -> None:
    body = {"error": {"type": "CrashLoop", "message": "the job killed all", "details": None, "jobId": "j"}}
    server = Server(httpx.Response(500, json=body, headers={"x-should-retry": "false"}))

    with pytest.raises(CrashLoop, match="killed all") as caught:
        await client_of(server).ask("Hi?")

    assert caught.value.job_id == "j"


async def test_a_silent_server_is_asked_again_under_the_same_key_until_the_deadline() -> None:
    hasty = Hasty()
    server = Server(repeat(httpx.ReadTimeout("silent")), takes=lambda: hasty.pass_by(100))

    with pytest.raises(Unavailable, match="did not answer within 310 s"):
        await client_of(server, hasty).ask("Hi?", deadline_s=250)

    assert hasty.pauses_s == []
    assert [request.extensions["timeout"]["read"] for request in server.requests] == [120, 120, 110, 10]
    assert len({json.dumps(body) for body in server.bodies}) == 1


async def test_a_question_that_ends_with_its_connection_is_listened_for_once() -> None:
    hasty = Hasty()
    server = Server(httpx.ReadTimeout("silent"), takes=lambda: hasty.pass_by(310))

    with pytest.raises(Unavailable, match="did not answer within 310 s"):
        await client_of(server, hasty).ask("Hi?", deadline_s=250, on_disconnect="cancel")

    assert server.requests[0].extensions["timeout"]["read"] == 310


@pytest.mark.parametrize(("status", "raised"), [(429, RateLimited), (500, InternalError), (503, Unavailable)])
async def test_an_error_of_the_contract_that_names_no_time_is_raised_at_once(
    status: int, raised: type[Exception]
) -> None:
    server = Server(httpx.Response(status, json=examples.ERRORS[status]))

    with pytest.raises(raised, match=examples.ERRORS[status]["error"]["message"]):
        await client_of(server).ask("Hi?")


async def test_waiting_goes_on_while_the_server_is_started_again_and_no_longer_than_was_said() -> None:
    running = {**examples.JOB, "state": "running"}
    hasty = Hasty()
    server = Server(httpx.Response(200, json=running), httpx.ReadError("reset"), done())
    view = await client_of(server, hasty).wait("j")

    away = Server(httpx.Response(200, json=running), repeat(httpx.ConnectError("refused")))
    client = client_of(away, short := Hasty())
    await client.get("j")
    with pytest.raises(Unavailable):
        await client.wait("j", timeout_s=5)

    assert view.state is JobState.COMPLETE
    assert short.now_s <= 5


async def test_a_retry_whose_answer_was_lost_is_found_running() -> None:
    running = httpx.Response(200, json={**examples.JOB, "state": "running"})
    server = Server(httpx.ReadError("reset"), httpx.Response(409, json=examples.NOT_RETRIED), running)

    view = await client_of(server).retry("j")

    assert view.state is JobState.RUNNING
    assert [request.method for request in server.requests] == ["POST", "POST", "GET"]


async def test_a_retry_that_is_refused_is_refused() -> None:
    cancelled = httpx.Response(200, json=examples.CANCELLED)
    refusal = httpx.Response(409, json=examples.NOT_RETRIED)

    for server in (Server(refusal), Server(httpx.ReadError("reset"), refusal, cancelled)):
        with pytest.raises(Conflict):
            await client_of(server).retry("j")


async def test_a_deletion_whose_answer_was_lost_has_happened() -> None:
    missing = httpx.Response(404, json=examples.ERRORS[404])

    await client_of(Server(httpx.ReadError("reset"), missing)).delete("j")
    with pytest.raises(NotFound):
        await client_of(Server(missing)).delete("j")


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


async def test_an_event_stream_outlives_a_restart_of_the_server() -> None:
    server = Server(
        stream((1, "job.accepted")),
        *[httpx.ConnectError("refused")] * 20,
        httpx.Response(503, text="starting"),
        later(503, "3"),
        stream((2, "job.completed")),
        httpx.Response(204),
    )
    hasty = Hasty()

    events = [event async for event in client_of(server, hasty).events("j")]

    assert [event.seq for event in events] == [1, 2]
    assert {request.url.params["after"] for request in server.requests[1:-1]} == {"1"}
    assert hasty.now_s > 30


async def test_an_event_stream_that_cannot_be_had_is_given_up() -> None:
    server = Server(repeat(httpx.ConnectError("refused")))

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
