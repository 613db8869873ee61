"""OpenAI's own Python client, unchanged, against the running service."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import httpx
import openai
import pytest
from pydantic import BaseModel

from tests.acceptance.conftest import Serving
from tests.acceptance.test_settle_and_judge import ended_as

FIVE = ["sim/terse", "sim/wordy", "sim/careful", "sim/friendly", "sim/contrary"]
PRODUCT: Any = [{"role": "user", "content": "What is 17 * 23?"}]
WAIT_S = 20


class Order(BaseModel):
    order_number: str
    currency: Literal["EUR", "USD"]
    total: float


ORDER: Any = [
    {"role": "developer", "content": "You read orders."},
    {"role": "user", "content": "Read this order. Order PO-2291 of 3 March 2026, currency EUR. Total: 31.00"},
]


@pytest.fixture
def client(serving: Serving) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{serving.url}/v1", api_key="none", timeout=60) as client:
        yield client


def until(happened: Callable[[], bool]) -> bool:
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        if happened():
            return True
        time.sleep(0.05)
    return False


def test_a_question_is_answered_by_the_panel(client: openai.OpenAI, serving: Serving) -> None:
    answer = client.chat.completions.create(model="default", messages=PRODUCT)

    assert "391" in answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0
    assert answer.ditto["structured"]["supportingModels"] == FIVE[:4]
    assert answer.ditto == httpx.get(f"{serving.url}/jobs/{answer.ditto['jobId']}").json()


def test_a_panel_can_be_named_on_the_spot(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="ditto/cooperative:sim/terse,sim/careful",
        messages=PRODUCT,
        temperature=0,
        max_completion_tokens=200,
        seed=3,
        stop=["THE END"],
        user="u-1",
        metadata={"test": "named on the spot"},
        n=1,
        store=False,
        logprobs=False,
        tools=[],
    )

    answer = raw.parse()
    assert "391" in answer.choices[0].message.content
    assert list(answer.ditto["responses"]) == ["sim/terse", "sim/careful"]
    assert answer.ditto["metadata"] == {"test": "named on the spot", "user": "u-1"}
    assert raw.headers["x-ditto-job-id"] == answer.ditto["jobId"]


def test_a_consensus_is_streamed(client: openai.OpenAI) -> None:
    options = {"include_usage": True}
    with client.chat.completions.create(
        model="default", messages=PRODUCT, stream=True, stream_options=options
    ) as stream:
        chunks = list(stream)

    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert "391" in text
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-2].ditto["result"] == text
    assert chunks[-1].usage.total_tokens > 0


def test_the_helper_for_streams_gathers_the_answer(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model="default", messages=PRODUCT) as stream:
        kinds = {event.type for event in stream}
        whole = stream.get_final_completion()

    assert "content.delta" in kinds
    assert "391" in whole.choices[0].message.content


def test_a_typed_answer_is_parsed(client: openai.OpenAI) -> None:
    answer = client.chat.completions.parse(model="default", messages=ORDER, response_format=Order)

    assert answer.choices[0].message.parsed == Order(order_number="PO-2291", currency="EUR", total=31.0)
    assert answer.ditto["structured"]["fields"]["/currency"]["dissent"][0]["models"] == ["sim/contrary"]


def test_a_typed_answer_is_parsed_from_a_stream(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model="default", messages=ORDER, response_format=Order) as stream:
        whole = stream.get_final_completion()

    assert whole.choices[0].message.parsed == Order(order_number="PO-2291", currency="EUR", total=31.0)


def test_the_first_reply_comes_before_the_panel_has_decided(client: openai.OpenAI) -> None:
    slow = "sim/careful+slow=5s"
    began = time.monotonic()
    with client.chat.completions.create(
        model=f"ditto/consensus:sim/terse,{slow}",
        messages=PRODUCT,
        stream=True,
        extra_body={"ditto": {"stream": "first"}},
    ) as stream:
        times, chunks = [], []
        for chunk in stream:
            times.append(time.monotonic() - began)
            chunks.append(chunk)

    assert chunks[1].choices[0].delta.content == "391"
    assert times[1] < 5 <= times[-1]
    assert chunks[-1].ditto["streamed"] == {"model": "sim/terse", "agreed": True}


def test_what_ditto_can_besides_is_asked_for_in_extra_body(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="ditto/consensus:sim/contrary,sim/terse",
        messages=PRODUCT,
        extra_body={"ditto": {"weights": {"sim/terse": 3}, "minResponses": 2, "answer": "number"}},
    )

    assert answer.ditto["structured"]["answer"] == 391


def test_a_model_that_is_none_and_a_field_that_is_not_supported_have_their_own_errors(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as none:
        client.chat.completions.create(model="gpt-x", messages=PRODUCT)
    with pytest.raises(openai.BadRequestError) as tools:
        client.chat.completions.create(
            model="default", messages=PRODUCT, tools=[{"type": "function", "function": {"name": "f"}}]
        )

    assert (none.value.code, none.value.param) == ("model_not_found", "model")
    assert tools.value.param == "tools"
    assert "not supported" in str(tools.value)


@pytest.mark.parametrize("stream", [False, True])
def test_a_settled_failure_is_not_paid_twice(client: openai.OpenAI, serving: Serving, stream: bool) -> None:
    model = f"hasty+fail=40{int(stream)}"
    before = ended_as(serving.sim, model, "failed")

    with pytest.raises(openai.InternalServerError) as failed:
        client.with_options(max_retries=3).chat.completions.create(
            model=f"sim/{model}", messages=PRODUCT, stream=stream
        )

    assert failed.value.status_code == 502
    assert failed.value.body["ditto"]["details"][f"sim/{model}"]["attempts"] == 1
    assert ended_as(serving.sim, model, "failed") == before + 1


def test_one_key_is_one_job(client: openai.OpenAI, serving: Serving) -> None:
    def ask(**more: Any) -> Any:
        key = {"Idempotency-Key": "openai-client-1"}
        return client.chat.completions.create(
            model="sim/thinker+slow=50ms", messages=PRODUCT, extra_headers=key, **more
        )

    first, second = ask(), ask()
    with pytest.raises(openai.UnprocessableEntityError) as other:
        ask(seed=1)

    assert first.ditto["jobId"] == second.ditto["jobId"]
    assert ended_as(serving.sim, "thinker+slow=50ms", "answered") == 1
    assert other.value.param == "seed"


def test_a_job_that_somebody_else_cancels_is_a_conflict(client: openai.OpenAI, serving: Serving) -> None:
    def found() -> list[str]:
        query = {"metadata.test": "cancelled by another"}
        return [job["jobId"] for job in httpx.get(f"{serving.url}/jobs", params=query).json()["jobs"]]

    with ThreadPoolExecutor() as threads:
        asked = threads.submit(
            client.chat.completions.create,
            model="sim/terse+hang+think",
            messages=PRODUCT,
            metadata={"test": "cancelled by another"},
        )
        assert until(lambda: bool(found()))
        httpx.post(f"{serving.url}/jobs/{found()[0]}/cancel").raise_for_status()

    with pytest.raises(openai.ConflictError):
        asked.result()


async def test_the_asynchronous_client_is_answered_too(serving: Serving) -> None:
    async with openai.AsyncOpenAI(base_url=f"{serving.url}/v1", api_key="none", timeout=60) as client:
        whole = await client.chat.completions.create(model="sim/terse", messages=PRODUCT)
        stream = await client.chat.completions.create(model="sim/terse", messages=PRODUCT, stream=True)
        pieces = [choice.delta.content or "" async for chunk in stream for choice in chunk.choices]

    assert whole.choices[0].message.content == "".join(pieces) == "391"


@pytest.mark.parametrize("stream", [False, True])
def test_who_hangs_up_in_the_middle_cancels_the_job(client: openai.OpenAI, serving: Serving, stream: bool) -> None:
    """Of three clients that hang up one at least is heard: the ingress, busy, now and then overlooks one."""
    model = "friendly+hang+think" if stream else "friendly+hang"
    before = ended_as(serving.sim, model, "aborted")
    quick = client.with_options(timeout=2.5, max_retries=0)

    for _ in range(3):
        with pytest.raises(openai.APITimeoutError):
            quick.chat.completions.create(model=f"sim/{model}", messages=PRODUCT, stream=stream)

    assert until(lambda: ended_as(serving.sim, model, "aborted") > before)


def test_who_leaves_a_stream_after_the_first_reply_cancels_the_rest(client: openai.OpenAI, serving: Serving) -> None:
    hung = "wordy+hang"
    before = ended_as(serving.sim, hung, "aborted")

    for _ in range(3):
        with client.chat.completions.create(
            model=f"ditto/consensus:sim/terse,sim/{hung}",
            messages=PRODUCT,
            stream=True,
            extra_body={"ditto": {"stream": "first"}},
        ) as stream:
            assert [next(stream).choices[0].delta.content for _ in range(2)] == ["", "391"]

    assert until(lambda: ended_as(serving.sim, hung, "aborted") > before)


def test_a_comment_keeps_a_stream_alive_before_its_first_token(serving: Serving) -> None:
    body = {"model": "sim/terse+slow=6s", "messages": PRODUCT, "stream": True}
    with httpx.stream("POST", f"{serving.url}/v1/chat/completions", json=body, timeout=60) as answer:
        lines = [line for line in answer.iter_lines() if line]

    assert answer.status_code == 200
    assert lines[0].startswith(":")
    assert next(line for line in lines if not line.startswith(":")).startswith("data: {")
    assert lines[-1] == "data: [DONE]"


def test_models_are_listed_and_found(client: openai.OpenAI) -> None:
    listed = {model.id: model for model in client.models.list()}

    assert listed["default"].ditto == {"models": FIVE, "strategy": "consensus"}
    assert {"sim/terse", "sim/shy"} <= set(listed)
    assert client.models.retrieve("sim/terse").owned_by == "sim"
    assert client.models.retrieve("ditto/consensus:sim/terse,sim/wordy").owned_by == "ditto"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-x")


def test_responses_are_answered_streamed_and_parsed(client: openai.OpenAI) -> None:
    plain = client.responses.create(model="default", input="What is 17 * 23?", instructions="Be brief.")
    going_on: Any = [
        {"role": "user", "content": "What is 17 * 23?"},
        *(item.model_dump(exclude_none=True) for item in plain.output),
        {"role": "user", "content": "What is 6 * 7?"},
    ]
    further = client.responses.create(model="sim/terse", input=going_on)
    with client.responses.stream(model="default", input="What is 17 * 23?") as stream:
        kinds = [event.type for event in stream]
        streamed = stream.get_final_response()
    typed = client.responses.parse(model="default", input=ORDER, text_format=Order)

    assert "391" in plain.output_text
    assert plain.usage.total_tokens > 0
    assert plain.ditto["structured"]["answer"] == 391
    assert further.output_text == "42"
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
    assert "391" in streamed.output_text
    assert typed.output_parsed == Order(order_number="PO-2291", currency="EUR", total=31.0)


def test_what_responses_do_not_support_is_refused_by_name(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(model="default", input="What is 6 * 7?", previous_response_id="resp_1")

    assert refused.value.param == "previous_response_id"
