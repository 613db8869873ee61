"""Proves that a key is found, that a missing one is named, and that no key is ever shown."""

import logging

import pytest

from ditto.domain.events import Failure
from ditto.providers.port import ModelRequest
from tests.unit.providers.stage import COMPLETION, KEY, QUESTION, Stage, failing


@pytest.mark.parametrize(
    ("provider", "model", "environ", "looked_for"),
    [
        ("openai", "gpt-x", {}, "OPENAI_API_KEY"),
        ("openai", "gpt-x", {"OPENAI_API_KEY": " \n"}, "OPENAI_API_KEY"),
        ("anthropic", "claude-x", {}, "ANTHROPIC_API_KEY"),
        ("cloudflare", "@cf/meta/x", {"CLOUDFLARE_API_TOKEN": KEY}, "CLOUDFLARE_ACCOUNT_ID"),
    ],
)
async def test_a_missing_key_says_where_it_was_looked_for(
    provider: str, model: str, environ: dict[str, str], looked_for: str
) -> None:
    stage = Stage(COMPLETION)
    request = ModelRequest(model=model, messages=QUESTION.messages)

    failure = await stage.models(environ).ask(provider, f"{provider}/{model}", request, timeout_s=9, max_retries=2)

    assert isinstance(failure, Failure)
    assert (failure.type, failure.attempts) == ("MissingKey", 0)
    assert failure.message == f"{provider}/{model} needs a key: looked for {looked_for} in the environment"
    assert stage.requests == []


async def test_a_key_is_taken_without_the_blanks_around_it_and_left_away_where_none_is_needed() -> None:
    stage = Stage(COMPLETION)
    request = ModelRequest(model="m", messages=QUESTION.messages)
    models = stage.models({"OPENAI_API_KEY": f"{KEY}\n"})

    await models.ask("openai", "openai/m", request, timeout_s=9, max_retries=0)
    await models.ask("vllm", "vllm/m", request, timeout_s=9, max_retries=0)

    assert [sent.headers.get("authorization") for sent in stage.requests] == [f"Bearer {KEY}", None]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 429, 500])
@pytest.mark.parametrize("echo", [KEY, f"key={KEY}!", KEY[:12], KEY[-9:], f"{'x' * 290}{KEY}"])
async def test_a_key_is_in_no_message_whatever_the_provider_repeats(
    status: int, echo: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage = Stage(failing(status, f"wrong: {echo} {QUESTION.messages[0].content}"))
    models = stage.models()

    with caplog.at_level(logging.DEBUG):
        failure = await models.ask("openai", "openai/gpt-x", QUESTION, timeout_s=300, max_retries=0)

    assert isinstance(failure, Failure)
    shown = f"{failure} {failure!r} {models!r} {vars(models)!r} {stage.requests!r} {caplog.text}"
    assert len(failure.message) <= 300
    assert echo[-9:] not in failure.message
    assert KEY[:12] not in failure.message
    assert QUESTION.messages[0].content not in failure.message
    assert KEY not in shown.replace(repr(models._environ), "")


async def test_a_rejected_key_says_where_it_came_from() -> None:
    failure = await Stage(failing(401, "Incorrect API key provided")).ask()

    assert isinstance(failure, Failure)
    assert failure.type == "AuthenticationFailed"
    assert failure.message == ("the key was looked for in OPENAI_API_KEY; 401 Unauthorized: Incorrect API key provided")


async def test_a_key_that_no_header_can_hold_is_not_shown() -> None:
    failure = await Stage(COMPLETION).ask(environ={"OPENAI_API_KEY": "sk-MARKER-ключ"})

    assert isinstance(failure, Failure)
    assert failure.type == "AuthenticationFailed"
    assert "MARKER" not in failure.message
