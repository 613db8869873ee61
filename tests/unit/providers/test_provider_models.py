"""Proves what asking a model promises: one deadline, the right retries, and everything that was adapted said."""

import asyncio
import logging

import httpx
import pytest

from ditto.domain.events import Failure, Reply
from ditto.domain.spec import Message, Sampling
from ditto.providers.models import Models
from ditto.providers.port import ModelRequest
from ditto.settings.endpoints import KNOWN, Endpoint, split
from tests.unit.providers.stage import COMPLETION, KEY, QUESTION, Stage, failing, refusing


async def test_a_reply_says_how_long_it_took_and_what_it_cost() -> None:
    stage = Stage({**COMPLETION, "usage": {"prompt_tokens": 9, "completion_tokens": 4}}, takes_s=1.5)

    reply = await stage.ask()

    assert reply == Reply(text="Lisbon.", input_tokens=9, output_tokens=4, attempts=1, elapsed_s=1.5)
    assert stage.requests[0].headers["authorization"] == f"Bearer {KEY}"


async def test_a_transient_error_is_tried_again_until_the_retries_are_used_up() -> None:
    stage = Stage(failing(503, "busy"), takes_s=1.0)

    failure = await stage.ask(max_retries=2)

    assert failure == Failure(type="Overloaded", message="503 Service Unavailable: busy", attempts=3, elapsed_s=3.0)


async def test_each_429_is_told_of_and_nothing_else() -> None:
    stage = Stage(failing(429), failing(503), failing(429), COMPLETION)

    reply = await stage.ask(max_retries=3)

    assert isinstance(reply, Reply)
    assert stage.limited == [("openai", "openai/gpt-x")] * 2


async def test_a_reply_after_a_retry_counts_both_attempts() -> None:
    stage = Stage(failing(500), httpx.ConnectError("refused"), COMPLETION)

    reply = await stage.ask()

    assert isinstance(reply, Reply)
    assert reply.attempts == 3


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 413, 422, 402])
async def test_a_permanent_error_is_not_tried_again(status: int) -> None:
    stage = Stage(failing(status))

    failure = await stage.ask()

    assert isinstance(failure, Failure)
    assert failure.attempts == len(stage.requests) == 1


async def test_an_error_in_a_successful_response_is_tried_again_where_that_helps() -> None:
    stage = Stage({"error": {"code": 502, "message": "down"}}, COMPLETION)

    reply = await stage.ask()

    assert isinstance(reply, Reply)
    assert reply.attempts == 2


async def test_pauses_double_from_100_ms_to_10_s_and_are_jittered_in_full() -> None:
    longest, none = Stage(failing(500), luck=1.0), Stage(failing(500), luck=0.0)

    await longest.ask(max_retries=9)
    await none.ask(max_retries=9)

    assert longest.slept_s == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0])
    assert none.slept_s == [0.0] * 9


async def test_a_retry_after_is_obeyed() -> None:
    headers = {"retry-after": "7"}
    stage = Stage(failing(429, **headers), COMPLETION)

    reply = await stage.ask()

    assert isinstance(reply, Reply)
    assert stage.slept_s == [7.0]
    assert reply.elapsed_s == 7.0


async def test_a_retry_after_beyond_the_deadline_fails_at_once_with_its_error() -> None:
    headers = {"retry-after": "60"}
    stage = Stage(failing(429, "slow down", **headers))

    failure = await stage.ask(timeout_s=30.0)

    assert isinstance(failure, Failure)
    assert (failure.type, failure.attempts, stage.slept_s) == ("RateLimited", 1, [])


async def test_one_deadline_covers_all_tries_and_pauses() -> None:
    stage = Stage(failing(500, "busy"), asyncio.Event(), takes_s=9.9999)

    failure = await stage.ask(timeout_s=10.0, max_retries=10)

    assert isinstance(failure, Failure)
    assert failure.type == "Timeout"
    assert failure.message == "no answer in 10000 ms; before that: 500 Internal Server Error: busy"
    assert failure.attempts == 2


async def test_a_pause_that_would_end_after_the_deadline_is_not_begun() -> None:
    stage = Stage(failing(500, "busy"), takes_s=4.95, luck=1.0)

    failure = await stage.ask(timeout_s=10.0, max_retries=10)

    assert isinstance(failure, Failure)
    assert (failure.type, failure.attempts) == ("Overloaded", 2)
    assert stage.slept_s == pytest.approx([0.1])


async def test_a_provider_that_hangs_is_given_up_at_the_deadline() -> None:
    async def hang(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    models = Models(KNOWN, {"OPENAI_API_KEY": KEY}, transport=httpx.MockTransport(hang))

    failure = await models.ask("openai", "openai/gpt-x", QUESTION, timeout_s=1e-6, max_retries=2)

    assert isinstance(failure, Failure)
    assert (failure.type, failure.message) == ("Timeout", "no answer in 0 ms")


async def test_cancellation_is_not_swallowed() -> None:
    asked = asyncio.Event()

    async def hang(request: httpx.Request) -> httpx.Response:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    models = Models(KNOWN, {"OPENAI_API_KEY": KEY}, transport=httpx.MockTransport(hang))
    task = asyncio.create_task(models.ask("openai", "openai/gpt-x", QUESTION, timeout_s=60, max_retries=2))
    await asked.wait()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("x"),
        httpx.ConnectTimeout("x"),
        httpx.ReadError("x"),
        httpx.RemoteProtocolError("x"),
        httpx.ProxyError("x"),
        ConnectionResetError(104, "x"),
        TimeoutError(110, "x"),
    ],
)
async def test_whatever_breaks_on_the_way_is_unreachable_and_tried_again(error: Exception) -> None:
    stage = Stage(error)

    failure = await stage.ask()

    assert isinstance(failure, Failure)
    assert (failure.type, failure.attempts) == ("Unreachable", 3)
    assert failure.message.startswith("api.openai.com: ")


async def test_a_mistake_of_our_own_is_a_failure_that_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage(RuntimeError(f"{KEY} and {QUESTION.messages[0].content}"))

    with caplog.at_level(logging.DEBUG):
        failure = await stage.ask()

    assert isinstance(failure, Failure)
    assert (failure.type, failure.message) == ("Failed", "asking openai/gpt-x went wrong: RuntimeError")
    assert KEY not in caplog.text


async def test_a_refused_parameter_is_left_out_and_the_question_asked_once_more() -> None:
    stage = Stage(refusing("temperature"), COMPLETION)
    request = ModelRequest(model="gpt-x", messages=QUESTION.messages, sampling=Sampling(temperature=0.2, top_p=0.5))

    reply = await stage.ask(request, max_retries=0)

    assert isinstance(reply, Reply)
    assert reply.warnings == ("openai/gpt-x takes no temperature: not sent",)
    assert reply.attempts == 2
    assert [sorted(body) for body in stage.bodies] == [
        ["messages", "model", "temperature", "top_p"],
        ["messages", "model", "top_p"],
    ]


async def test_several_parameters_can_be_refused_one_after_the_other() -> None:
    stage = Stage(refusing("top_p"), refusing("stop"), refusing("response_format"), COMPLETION)
    request = ModelRequest(
        model="gpt-x",
        messages=QUESTION.messages,
        sampling=Sampling(top_p=0.5, stop=("END",)),
        schema={"type": "object"},
    )

    reply = await stage.ask(request, max_retries=0)

    assert isinstance(reply, Reply)
    assert len(reply.warnings) == 3
    assert sorted(stage.bodies[-1]) == ["messages", "model"]


async def test_a_refusal_of_what_was_not_sent_or_has_been_left_out_is_the_result() -> None:
    never_sent, again = Stage(refusing("temperature")), Stage(refusing("top_p"))
    request = ModelRequest(model="gpt-x", messages=QUESTION.messages, sampling=Sampling(top_p=0.5))

    first, second = await never_sent.ask(), await again.ask(request)

    assert isinstance(first, Failure)
    assert isinstance(second, Failure)
    assert (first.type, first.attempts) == ("BadRequest", 1)
    assert (second.type, second.attempts) == ("BadRequest", 2)


async def test_what_a_model_refused_once_it_is_not_sent_again() -> None:
    stage = Stage(refusing("temperature"), COMPLETION)
    request = ModelRequest(model="gpt-x", messages=QUESTION.messages, sampling=Sampling(temperature=0.2))
    models = stage.models()

    await models.ask("openai", "openai/gpt-x", request, timeout_s=300, max_retries=0)
    reply = await models.ask("openai", "openai/gpt-x", request, timeout_s=300, max_retries=0)

    assert isinstance(reply, Reply)
    assert reply.attempts == 1
    assert reply.warnings == ("openai/gpt-x takes no temperature: not sent",)


async def test_a_refusal_that_comes_with_the_deadline_is_not_followed_by_another_request() -> None:
    stage = Stage(refusing("top_p"), COMPLETION, takes_s=9.0)
    request = ModelRequest(model="gpt-x", messages=QUESTION.messages, sampling=Sampling(top_p=0.5))

    failure = await stage.ask(request, timeout_s=9.0)

    assert isinstance(failure, Failure)
    assert (failure.type, failure.attempts) == ("Timeout", 1)


async def test_a_refused_schema_says_nothing_about_the_next_one() -> None:
    stage = Stage(refusing("response_format"), COMPLETION)
    request = ModelRequest(model="gpt-x", messages=QUESTION.messages, schema={"type": "object"})
    models = stage.models()

    await models.ask("openai", "openai/gpt-x", request, timeout_s=300, max_retries=0)
    await models.ask("openai", "openai/gpt-x", request, timeout_s=300, max_retries=0)

    assert ["response_format" in body for body in stage.bodies] == [True, False, True]


async def test_a_refusal_is_a_reply() -> None:
    stage = Stage(httpx.Response(400, json={"error": {"message": "Filtered.", "code": "content_filter"}}))

    reply = await stage.ask()

    assert isinstance(reply, Reply)
    assert (reply.text, reply.finish) == ("Filtered.", "content_filter")


@pytest.mark.parametrize(
    ("provider", "request_", "type_"),
    [
        ("nobody", QUESTION, "ModelNotFound"),
        ("listed", QUESTION, "ModelNotFound"),
        ("openai", ModelRequest(model="m", messages=()), "BadRequest"),
        ("openai", ModelRequest(model="m", messages=(Message(role="assistant", content="x"),)), "BadRequest"),
    ],
)
async def test_what_cannot_be_asked_is_not_sent(provider: str, request_: ModelRequest, type_: str) -> None:
    stage = Stage(COMPLETION)
    models = stage.models(listed=Endpoint(base_url="http://x/v1", models=("other",)))

    failure = await models.ask(provider, f"{provider}/m", request_, timeout_s=9, max_retries=0)

    assert isinstance(failure, Failure)
    assert (failure.type, stage.requests) == (type_, [])


async def test_a_reply_beyond_the_limit_is_refused() -> None:
    stage = Stage(httpx.Response(200, content=b"x" * 2_000))
    models = Models(
        KNOWN, {"OPENAI_API_KEY": KEY}, transport=httpx.MockTransport(stage.answer), reply_limit_bytes=1_000
    )

    failure = await models.ask("openai", "openai/gpt-x", QUESTION, timeout_s=9, max_retries=2)

    assert isinstance(failure, Failure)
    assert (failure.type, failure.attempts) == ("TooLarge", 1)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("openai/gpt-x", ("openai", "gpt-x")),
        ("openrouter/meta/llama", ("openrouter", "meta/llama")),
        ("@cf/meta/llama", ("cloudflare", "@cf/meta/llama")),
        ("@hf/thebloke/x", ("cloudflare", "@hf/thebloke/x")),
        ("sim/terse", ("sim", "terse")),
    ],
)
def test_a_models_name_begins_with_its_provider(name: str, parts: tuple[str, str]) -> None:
    assert split(name) == parts
