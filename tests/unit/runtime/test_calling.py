"""The line between a holder and a caller: what is said there may be lost, either way, and is said again."""

from __future__ import annotations

import asyncio

import pytest

from ditto.domain.events import Reply
from ditto.errors import HolderGone
from ditto.runtime import calling, listening
from ditto.runtime.orders import Batch, Order, Seen
from tests.unit.runtime.callers import CannedModels, KillableCaller
from tests.unit.runtime.house import House, asked, result, until

NEVER = 3600.0


class DeafCaller(KillableCaller):
    """A caller that does not hear the next so many orders, and so many of whose next answers never arrive."""

    lost_orders = 0
    lost_receipts = 0
    lost_outcomes = 0
    polls = 0

    def __init__(self, models: CannedModels) -> None:
        super().__init__(models)
        self.acknowledged: list[str] = []

    async def call_models(self, holder: str, epoch: int, orders: list[Order], cancelled: list[str]) -> str:
        if self.lost_orders:
            self.lost_orders -= 1
            await asyncio.sleep(NEVER)
        instance = await super().call_models(holder, epoch, orders, cancelled)
        if self.lost_receipts:
            self.lost_receipts -= 1
            await asyncio.sleep(NEVER)
        return instance

    async def poll(self, holder: str, epoch: int, seen: Seen, journalled: list[str], wait_s: float) -> Batch:
        self.polls += 1
        self.acknowledged += journalled
        batch = await super().poll(holder, epoch, seen, journalled, wait_s)
        if self.lost_outcomes:
            self.lost_outcomes -= 1
            await asyncio.sleep(NEVER)
        return batch


@pytest.fixture
async def house(monkeypatch):
    monkeypatch.setattr(calling, "POLL_S", 0.05)
    monkeypatch.setattr(calling, "SEND_S", 0.05)
    monkeypatch.setattr(calling, "PAUSE_S", 0.0)
    monkeypatch.setattr(listening, "PATIENCE_S", 0.05)
    built = House(a=Reply(text="42"))
    built.caller = DeafCaller(built.models)
    yield built
    await built.close()


async def test_orders_that_are_lost_on_the_way_are_given_again(house):
    house.caller.lost_orders = 2
    host = await house.host()

    await host.accept("j1", asked("a"), None)

    assert result(await house.ended(host, "j1")) == "42"
    assert house.caller.lost_orders == 0
    assert house.models.asked == {"a": 1}


async def test_orders_whose_receipt_is_lost_are_given_again_and_asked_once(house):
    house.caller.lost_receipts = 2
    host = await house.host()
    await host.accept("j1", asked("slow"), None)
    await until(lambda: house.caller.lost_receipts == 0)

    house.models.release("slow", Reply(text="42"))

    assert result(await house.ended(host, "j1")) == "42"
    assert house.models.asked == {"slow": 1}


async def test_a_wide_jobs_orders_go_out_in_parts_and_where_one_of_them_is_lost_each_is_asked_once(house, monkeypatch):
    monkeypatch.setattr(calling, "MOST_ORDERS", 2)
    sizes: list[int] = []
    lose = {2}

    async def call_models(holder: str, epoch: int, orders: list[Order], cancelled: list[str]) -> str:
        sizes.append(len(orders))
        if len(sizes) in lose:
            raise HolderGone("lost")
        return await DeafCaller.call_models(house.caller, holder, epoch, orders, cancelled)

    monkeypatch.setattr(house.caller, "call_models", call_models)
    for name in "bcde":
        house.models.release(name, Reply(text="42"))
    host = await house.host()

    await host.accept("j1", asked("a", "b", "c", "d", "e"), None)

    assert result(await house.ended(host, "j1")) == "42"
    assert max(sizes) == 2
    assert house.models.asked == dict.fromkeys("abcde", 1)


async def test_outcomes_that_are_lost_on_the_way_are_fetched_again(house):
    house.caller.lost_outcomes = 2
    host = await house.host()

    await host.accept("j1", asked("a"), None)

    assert result(await house.ended(host, "j1")) == "42"
    assert house.caller.lost_outcomes == 0
    assert house.models.asked == {"a": 1}


async def test_what_is_cancelled_while_the_caller_is_silent_is_cancelled_there_in_the_end(house):
    host = await house.host()
    await host.accept("j1", asked("slow"), None)
    await until(lambda: house.models.asked["slow"] == 1)
    house.caller.lost_receipts = 1

    await host.cancel("j1")

    await until(lambda: house.models.cancelled["slow"] == 1)
    with pytest.raises(HolderGone):
        await host.wait("j1", 0.0)


async def test_who_waits_for_a_job_has_its_answer_before_its_replies_are_acknowledged(house, monkeypatch):
    monkeypatch.setattr(calling, "ACKNOWLEDGE_S", 0.1)
    host = await house.host()
    await host.accept("j1", asked("a"), None)

    assert result(await house.ended(host, "j1")) == "42"

    await asyncio.sleep(0.02)
    assert house.caller.acknowledged == []
    await until(lambda: house.caller.acknowledged == ["j1/0.1/a"])


async def test_a_holder_that_has_closed_says_nothing_more_to_its_callers(house, monkeypatch):
    monkeypatch.setattr(calling, "ACKNOWLEDGE_S", 0.02)
    host = await house.host()
    house.models.release("b", Reply(text="42"))
    for name in ("a", "b"):
        await host.accept(name, asked(name), None)
        await house.ended(host, name)

    await host.close()
    told = house.caller.polls
    await asyncio.sleep(0.05)

    assert house.caller.polls == told
