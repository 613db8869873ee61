"""OpenAI's streams: what comes when, what keeps them alive, and what a hang-up does."""

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

CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"
USER = {"role": "user", "content": "Is this email urgent?"}
ONE = {"model": "sim/alpha", "messages": [USER]}
TWO = {"model": "ditto/consensus:sim/alpha,sim/beta", "messages": [USER], "stream": True}
FIRST = {**TWO, "ditto": {"stream": "first"}}
DEAD = Failure(type="Timeout", message="no answer in 300000 ms")
JSON = {"content-type": "application/json"}
SCHEMA = {"type": "object", "properties": {"urgent": {"type": "boolean"}}, "required": ["urgent"]}
FORM = {"type": "json_schema", "json_schema": {"name": "mail", "schema": SCHEMA}}

SEA = (
    "The sea was calm that morning, and the boats lay still. Nobody spoke for a while. Then the wind came up from the "
    "south, and the first sails were set before the sun had reached the roofs of the town."
)
BREAD = (
    "Bakers rise long before dawn. They light the ovens, weigh the flour and wait for the dough, which takes its own "
    "time. When the street wakes, the loaves are already on the shelf and the bakers are tired."
)


def chunks(text: str) -> list[dict[str, Any]]:
    data = [block.partition("data: ")[2] for block in text.split("\n\n") if "data: " in block]
    assert data[-1] == "[DONE]"
    return [json.loads(each) for each in data[:-1]]


def content(found: list[dict[str, Any]]) -> str:
    return "".join(choice["delta"].get("content", "") for chunk in found for choice in chunk["choices"])


async def test_a_consensus_is_streamed_once_it_is_decided(door: httpx.AsyncClient, service: FakeService) -> None:
    service.replies = {"sim/alpha": "Yes."}

    response = await door.post(CHAT, json={**ONE, "stream": True})

    found = chunks(response.text)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert "content-length" not in response.headers
    assert found[0]["choices"][0]["delta"]["role"] == "assistant"
    assert content(found) == "Yes."
    assert {chunk["object"] for chunk in found} == {"chat.completion.chunk"}
    assert [chunk["choices"][0]["finish_reason"] for chunk in found] == [None, None, "stop"]
    assert all("usage" not in chunk for chunk in found)
    assert found[-1]["ditto"] == (await door.get(f"/jobs/{response.headers['x-ditto-job-id']}")).json()
    assert all("ditto" not in chunk for chunk in found[:-1])


async def test_the_tokens_come_in_a_last_chunk_when_they_are_asked_for(door: httpx.AsyncClient) -> None:
    response = await door.post(CHAT, json={**ONE, "stream": True, "stream_options": {"include_usage": True}})

    found = chunks(response.text)
    assert found[-1]["choices"] == []
    assert found[-1]["usage"] == {"prompt_tokens": 21, "completion_tokens": 9, "total_tokens": 30}
    assert [chunk["usage"] for chunk in found[:-1]] == [None, None, None]
    assert found[-2]["ditto"]["state"] == "complete"


@pytest.mark.parametrize(
    ("route", "body"), [(CHAT, ONE), (RESPONSES, {"model": "sim/alpha", "input": "Is this email urgent?"})]
)
async def test_a_stream_that_waits_says_that_it_is_alive_and_then_what_went_wrong(
    opened: Open, service: FakeService, route: str, body: dict[str, Any]
) -> None:
    service.replies = {"sim/alpha": Held()}
    async with (
        opened(service, Limits(waiting_s=0.001)) as door,
        Exchange(app_of(door), "POST", route, JSON) as exchange,
    ):
        exchange.send(json.dumps({**body, "stream": True}).encode())
        start = await exchange.received()
        alive = [(await exchange.received())["body"] for _ in range(2)]
        await service.release("sim/alpha", DEAD)
        rest = b""
        while (message := await exchange.received())["more_body"]:
            rest += message["body"]

    headers = dict(start["headers"])
    assert start["status"] == 200
    assert headers[b"x-ditto-job-id"].startswith(b"01JOB")
    assert alive == [b": ping\n\n"] * 2
    assert b"0 of 1" in rest
    assert (b'"error":{"message"' if route == CHAT else b"event: response.failed") in rest
    assert b"[DONE]" not in rest


async def test_the_first_reply_is_streamed_before_the_others_have_answered(
    door: httpx.AsyncClient, service: FakeService
) -> None:
    service.replies = {"sim/alpha": Held(), "sim/beta": "No."}
    async with Exchange(app_of(door), "POST", CHAT, JSON) as exchange:
        exchange.send(json.dumps(FIRST).encode())
        assert await exchange.status() == 200
        early = [(await exchange.received())["body"] for _ in range(2)]
        await service.release("sim/alpha", "Yes.")
        last = json.loads((await exchange.received())["body"].decode().removeprefix("data: "))

    assert b'"role":"assistant"' in early[0]
    assert b'"content":"No."' in early[1]
    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["ditto"]["streamed"] == {"model": "sim/beta", "agreed": False}
    assert last["ditto"]["result"] == "Yes."


@pytest.mark.parametrize(
    ("alpha", "beta", "more", "agreed"),
    [
        ("Yes.", "Yes, it is.", {}, True),
        ("No.", "Yes, it is.", {"ditto": {"stream": "first", "judge": "sim/judge"}}, False),
        (SEA, BREAD, {"messages": [{"role": "user", "content": "Write a line about the sea."}]}, None),
        ('```json\n{"urgent": true}\n```', '{"urgent": true}', {"response_format": FORM}, True),
    ],
)
async def test_the_end_says_whether_the_panel_agreed(
    door: httpx.AsyncClient, service: FakeService, alpha: str, beta: str, more: dict[str, Any], agreed: bool | None
) -> None:
    service.replies = {"sim/alpha": alpha, "sim/beta": beta}

    response = await door.post(CHAT, json={**FIRST, **more})

    found = chunks(response.text)
    assert content(found) == ('{"urgent": true}' if "response_format" in more else alpha)
    assert found[-1]["ditto"]["streamed"] == {"model": "sim/alpha", "agreed": agreed}


async def test_a_first_reply_that_cannot_be_used_is_not_shown(door: httpx.AsyncClient, service: FakeService) -> None:
    service.replies = {"sim/alpha": DEAD, "sim/beta": "Yes."}

    response = await door.post(CHAT, json=FIRST)

    assert content(chunks(response.text)) == "Yes."
    assert chunks(response.text)[-1]["ditto"]["streamed"]["model"] == "sim/beta"


async def test_a_panel_without_any_reply_fails_with_its_own_status(
    door: httpx.AsyncClient, service: FakeService
) -> None:
    service.replies = {"sim/alpha": DEAD, "sim/beta": DEAD}

    response = await door.post(CHAT, json=FIRST)

    assert response.status_code == 502
    assert response.headers["x-should-retry"] == "false"


async def test_a_panel_that_fails_after_its_first_reply_says_so(door: httpx.AsyncClient, service: FakeService) -> None:
    service.replies = {"sim/alpha": "Yes.", "sim/beta": DEAD}

    response = await door.post(CHAT, json={**FIRST, "ditto": {"stream": "first", "minResponses": 2}})

    assert response.status_code == 200
    assert '"content":"Yes."' in response.text
    assert '"code":"job_error"' in response.text
    assert "[DONE]" not in response.text


@pytest.mark.parametrize("how", ["told", "cancelled"])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("headers", "own", "state"),
    [
        ({}, None, JobState.CANCELLED),
        ({}, {"onDisconnect": "continue"}, JobState.RUNNING),
        ({"Idempotency-Key": "k"}, None, JobState.RUNNING),
        ({"Idempotency-Key": "k"}, {"onDisconnect": "cancel"}, JobState.CANCELLED),
    ],
)
async def test_a_hang_up_cancels_the_job_unless_it_has_a_key(
    opened: Open,
    service: FakeService,
    headers: dict[str, str],
    own: dict[str, Any] | None,
    state: JobState,
    stream: bool,
    how: str,
) -> None:
    service.replies = {"sim/alpha": Held()}
    async with opened(service, Limits(waiting_s=0.001)) as door:
        async with Exchange(app_of(door), "POST", CHAT, {**JSON, **headers}) as exchange:
            exchange.send(json.dumps({**ONE, "stream": stream, "ditto": own}).encode())
            job_id = await running_job(door)
            if stream:
                await exchange.status()
            if how == "told":
                exchange.hang_up()
            else:
                exchange.handler.cancel()
            if stream or how == "cancelled" or state is JobState.CANCELLED:
                await asyncio.wait({exchange.handler})
            if state is JobState.CANCELLED:
                await service.wait(job_id)

        assert (await service.get(job_id)).state is state


async def test_a_reader_that_takes_nothing_is_let_go_as_one_that_has_hung_up(
    opened: Open, service: FakeService
) -> None:
    service.replies = {"sim/alpha": Held()}
    async with opened(service, Limits(waiting_s=0.001, stalled_s=0.01)) as door:
        async with Exchange(app_of(door), "POST", CHAT, JSON, room=1) as exchange:
            exchange.send(json.dumps({**ONE, "stream": True}).encode())
            job_id = await running_job(door)
            await asyncio.wait_for(exchange.handler, 30)
        ended = await service.wait(job_id)

    assert ended.state is JobState.CANCELLED


@pytest.mark.parametrize("room", range(1, 6))
async def test_a_reader_that_stops_anywhere_in_an_answer_is_let_go(
    opened: Open, service: FakeService, room: int
) -> None:
    async with (
        opened(service, Limits(stalled_s=0.01)) as door,
        Exchange(app_of(door), "POST", CHAT, JSON, room=room) as exchange,
    ):
        exchange.send(json.dumps({**ONE, "stream": True}).encode())
        await asyncio.wait_for(exchange.handler, 30)


async def test_a_hang_up_after_the_first_reply_cancels_the_rest(door: httpx.AsyncClient, service: FakeService) -> None:
    service.replies = {"sim/alpha": "Yes.", "sim/beta": Held()}
    async with Exchange(app_of(door), "POST", CHAT, JSON) as exchange:
        exchange.send(json.dumps(FIRST).encode())
        await exchange.status()
        job_id = await running_job(door)
        exchange.hang_up()
        await asyncio.wait({exchange.handler})
        ended = await service.wait(job_id)

    assert ended.state is JobState.CANCELLED
