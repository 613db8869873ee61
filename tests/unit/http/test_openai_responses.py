"""OpenAI's responses: the same panels under the newer contract, for text."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx

from ditto.domain.events import CallCompleted, Event
from ditto.http.limits import Limits
from tests.fakes import FakeService
from tests.unit.http.conftest import Open
from tests.unit.http.test_openai_chat import QUESTION, SCHEMA

ROUTE = "/v1/responses"
ASKED = {"model": "sim/alpha", "input": QUESTION}
MESSAGES = [{"role": "user", "content": QUESTION}]


class CutOff(FakeService):
    """Its models reach their length limit."""

    async def _append(self, record: Any, event: Event) -> None:
        if isinstance(event, CallCompleted):
            event = replace(event, reply=replace(event.reply, finish="length"))
        await super()._append(record, event)


def events(text: str) -> list[dict[str, Any]]:
    found = []
    for block in text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        data = json.loads(lines["data"])
        assert lines["event"] == data["type"]
        found.append(data)
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    return found


async def test_the_merged_answer_is_the_one_message(door: httpx.AsyncClient, service: FakeService) -> None:
    service.replies = {"sim/alpha": "Yes."}

    response = await door.post(ROUTE, json={**ASKED, "metadata": {"mail": "m-1"}, "user": "u-1"})

    answer = response.json()
    (item,) = answer["output"]
    assert (answer["object"], answer["status"], answer["error"]) == ("response", "completed", None)
    assert item["content"] == [{"type": "output_text", "text": "Yes.", "annotations": [], "logprobs": []}]
    assert (answer["usage"]["input_tokens"], answer["usage"]["total_tokens"]) == (21, 30)
    assert (answer["metadata"], answer["user"], answer["store"]) == ({"mail": "m-1"}, "u-1", False)
    assert answer["ditto"] == (await door.get(f"/jobs/{response.headers['x-ditto-job-id']}")).json()


async def test_instructions_and_a_conversation_are_taken(door: httpx.AsyncClient, service: FakeService) -> None:
    before = (await door.post(ROUTE, json=ASKED)).json()["output"]
    items = [
        {"role": "developer", "content": "In English."},
        {"role": "user", "content": QUESTION},
        *before,
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "And this one?"}]},
    ]

    response = await door.post(ROUTE, json={**ASKED, "input": items, "instructions": "Be brief."})

    taken = [(message.role, message.content) for message in service.asked[1].messages or []]
    assert response.status_code == 200
    assert taken == [
        ("system", "Be brief."),
        ("system", "In English."),
        ("user", QUESTION),
        ("assistant", before[0]["content"][0]["text"]),
        ("user", "And this one?"),
    ]
    assert response.json()["instructions"] == "Be brief."


async def test_what_the_contract_has_words_for_is_passed_on(door: httpx.AsyncClient, service: FakeService) -> None:
    more = {"temperature": 0.2, "top_p": 0.9, "max_output_tokens": 50, "ditto": {"samples": 1, "maxRetries": 0}}

    await door.post(ROUTE, json={**ASKED, **more})

    (asked,) = service.asked
    assert (asked.temperature, asked.top_p, asked.max_tokens) == (0.2, 0.9, 50)
    assert (asked.samples, asked.max_retries, asked.on_disconnect) == (1, 0, "cancel")


async def test_a_typed_answer_is_json_in_the_text(door: httpx.AsyncClient, service: FakeService) -> None:
    service.replies = {"sim/alpha": 'Here: {"total": 31.5}'}
    form = {"type": "json_schema", "name": "order", "schema": SCHEMA, "strict": True}

    answer = (await door.post(ROUTE, json={**ASKED, "text": {"format": form}})).json()

    assert json.loads(answer["output"][0]["content"][0]["text"]) == {"total": 31.5}
    assert answer["text"]["format"] == form
    assert service.asked[0].schema_ == SCHEMA


async def test_a_response_is_streamed_event_by_event(door: httpx.AsyncClient, service: FakeService) -> None:
    service.replies = {"sim/alpha": "Yes."}

    response = await door.post(ROUTE, json={**ASKED, "stream": True})

    found = events(response.text)
    assert [event["type"] for event in found] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert found[0]["response"]["status"] == "in_progress"
    assert found[4]["delta"] == found[5]["text"] == "Yes."
    whole = found[-1]["response"]
    assert whole["output"] == [found[-2]["item"]]
    assert whole["ditto"] == (await door.get(f"/jobs/{response.headers['x-ditto-job-id']}")).json()


async def test_an_answer_that_was_cut_off_is_incomplete(opened: Open) -> None:
    async with opened(CutOff(), Limits()) as door:
        whole = (await door.post(ROUTE, json=ASKED)).json()
        streamed = events((await door.post(ROUTE, json={**ASKED, "stream": True})).text)
        chat = (await door.post("/v1/chat/completions", json={"model": "sim/alpha", "messages": MESSAGES})).json()

    assert (whole["status"], whole["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert whole["output"][0]["status"] == "incomplete"
    assert streamed[-1]["type"] == "response.incomplete"
    assert chat["choices"][0]["finish_reason"] == "length"
