"""Chat completions: what is asked of Ditto, and what comes back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from ditto.domain.events import CallCompleted, Event
from ditto.domain.spec import AnswerKind, SettleRule, StrategyName
from ditto.http.limits import Limits
from ditto.http.openai.reply import pieces
from tests.fakes import FakeService
from tests.unit.http.conftest import Open

CHAT = "/v1/chat/completions"
QUESTION = "Is this email urgent?"
USER = {"role": "user", "content": QUESTION}
ASKED = {"model": "trio", "messages": [USER]}
SCHEMA = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]}


class Uncounted(FakeService):
    """Its models' providers count no tokens."""

    async def _append(self, record: Any, event: Event) -> None:
        if isinstance(event, CallCompleted):
            event = replace(event, reply=replace(event.reply, input_tokens=None, output_tokens=None))
        await super()._append(record, event)


def formatted(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "order", "schema": schema, **more}}


async def test_the_merged_answer_is_the_one_choice(door: httpx.AsyncClient, service: FakeService) -> None:
    service.replies = {"sim/alpha": "Yes.", "sim/beta": "Yes, it is.", "sim/gamma": "No."}

    response = await door.post(CHAT, json=ASKED)

    answer = response.json()
    assert response.status_code == 200
    assert answer["object"] == "chat.completion"
    assert answer["model"] == "trio"
    (choice,) = answer["choices"]
    assert choice["message"]["role"] == "assistant"
    assert choice["message"]["content"] in ("Yes.", "Yes, it is.")
    assert choice["finish_reason"] == "stop"
    assert answer["usage"] == {"prompt_tokens": 63, "completion_tokens": 27, "total_tokens": 90}


async def test_the_job_comes_with_the_answer_as_its_own_route_shows_it(door: httpx.AsyncClient) -> None:
    response = await door.post(CHAT, json=ASKED)

    own = response.json()["ditto"]
    assert own == (await door.get(f"/jobs/{own['jobId']}")).json()
    assert response.headers["x-ditto-job-id"] == own["jobId"]
    assert response.json()["id"] == f"chatcmpl-{own['jobId']}"


@pytest.mark.parametrize(
    ("model", "models", "ensemble", "strategy"),
    [
        ("trio", None, "trio", None),
        ("sim/alpha", ["sim/alpha"], None, None),
        ("ditto/consensus:sim/alpha,sim/beta", ["sim/alpha", "sim/beta"], None, StrategyName.CONSENSUS),
        ("ditto/cooperative:sim/beta", ["sim/beta"], None, StrategyName.COOPERATIVE),
        ("ditto/consensus:sim/alpha,sim/alpha", ["sim/alpha", "sim/alpha"], None, StrategyName.CONSENSUS),
    ],
)
async def test_a_model_is_an_ensemble_a_panel_or_one_model(
    door: httpx.AsyncClient,
    service: FakeService,
    model: str,
    models: list[str] | None,
    ensemble: str | None,
    strategy: StrategyName | None,
) -> None:
    response = await door.post(CHAT, json={**ASKED, "model": model})

    (asked,) = service.asked
    assert response.status_code == 200
    assert (asked.models, asked.ensemble, asked.strategy) == (models, ensemble, strategy)


async def test_what_openai_has_words_for_is_passed_on(door: httpx.AsyncClient, service: FakeService) -> None:
    more = {
        "temperature": 0,
        "top_p": 0.5,
        "max_completion_tokens": 100,
        "stop": "END",
        "seed": 7,
        "user": "u-1",
        "metadata": {"mail": "m-1"},
    }

    await door.post(CHAT, json={**ASKED, **more})

    (asked,) = service.asked
    assert (asked.temperature, asked.top_p, asked.max_tokens) == (0, 0.5, 100)
    assert (asked.stop, asked.seed) == (["END"], 7)
    assert asked.metadata == {"mail": "m-1", "user": "u-1"}


async def test_the_older_name_of_the_limit_is_taken_too(door: httpx.AsyncClient, service: FakeService) -> None:
    await door.post(CHAT, json={**ASKED, "max_tokens": 5, "max_completion_tokens": 5, "stop": ["a", "b"]})

    assert (service.asked[0].max_tokens, service.asked[0].stop) == (5, ["a", "b"])


async def test_what_openai_has_no_words_for_is_said_in_ditto(door: httpx.AsyncClient, service: FakeService) -> None:
    own = {
        "settle": "decided",
        "weights": {"sim/alpha": 2},
        "judge": "sim/beta",
        "samples": 1,
        "minResponses": 2,
        "max_retries": 0,
        "answer": "boolean",
        "onDisconnect": "continue",
    }

    response = await door.post(CHAT, json={**ASKED, "ditto": own})

    (asked,) = service.asked
    assert response.status_code == 200
    assert (asked.settle, asked.judge, asked.answer) == (SettleRule.DECIDED, "sim/beta", AnswerKind.BOOLEAN)
    assert (asked.weights, asked.samples, asked.min_responses, asked.max_retries) == ({"sim/alpha": 2.0}, 1, 2, 0)
    assert asked.on_disconnect == "continue"


async def test_a_conversation_is_taken_as_it_is(door: httpx.AsyncClient, service: FakeService) -> None:
    answered = (await door.post(CHAT, json=ASKED)).json()["choices"][0]["message"]
    parts = [{"type": "text", "text": "And"}, {"type": "text", "text": "this one?"}]
    messages = [
        {"role": "developer", "content": "Be brief."},
        USER,
        {**answered, "tool_calls": [], "function_call": None, "audio": None, "annotations": []},
        {"role": "user", "content": parts, "name": None},
    ]

    response = await door.post(CHAT, json={**ASKED, "messages": messages})

    assert response.status_code == 200
    taken = [(message.role, message.content) for message in service.asked[1].messages or []]
    assert taken == [
        ("system", "Be brief."),
        ("user", QUESTION),
        ("assistant", answered["content"]),
        ("user", "And\nthis one?"),
    ]


async def test_a_typed_answer_is_json_in_the_content_and_a_value_in_ditto(
    door: httpx.AsyncClient, service: FakeService
) -> None:
    service.replies = dict.fromkeys(("sim/alpha", "sim/beta", "sim/gamma"), '```json\n{"total": 31.5}\n```')

    response = await door.post(CHAT, json={**ASKED, "response_format": formatted(SCHEMA, strict=True)})

    answer = response.json()
    assert json.loads(answer["choices"][0]["message"]["content"]) == {"total": 31.5}
    assert answer["ditto"]["result"] == {"total": 31.5}
    assert service.asked[0].schema_ == SCHEMA


async def test_the_description_of_a_schema_is_passed_on(door: httpx.AsyncClient, service: FakeService) -> None:
    service.replies = dict.fromkeys(("sim/alpha", "sim/beta", "sim/gamma"), '{"total": 1}')

    await door.post(CHAT, json={**ASKED, "response_format": formatted(SCHEMA, description="An order")})

    assert service.asked[0].schema_ == {"description": "An order", **SCHEMA}


@pytest.mark.parametrize(
    ("form", "schema"), [({"type": "json_object"}, {"type": "object"}), ({"type": "text"}, None), (None, None)]
)
async def test_any_object_and_text_can_be_asked_for(
    door: httpx.AsyncClient, service: FakeService, form: Any, schema: Any
) -> None:
    service.replies = dict.fromkeys(("sim/alpha", "sim/beta", "sim/gamma"), '{"a": [1]}')

    response = await door.post(CHAT, json={**ASKED, "response_format": form})

    assert json.loads(response.json()["choices"][0]["message"]["content"]) == {"a": [1]}
    assert service.asked[0].schema_ == schema


async def test_the_same_key_is_the_same_job_streamed_or_not(door: httpx.AsyncClient, service: FakeService) -> None:
    headers = {"Idempotency-Key": "k"}

    first = await door.post(CHAT, json=ASKED, headers=headers)
    second = await door.post(CHAT, json=ASKED, headers=headers)
    streamed = await door.post(CHAT, json={**ASKED, "stream": True}, headers=headers)

    jobs = [response.headers["x-ditto-job-id"] for response in (first, second, streamed)]
    assert len(set(jobs)) == 1
    assert [asked.on_disconnect for asked in service.asked] == [None, None, None]


async def test_where_nobody_has_counted_there_is_no_usage(opened: Open) -> None:
    async with opened(Uncounted(), Limits()) as door:
        answer = (await door.post(CHAT, json=ASKED)).json()

    assert answer["usage"] is None
    assert answer["ditto"]["usage"]["inputTokens"] is None


def test_a_long_text_goes_out_in_pieces_and_none_is_lost() -> None:
    text = "Привет, 世界! 👩‍🚀 " * 1000

    found = list(pieces(text))

    assert "".join(found) == text
    assert len(found) > 1
    assert list(pieces("")) == []
