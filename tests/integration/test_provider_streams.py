"""Proves over real sockets that the simulated models' streams are read as their whole replies are."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from ditto.domain.events import Failure, Reply
from ditto.domain.spec import Message
from ditto.providers.models import Models
from ditto.providers.port import Hearer, ModelRequest
from ditto.settings.endpoints import Dialect, Endpoint
from ditto.sim import server
from ditto.sim.server import Running

ROUTES: dict[Dialect, str] = {"openai": "/v1", "anthropic": "/v1", "workers-ai": "/client/v4/accounts/a/ai"}


class Notes(Hearer):
    def __init__(self) -> None:
        self.tries: list[str] = []

    def begin(self, attempt: int, after: Failure | None) -> None:
        self.tries.append("")

    def said(self, text: str) -> None:
        self.tries[-1] += text


@pytest.fixture
async def sim() -> AsyncIterator[Running]:
    running = await server.start(default_latency_s=0.0)
    yield running
    await running.stop()


@pytest.fixture
async def models(sim: Running) -> AsyncIterator[Models]:
    endpoints = {
        dialect: Endpoint(dialect=dialect, base_url=sim.url + route, key_env="KEY") for dialect, route in ROUTES.items()
    }
    models = Models(endpoints, {"KEY": "k"}, reply_limit_bytes=64 * 1024)
    yield models
    await models.aclose()


async def asked(models: Models, dialect: Dialect, model: str, hearer: Hearer | None) -> Reply | Failure:
    question = ModelRequest(model=model, messages=(Message(role="user", content="What is 17 * 23? Explain."),))
    return await models.ask(dialect, f"{dialect}/{model}", question, timeout_s=30, max_retries=1, hearer=hearer)


@pytest.mark.parametrize("dialect", ROUTES)
@pytest.mark.parametrize("model", ["wordy", "wordy+drip=1ms", "thinker", "terse+cut", "terse+filter", "terse+long=500"])
async def test_a_streamed_reply_is_the_whole_reply(models: Models, dialect: Dialect, model: str) -> None:
    notes = Notes()

    whole = await asked(models, dialect, model, None)
    streamed = await asked(models, dialect, model, notes)

    assert replace(streamed, elapsed_s=0) == replace(whole, elapsed_s=0)
    assert isinstance(streamed, Failure) or streamed.text in notes.tries[0]


@pytest.mark.parametrize("dialect", ROUTES)
async def test_a_stream_that_is_reset_is_followed_by_a_plain_try(models: Models, dialect: Dialect) -> None:
    notes = Notes()

    reply = await asked(models, dialect, "wordy+reset*1", notes)

    assert isinstance(reply, Reply)
    assert (reply.attempts, len(notes.tries), notes.tries[1]) == (2, 2, "")


@pytest.mark.parametrize("dialect", ROUTES)
async def test_an_endless_stream_is_too_large(models: Models, dialect: Dialect) -> None:
    failure = await asked(models, dialect, "terse+endless", Notes())

    assert isinstance(failure, Failure)
    assert failure.type == "TooLarge"
