"""A caller of models: an order is one question to a model, however often and in whatever order its messages come."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from ditto.domain.events import Reply
from ditto.domain.spec import Message
from ditto.providers.port import NOBODYS, ModelRequest
from ditto.runtime import caller as caller_module
from ditto.runtime.caller import Caller
from ditto.runtime.orders import NOTHING_SEEN, Order
from tests.unit.runtime.callers import CannedModels

WAIT_S = 5.0
REQUEST = ModelRequest(model="a", messages=(Message(role="user", content="?"),))


def order(job_id: str, name: str = "a") -> Order:
    order_id = f"{job_id}/0.1/{name}"
    return Order(id=order_id, adoptions=0, provider="p", name=name, request=REQUEST, timeout_s=1, max_retries=0)


async def test_an_order_that_comes_again_when_its_answer_is_journalled_is_not_asked_again():
    models = CannedModels({"a": Reply(text="42")})
    caller = Caller("caller:0", "i", models)
    await caller.call_models("host:0", 1, [order("j1")], [])
    batch = await caller.poll("host:0", 1, NOTHING_SEEN, [], WAIT_S)
    await caller.poll("host:0", 1, batch.seen, [order("j1").id], 0.0)
    await caller.call_models("host:0", 1, [order("j1")], [])
    assert models.asked == {"a": 1}
    assert caller.status()["running"] == 0


async def test_an_order_that_is_over_may_be_acknowledged_again_and_again():
    models = CannedModels({"a": Reply(text="42")})
    caller = Caller("caller:0", "i", models)
    await caller.call_models("host:0", 1, [order("j1")], [])
    for _ in range(2):
        batch = await caller.poll("host:0", 1, NOTHING_SEEN, [], WAIT_S)
        await caller.poll("host:0", 1, batch.seen, [order("j1").id], 0.0)
        await caller.call_models("host:0", 1, [order("j1")], [])
    assert models.asked == {"a": 1}
    await caller.close()


async def test_an_order_that_comes_behind_its_own_cancelling_is_not_begun():
    models = CannedModels({"a": Reply(text="42")})
    caller = Caller("caller:0", "i", models)
    await caller.call_models("host:0", 1, [], [order("j1").id])
    await caller.call_models("host:0", 1, [order("j1")], [])
    assert models.asked == {}
    assert caller.status()["running"] == 0


async def test_what_is_over_is_forgotten_when_nothing_of_it_can_come_any_more():
    now = 0.0
    caller = Caller("caller:0", "i", CannedModels({}), clock=lambda: now)
    await caller.call_models("host:0", 1, [], [order("j1").id])
    now = 200.0
    await caller.call_models("host:0", 1, [], [])
    assert caller._over == {}


async def test_what_a_jobs_models_say_at_the_same_time_is_one_message():
    caller = Caller("caller:0", "i", CannedModels({"a": Reply(text="42"), "b": Reply(text="42")}))
    await caller.call_models("host:0", 1, [order("j1"), order("j1", "b")], [])
    batch = await caller.poll("host:0", 1, NOTHING_SEEN, [], WAIT_S)
    assert len(batch.outcomes) == 2
    await caller.close()


async def test_what_one_model_says_does_not_wait_for_the_others_for_long():
    caller = Caller("caller:0", "i", CannedModels({"a": Reply(text="42")}))
    await caller.call_models("host:0", 1, [order("j1"), order("j1", "slow")], [])
    batch = await caller.poll("host:0", 1, NOTHING_SEEN, [], WAIT_S)
    assert [outcome.order_id for outcome in batch.outcomes] == [order("j1").id]
    await caller.close()


async def test_an_answer_that_waits_for_others_is_the_next_holders_when_that_takes_the_job_over(monkeypatch):
    monkeypatch.setattr(caller_module, "GATHER_S", 3600.0)
    models = CannedModels({"a": Reply(text="42")})
    caller = Caller("caller:0", "i", models)
    await caller.call_models("host:0", 1, [order("j1"), order("j1", "slow")], [])
    while not models.asked["a"] or caller.status()["running"] > 1:  # noqa: ASYNC110  # nothing else tells
        await asyncio.sleep(0)
    await caller.call_models("host:1", 1, [replace(order("j1"), adoptions=1)], [])
    batch = await caller.poll("host:1", 1, NOTHING_SEEN, [], 0.0)
    assert [outcome.result for outcome in batch.outcomes] == [Reply(text="42")]
    assert models.asked["a"] == 1
    await caller.close()


class QueuedModels(CannedModels):
    """Models that all wait for their turn until it is given."""

    def __init__(self, answers):
        super().__init__(answers)
        self.turn = asyncio.Event()

    async def ask(self, provider, name, request, *, whose=NOBODYS, **more):
        whose.waits(True)
        await self.turn.wait()
        whose.waits(False)
        return await super().ask(provider, name, request, **more)


async def test_a_holder_is_told_which_of_its_calls_wait_for_their_turn(monkeypatch):
    monkeypatch.setattr("ditto.runtime.caller.WAITING_S", 0.01)
    models = QueuedModels({"a": Reply(text="42")})
    caller = Caller("caller:0", "i", models)
    await caller.call_models("host:0", 1, [order("j1")], [])
    batch = await caller.poll("host:0", 1, NOTHING_SEEN, [], WAIT_S)
    other = await caller.poll("host:1", 1, NOTHING_SEEN, [], 0.02)
    models.turn.set()
    last = batch
    while not last.outcomes:
        last = await caller.poll("host:0", 1, batch.seen, [], WAIT_S)
    assert (batch.waiting, batch.outcomes) == ([order("j1").id], [])
    assert other.waiting == []
    assert [outcome.result for outcome in last.outcomes] == [Reply(text="42")]
