"""WebSockets: the event stream's events as messages, a cancel from the client, and how they end."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from ditto.domain.events import Failure
from ditto.domain.job import JobState
from ditto.errors import Unavailable
from ditto.http.limits import Limits
from tests.fakes import FakeService, Held
from tests.unit.http.conftest import Open
from tests.unit.http.raw import Exchange, Socket
from tests.unit.http.test_http_refusals import app_of
from tests.unit.http.test_http_streams import parsed, submitted

ENDED = (1000, "the job has ended")


def socket(door: httpx.AsyncClient, path: str, **headers: str) -> Socket:
    return Socket(app_of(door), path, headers)


async def test_a_jobs_events_are_those_of_its_event_stream(door: httpx.AsyncClient) -> None:
    job_id = await submitted(door, metadata={"mail_id": 7})
    streamed = parsed((await door.get(f"/jobs/{job_id}/events")).text)

    async with socket(door, f"/jobs/{job_id}/ws") as follower:
        messages, *end = await follower.closed()

    assert messages == [json.loads(event["data"]) for event in streamed]
    assert [message["seq"] for message in messages] == [1, 2, 3, 4]
    assert tuple(end) == ENDED


@pytest.mark.parametrize(("after", "expected"), [(0, [1, 2, 3, 4]), (2, [3, 4]), (4, [])])
async def test_a_socket_goes_on_where_its_reader_stopped(
    door: httpx.AsyncClient, after: int, expected: list[int]
) -> None:
    job_id = await submitted(door)

    async with socket(door, f"/jobs/{job_id}/ws?after={after}") as follower:
        messages, *end = await follower.closed()

    assert [message["seq"] for message in messages] == expected
    assert tuple(end) == ENDED


async def test_a_reader_that_loses_its_connection_after_every_event_sees_each_once(
    door: httpx.AsyncClient, service: FakeService
) -> None:
    service.replies = {"sim/alpha": Failure(type="Timeout", message="late"), "sim/beta": Held()}
    job_id = await submitted(door, models=["sim/alpha", "sim/beta", "sim/gamma"])
    seen: list[int] = []

    for lost in range(20):
        if lost == 5:
            await service.release("sim/beta", "Yes")
        async with socket(door, f"/jobs/{job_id}/ws?after={seen[-1] if seen else 0}") as follower:
            if len(seen) < (await service.get(job_id)).seq:
                seen.append((await follower.received())["seq"])
            follower.hang_up()
            await follower.handler

    assert seen == list(range(1, (await service.get(job_id)).seq + 1))


async def test_a_socket_shows_events_as_they_come(door: httpx.AsyncClient, service: FakeService) -> None:
    service.replies = {"sim/alpha": Held()}
    job_id = await submitted(door)

    async with socket(door, f"/jobs/{job_id}/ws") as follower:
        before = [(await follower.received())["kind"] for _ in range(2)]
        await service.release("sim/alpha", "Yes")
        after, *end = await follower.closed()

    assert before == ["job.accepted", "call.started"]
    assert [message["kind"] for message in after] == ["call.completed", "job.completed"]
    assert tuple(end) == ENDED


async def test_the_client_can_cancel_the_job_and_may_say_so_twice(
    door: httpx.AsyncClient, service: FakeService
) -> None:
    service.replies = {"sim/alpha": Held()}
    job_id = await submitted(door)

    async with socket(door, f"/jobs/{job_id}/ws?after=2") as follower:
        follower.send({"type": "cancel"})
        follower.send({"type": "cancel"})
        messages, *end = await follower.closed()

    assert [message["kind"] for message in messages] == ["job.cancelled"]
    assert tuple(end) == ENDED
    assert (await service.get(job_id)).state is JobState.CANCELLED


async def test_a_cancel_goes_on_without_the_client_that_said_it(door: httpx.AsyncClient, service: FakeService) -> None:
    service.replies = {"sim/alpha": Held()}
    job_id = await submitted(door)

    async with socket(door, f"/jobs/{job_id}/ws") as follower:
        follower.send({"type": "cancel"})
        follower.hang_up()
        await follower.handler

    assert (await service.wait(job_id, 5)).state is JobState.CANCELLED


async def test_hanging_up_does_not_cancel(door: httpx.AsyncClient, service: FakeService) -> None:
    service.replies = {"sim/alpha": Held()}
    job_id = await submitted(door, onDisconnect="cancel")

    async with socket(door, f"/jobs/{job_id}/ws") as follower:
        await follower.received()
        follower.hang_up()
        await follower.handler

    assert (await service.get(job_id)).state is JobState.RUNNING


async def test_a_cancel_that_fails_is_told(door: httpx.AsyncClient, service: FakeService) -> None:
    async def cancel(job_id: str) -> Any:
        raise Unavailable("the store does not answer")

    service.replies = {"sim/alpha": Held()}
    service.cancel = cancel  # type: ignore[method-assign]
    job_id = await submitted(door)

    async with socket(door, f"/jobs/{job_id}/ws?after=2") as follower:
        follower.send({"type": "cancel"})
        messages, *end = await follower.closed()

    assert messages == [{"error": {"type": "Unavailable", "message": "the store does not answer", "details": None}}]
    assert tuple(end) == (4503, "the store does not answer")


async def test_a_bug_is_told_without_its_words(door: httpx.AsyncClient, service: FakeService) -> None:
    def events(job_id: str, after: int = 0) -> Any:
        raise ValueError("secret")

    service.events = events  # type: ignore[method-assign]

    async with socket(door, "/jobs/01JOB/ws") as follower:
        ((message,), code, reason) = await follower.closed()

    assert (code, message["error"]["type"]) == (4500, "InternalError")
    assert message["error"]["details"]["id"] in reason
    assert "secret" not in str(message)


@pytest.mark.parametrize(
    ("path", "code", "said"),
    [
        ("/jobs/01JOB/ws", 4404, "there is no job 01JOB"),
        ("/jobs/%00/ws", 4404, "there is no such job"),
        ("/jobs/01JOB/ws?after=x", 4400, "the query is wrong: after: "),
        ("/jobs/01JOB/ws?befor=1", 4400, "the query is wrong: befor: "),
    ],
)
async def test_what_cannot_be_followed_is_told_and_closed(
    door: httpx.AsyncClient, path: str, code: int, said: str
) -> None:
    async with socket(door, path) as follower:
        ((message,), told, reason) = await follower.closed()

    assert set(message) == {"error"}
    assert told == code
    assert reason.startswith(said)
    assert len(reason.encode()) <= 123


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("cancel", 4400),
        ('{"type": "cancel"', 4400),
        ("[" * 2000, 4400),
        ({"type": "stop"}, 4400),
        ({"type": "cancel", "why": "x"}, 4400),
        (["cancel"], 4400),
        (b'{"type": "cancel"}', 4400),
        ("x" * 5000, 4413),
    ],
)
async def test_a_message_that_is_none_ends_the_connection_and_not_the_job(
    door: httpx.AsyncClient, service: FakeService, said: Any, code: int
) -> None:
    service.replies = {"sim/alpha": Held()}
    job_id = await submitted(door)

    async with socket(door, f"/jobs/{job_id}/ws?after=2") as follower:
        follower.send(said)
        ((message,), told, reason) = await follower.closed()

    assert told == code
    assert reason.startswith(message["error"]["message"])
    assert (await service.get(job_id)).state is JobState.RUNNING


@pytest.mark.parametrize(
    ("origin", "refused"),
    [
        ("http://ditto", False),
        ("https://ditto", False),
        ("http://ditto:81", True),
        ("http://evil", True),
        ("null", True),
    ],
)
async def test_a_page_of_another_origin_may_not_follow_a_job(
    door: httpx.AsyncClient, service: FakeService, origin: str, refused: bool
) -> None:
    job_id = await submitted(door)

    async with socket(door, f"/jobs/{job_id}/ws", origin=origin) as follower:
        messages, code, _ = await follower.closed()

    assert code == (4403 if refused else 1000)
    assert [message.get("seq") for message in messages] == ([None] if refused else [1, 2, 3, 4])


async def test_a_silent_socket_says_that_it_is_alive(opened: Open, service: FakeService) -> None:
    service.replies = {"sim/alpha": Held()}
    async with opened(service, Limits(heartbeat_s=0.001)) as door:
        job_id = await submitted(door)
        async with socket(door, f"/jobs/{job_id}/ws?after=2") as follower:
            messages = [await follower.received() for _ in range(2)]

    assert messages == [{"kind": "heartbeat"}] * 2


async def test_a_reader_that_takes_nothing_is_let_go(opened: Open, service: FakeService) -> None:
    async with opened(service, Limits(stalled_s=0.01)) as door:
        job_id = await submitted(door)
        async with Socket(app_of(door), f"/jobs/{job_id}/ws") as follower:
            follower.stop_reading()
            await asyncio.wait_for(follower.handler, 5)
        for room in range(1, 6):
            async with Exchange(app_of(door), "GET", f"/jobs/{job_id}/events", room=room) as exchange:
                exchange.send(b"")
                await asyncio.wait_for(exchange.handler, 30)


async def test_what_is_no_websocket_is_told_so(door: httpx.AsyncClient) -> None:
    response = await door.get("/jobs/01JOB/ws")

    assert response.status_code == 400
    assert "ws://" in response.json()["error"]["message"]
