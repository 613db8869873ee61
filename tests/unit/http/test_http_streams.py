"""Event streams, and what a hang-up does."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from ditto.domain.events import Failure
from ditto.domain.job import JobState
from ditto.http.limits import Limits
from tests.fakes import FakeService, Held
from tests.unit.http.conftest import Open
from tests.unit.http.raw import Exchange
from tests.unit.http.test_http_refusals import app_of, running_job

ONE = {"prompt": "Is this email urgent?", "models": ["sim/alpha"]}
DEAD = Failure(type="Timeout", message="no answer in 300000 ms")
JSON = {"content-type": "application/json"}


def parsed(text: str) -> list[dict[str, str]]:
    blocks = [block for block in text.split("\n\n") if block and not block.startswith(":")]
    return [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]


async def submitted(door: httpx.AsyncClient, **more: Any) -> str:
    job_id: str = (await door.post("/jobs", json={**ONE, **more})).json()["jobId"]
    return job_id


async def test_a_jobs_journal_is_streamed_event_by_event(door: httpx.AsyncClient) -> None:
    job_id = await submitted(door, metadata={"mail_id": 7})

    response = await door.get(f"/jobs/{job_id}/events")

    events = parsed(response.text)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert "content-length" not in response.headers
    assert [event["id"] for event in events] == ["1", "2", "3", "4"]
    assert [event["event"] for event in events] == ["job.accepted", "call.started", "call.completed", "job.completed"]
    first, third = json.loads(events[0]["data"]), json.loads(events[2]["data"])
    assert (first["jobId"], first["seq"], first["at"]) == (job_id, 1, "2025-07-01T09:30:00.000Z")
    assert first["spec"]["metadata"] == {"mail_id": 7}
    assert first["spec"]["minResponses"] == 1
    assert first["spec"]["timeout"] == 300000
    assert third["reply"]["elapsed"] == 10
    assert third["reply"]["inputTokens"] == 21


@pytest.mark.parametrize(
    ("query", "headers", "expected"),
    [
        ("", {}, ["1", "2", "3", "4"]),
        ("?after=2", {}, ["3", "4"]),
        ("", {"Last-Event-ID": "3"}, ["4"]),
        ("?after=1", {"Last-Event-ID": "3"}, ["4"]),
    ],
)
async def test_a_stream_goes_on_where_its_reader_stopped(
    door: httpx.AsyncClient, query: str, headers: dict[str, str], expected: list[str]
) -> None:
    job_id = await submitted(door)

    response = await door.get(f"/jobs/{job_id}/events{query}", headers=headers)

    assert [event["id"] for event in parsed(response.text)] == expected


async def test_a_reader_that_has_all_of_an_ended_job_is_told_not_to_come_back(door: httpx.AsyncClient) -> None:
    job_id = await submitted(door)

    response = await door.get(f"/jobs/{job_id}/events?after=4")

    assert (response.status_code, response.content) == (204, b"")


async def test_a_reader_that_had_all_gets_what_a_retry_brings(door: httpx.AsyncClient, service: FakeService) -> None:
    service.replies = {"sim/alpha": DEAD}
    job_id = await submitted(door)
    seen = parsed((await door.get(f"/jobs/{job_id}/events")).text)
    service.replies = {"sim/alpha": "Yes"}

    await door.post(f"/jobs/{job_id}/retry")
    response = await door.get(f"/jobs/{job_id}/events", headers={"Last-Event-ID": seen[-1]["id"]})
    whole = await door.get(f"/jobs/{job_id}/events")
    nothing = await door.get(f"/jobs/{job_id}/events?after=8")

    later = parsed(response.text)
    assert [event["event"] for event in seen[-2:]] == ["call.failed", "job.failed"]
    assert [event["id"] for event in later] == ["5", "6", "7", "8"]
    assert [event["event"] for event in later] == ["job.retried", "call.started", "call.completed", "job.completed"]
    assert parsed(whole.text) == [*seen, *later]
    assert nothing.status_code == 204


@pytest.mark.parametrize("seen", ["x", "-1", "1.5", "²", "9" * 30])
async def test_a_last_event_id_that_is_none_is_refused(door: httpx.AsyncClient, seen: str) -> None:
    job_id = await submitted(door)

    response = await door.get(f"/jobs/{job_id}/events", headers={b"Last-Event-ID": seen.encode()})

    assert response.status_code == 400


async def test_a_silent_stream_says_that_it_is_alive_and_ends_when_its_reader_goes(
    opened: Open, service: FakeService
) -> None:
    service.replies = {"sim/alpha": Held()}
    async with opened(service, Limits(heartbeat_s=0.001)) as door:
        job_id = await submitted(door)
        async with Exchange(app_of(door), "GET", f"/jobs/{job_id}/events") as exchange:
            exchange.send(b"")
            assert await exchange.status() == 200
            chunks = [(await exchange.received())["body"] for _ in range(3)]
            exchange.hang_up()
            await exchange.handler

    assert [chunk.split(b"\n")[0] for chunk in chunks] == [b"event: job.accepted", b"event: call.started", b": ping"]


async def test_a_stream_shows_events_as_they_come(door: httpx.AsyncClient, service: FakeService) -> None:
    service.replies = {"sim/alpha": Held()}
    job_id = await submitted(door)
    async with Exchange(app_of(door), "GET", f"/jobs/{job_id}/events") as exchange:
        exchange.send(b"")
        await exchange.status()
        before = [(await exchange.received())["body"] for _ in range(2)]
        await service.release("sim/alpha", "Yes")
        after = [(await exchange.received())["body"] for _ in range(2)]
        end = await exchange.received()

    assert b"call.started" in before[1]
    assert [b"call.completed" in after[0], b"job.completed" in after[1]] == [True, True]
    assert end == {"type": "http.response.body", "body": b"", "more_body": False}


@pytest.mark.parametrize("how", ["told", "cancelled"])
@pytest.mark.parametrize(("on_disconnect", "state"), [("continue", JobState.RUNNING), ("cancel", JobState.CANCELLED)])
async def test_a_hang_up_ends_the_job_only_if_the_request_says_so(
    door: httpx.AsyncClient, service: FakeService, how: str, on_disconnect: str, state: JobState
) -> None:
    service.replies = {"sim/alpha": Held()}
    async with Exchange(app_of(door), "POST", "/llm", JSON) as exchange:
        exchange.send(json.dumps({**ONE, "onDisconnect": on_disconnect}).encode())
        job_id = await running_job(door)
        if how == "told":
            exchange.hang_up()
        else:
            exchange.handler.cancel()
        if how == "cancelled" or on_disconnect == "cancel":
            await asyncio.wait({exchange.handler})
        if on_disconnect == "cancel":
            await service.wait(job_id)

    assert (await service.get(job_id)).state is state


async def test_who_hung_up_on_a_job_that_goes_on_is_not_answered_at_its_end(opened: Open, service: FakeService) -> None:
    service.replies = {"sim/alpha": Held()}
    async with (
        opened(service, Limits(listens_after_s=0.001)) as door,
        Exchange(app_of(door), "POST", "/llm", JSON) as exchange,
    ):
        exchange.send(json.dumps(ONE).encode())
        job_id = await running_job(door)
        exchange.hang_up()
        await exchange.handler
        await service.release("sim/alpha", "Yes")
        done = await service.wait(job_id)

    assert done.state is JobState.COMPLETE


async def test_who_waits_long_for_a_job_that_goes_on_is_answered_at_its_end(opened: Open, service: FakeService) -> None:
    service.replies = {"sim/alpha": Held()}
    async with (
        opened(service, Limits(listens_after_s=0.001)) as door,
        Exchange(app_of(door), "POST", "/llm", JSON) as exchange,
    ):
        exchange.send(json.dumps(ONE).encode())
        await running_job(door)
        await asyncio.wait({exchange.handler}, timeout=0.01)
        await service.release("sim/alpha", "Yes")
        status = await exchange.status()

    assert status == 200


async def test_a_hang_up_does_not_cancel_a_job_that_somebody_else_began(
    door: httpx.AsyncClient, service: FakeService
) -> None:
    service.replies = {"sim/alpha": Held()}
    job_id = await submitted(door, idempotencyKey="k", onDisconnect="cancel")
    async with Exchange(app_of(door), "POST", "/llm", JSON) as exchange:
        exchange.send(json.dumps({**ONE, "onDisconnect": "cancel", "idempotencyKey": "k"}).encode())
        await service.asked_times(2)
        exchange.hang_up()
        await exchange.handler

    assert (await service.get(job_id)).state is JobState.RUNNING


async def test_a_client_that_goes_in_the_middle_of_its_body_begins_nothing(
    door: httpx.AsyncClient, service: FakeService
) -> None:
    async with Exchange(app_of(door), "POST", "/llm", JSON) as exchange:
        exchange.send(b'{"prompt": ', more=True)
        exchange.hang_up()
        await exchange.handler

    assert service.asked == []
