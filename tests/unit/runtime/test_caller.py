"""A caller of models: an order is one question to a model, however often and in whatever order its messages come."""

from __future__ import annotations

from ditto.domain.events import Reply
from ditto.domain.spec import Message
from ditto.providers.port import ModelRequest
from ditto.runtime.caller import Caller
from ditto.runtime.orders import NOTHING_SEEN, Order
from tests.unit.runtime.callers import CannedModels

WAIT_S = 5.0
REQUEST = ModelRequest(model="a", messages=(Message(role="user", content="?"),))


def order(job_id: str) -> Order:
    return Order(id=f"{job_id}/0.1/a", adoptions=0, provider="p", name="a", request=REQUEST, timeout_s=1, max_retries=0)


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
