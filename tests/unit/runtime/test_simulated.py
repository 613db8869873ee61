"""The simulated models are started when the first of them is asked, and again where they did not start."""

from __future__ import annotations

import asyncio

from ditto.domain.events import Failure, Reply
from ditto.domain.spec import Message
from ditto.errors import HolderGone
from ditto.providers.port import ModelRequest
from ditto.runtime.simulated import SimulatedOnDemand
from tests.unit.runtime.callers import CannedModels

REQUEST = ModelRequest(model="terse", messages=(Message(role="user", content="?"),))


async def asked(models, provider, timeout_s=5.0):
    return await models.ask(provider, f"{provider}/terse", REQUEST, timeout_s=timeout_s, max_retries=0, hearer=None)


async def test_they_are_started_once_and_only_when_one_is_asked():
    starts = []

    async def start():
        starts.append(1)
        return CannedModels({"sim/terse": Reply(text="42")})

    models = SimulatedOnDemand(CannedModels({"openai/terse": Reply(text="forty-two")}), start)
    assert await asked(models, "openai") == Reply(text="forty-two")
    assert starts == []
    replies = await asyncio.gather(*(asked(models, "sim") for _ in range(3)))
    assert replies == [Reply(text="42")] * 3
    assert starts == [1]


async def test_a_start_that_failed_fails_that_call_and_is_tried_again_by_the_next():
    starts = []

    async def start():
        starts.append(1)
        if len(starts) == 1:
            raise HolderGone("the port is taken")
        return CannedModels({"sim/terse": Reply(text="42")})

    models = SimulatedOnDemand(CannedModels({}), start)
    assert await asked(models, "sim") == Failure(type="Unreachable", message="the port is taken")
    assert await asked(models, "sim") == Reply(text="42")


async def test_a_start_that_takes_too_long_fails_the_call_in_its_time():
    models = SimulatedOnDemand(CannedModels({}), asyncio.Event().wait)
    failure = await asked(models, "sim", timeout_s=0.01)
    assert failure == Failure(type="Unreachable", message="the simulated models do not start in time")
    models._started.cancel()
