"""Replies while they are written, at every door: event stream, WebSocket, and OpenAI's own streams."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from ditto.domain.events import Failure
from ditto.domain.live import CallDelta, CallRetried, VerdictLeading
from ditto.domain.verdict import Intent
from tests.fakes import FakeService, Held
from tests.unit.http.raw import Exchange
from tests.unit.http.test_http_refusals import app_of
from tests.unit.http.test_http_sockets import socket
from tests.unit.http.test_http_streams import parsed, submitted

CHAT = "/v1/chat/completions"
JSON = {"content-type": "application/json"}
USER = {"role": "user", "content": "Is this email urgent?"}
FIRST = {
    "model": "ditto/consensus:sim/alpha,sim/beta",
    "messages": [USER],
    "stream": True,
    "ditto": {"stream": "first"},
}
BROKE_OFF = Failure(type="Unreachable", message="the reply broke off")
LEADING = VerdictLeading(
    replies=1,
    intent=Intent.ANSWER,
    answer="yes",
    confidence=0.7,
    agreement=1.0,
    supporting_models=("sim/beta",),
    chosen_model="sim/beta",
)


def said(text: str, start: int = 0, call: str = "sim/alpha") -> CallDelta:
    return CallDelta(call=call, round=1, start=start, text=text)


def retried(call: str = "sim/alpha") -> CallRetried:
    return CallRetried(call=call, round=1, attempt=2, failure=BROKE_OFF)


@pytest.fixture
def held(service: FakeService) -> FakeService:
    service.replies = {"sim/alpha": Held(), "sim/beta": Held()}
    return service


async def test_what_is_not_journalled_is_streamed_without_an_id(door: httpx.AsyncClient, held: FakeService) -> None:
    job_id = await submitted(door)
    async with Exchange(app_of(door), "GET", f"/jobs/{job_id}/events") as exchange:
        await exchange.status()
        for _ in range(2):
            await exchange.received()
        for event in (retried(), said("Ye"), LEADING):
            await held.tell(job_id, event)
        found = [parsed((await exchange.received())["body"].decode())[0] for _ in range(3)]
        exchange.hang_up()

    assert [set(event) for event in found] == [{"event", "data"}] * 3
    shown = [json.loads(event["data"]) for event in found]
    assert all("seq" not in event for event in shown)
    assert shown[0] | {"at": ""} == {
        "jobId": job_id,
        "at": "",
        "kind": "call.retried",
        "call": "sim/alpha",
        "round": 1,
        "attempt": 2,
        "failure": {"type": "Unreachable", "message": "the reply broke off", "attempts": 1, "elapsed": 0.0},
    }
    assert (shown[1]["kind"], shown[1]["start"], shown[1]["text"]) == ("call.delta", 0, "Ye")
    assert (shown[2]["supportingModels"], shown[2]["chosenModel"]) == (["sim/beta"], "sim/beta")


async def test_a_socket_tells_what_is_written(door: httpx.AsyncClient, held: FakeService) -> None:
    job_id = await submitted(door)
    async with socket(door, f"/jobs/{job_id}/ws") as follower:
        for _ in range(2):
            await follower.received()
        await held.tell(job_id, said("Ye"))
        message = await follower.received()

    assert (message["kind"], message["text"]) == ("call.delta", "Ye")


async def test_only_jobs_that_somebody_may_read_along_are_streamed(
    door: httpx.AsyncClient, service: FakeService
) -> None:
    one = {"prompt": "Urgent?", "models": ["sim/alpha"]}

    await door.post("/jobs", json=one)
    await door.post("/llm", json=one)
    await door.post(CHAT, json=FIRST)
    await door.post(CHAT, json={**FIRST, "ditto": {"stream": "decided"}})

    assert service.followed == [True, False, True, False]


async def begun(exchange: Exchange, service: FakeService, body: dict[str, Any] = FIRST) -> str:
    """Returns the id of the job whose answer is streamed, once somebody follows it."""
    exchange.send(json.dumps(body).encode())
    await service.asked_times(1)
    (job_id,) = service._records
    await service.followed_by(job_id)
    return job_id


def texts(message: Any) -> str:
    chunk = json.loads(message["body"].decode().removeprefix("data: "))
    content: str = chunk["choices"][0]["delta"].get("content", "")
    return content


async def test_the_reply_that_begins_first_is_streamed_word_by_word(door: httpx.AsyncClient, held: FakeService) -> None:
    async with Exchange(app_of(door), "POST", CHAT, JSON) as exchange:
        job_id = await begun(exchange, held)
        for event in (said("Ye", call="sim/beta"), said("No"), said("s, it", 2, "sim/beta")):
            await held.tell(job_id, event)
        assert await exchange.status() == 200
        early = [texts(await exchange.received()) for _ in range(3)]
        await held.release("sim/beta", "Yes, it is.")
        rest = texts(await exchange.received())
        await held.release("sim/alpha", "No.")
        last = json.loads((await exchange.received())["body"].decode().removeprefix("data: "))

    assert (early, rest) == (["", "Ye", "s, it"], " is.")
    assert last["ditto"]["streamed"] == {"model": "sim/beta", "agreed": False}


async def test_a_further_try_that_says_the_same_goes_on(door: httpx.AsyncClient, held: FakeService) -> None:
    async with Exchange(app_of(door), "POST", CHAT, JSON) as exchange:
        job_id = await begun(exchange, held)
        for event in (said("Yes, it"), retried(), said("Ye"), said("s, it is.", 2)):
            await held.tell(job_id, event)
        await exchange.status()
        found = [texts(await exchange.received()) for _ in range(3)]

    assert found == ["", "Yes, it", " is."]


@pytest.mark.parametrize("reply", ["No.", "Yes", BROKE_OFF])
async def test_a_reply_that_does_not_go_on_as_it_was_shown_ends_the_stream_and_not_the_job(
    door: httpx.AsyncClient, held: FakeService, reply: str | Failure
) -> None:
    async with Exchange(app_of(door), "POST", CHAT, JSON) as exchange:
        job_id = await begun(exchange, held)
        await held.tell(job_id, said("Yes, it"))
        await exchange.status()
        for _ in range(2):
            await exchange.received()
        await held.release("sim/alpha", reply)
        end = (await exchange.received())["body"]
        await held.release("sim/beta", "Yes.")

    assert b"did not go on" in end
    assert job_id.encode() in end
    assert (await held.get(job_id)).state == "complete"


async def test_with_a_schema_nothing_is_shown_before_it_is_known_to_satisfy_it(
    door: httpx.AsyncClient, held: FakeService
) -> None:
    schema = {"type": "object", "properties": {"urgent": {"type": "boolean"}}, "required": ["urgent"]}
    form = {"type": "json_schema", "json_schema": {"name": "mail", "schema": schema}}
    async with Exchange(app_of(door), "POST", CHAT, JSON) as exchange:
        job_id = await begun(exchange, held, {**FIRST, "response_format": form})
        await held.tell(job_id, said('{"urg'))
        await held.release("sim/beta", '{"urgent": true}')
        await exchange.status()
        found = [texts(await exchange.received()) for _ in range(2)]

    assert found == ["", '{"urgent": true}']


async def test_a_response_is_streamed_word_by_word_too(door: httpx.AsyncClient, held: FakeService) -> None:
    body = {"model": "ditto/consensus:sim/alpha,sim/beta", "input": "Urgent?", "stream": True, "ditto": FIRST["ditto"]}
    async with Exchange(app_of(door), "POST", "/v1/responses", JSON) as exchange:
        job_id = await begun(exchange, held, body)
        await held.tell(job_id, said("Ye"))
        await exchange.status()
        early = [parsed((await exchange.received())["body"].decode())[0]["event"] for _ in range(5)]
        await held.release("sim/alpha", "Yes.")
        await held.release("sim/beta", "Yes.")
        rest = [parsed((await exchange.received())["body"].decode())[0] for _ in range(5)]

    assert early[-1] == "response.output_text.delta"
    assert [event["event"].removeprefix("response.") for event in rest] == [
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert json.loads(rest[0]["data"])["delta"] == "s."
    assert json.loads(rest[1]["data"])["text"] == "Yes."
