"""A process that was frozen, taken for dead and thawed asks no model and shows nothing, whatever it still believes."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta

import pytest

from ditto.domain.events import Reply
from ditto.domain.spec import Message
from ditto.errors import HolderGone, StoreUnavailable
from ditto.providers.port import ModelRequest
from ditto.runtime import calling
from ditto.runtime.caller import Caller
from ditto.runtime.calling import Lines
from ditto.runtime.held import Capacity
from ditto.runtime.host import Host
from ditto.runtime.lease import FRESH_S, Lease
from ditto.runtime.orders import Order
from ditto.runtime.wakefulness import BEAT_S
from ditto.store.memory import MemoryJournal
from tests.unit.runtime.callers import CannedModels, KillableCaller
from tests.unit.runtime.house import WAIT_S, House, asked, result, until

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
REQUEST = ModelRequest(model="a", messages=(Message(role="user", content="?"),))
ORDER = Order(id="j1/0.1/a", adoptions=0, provider="p", name="a", request=REQUEST, timeout_s=60, max_retries=0)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(calling, "PAUSE_S", 0.0)


@pytest.fixture
async def house():
    built = House()
    yield built
    await built.close()


def lines(caller: KillableCaller, may_order=lambda: True) -> Lines:
    return Lines(
        {"caller:0": caller},
        holder="host:0",
        epoch=1,
        deliver=lambda outcome: None,
        replaced=lambda: None,
        may_order=may_order,
    )


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_caller_that_has_slept_begins_nothing_that_was_sent_meanwhile(monkeypatch):
    models = CannedModels({"a": Reply(text="42")})
    caller = Caller("caller:0", "i", models)
    loop = asyncio.get_running_loop()
    await turns()
    woken_at_s = loop.time() + 60
    with monkeypatch.context() as later:
        for beats in (0, 0.5):
            now_s = woken_at_s + beats
            later.setattr(loop, "time", lambda now_s=now_s: now_s)
            await turns()
            with pytest.raises(HolderGone):
                await caller.call_models("host:0", 1, [ORDER], [])
        later.setattr(loop, "time", lambda: woken_at_s + BEAT_S + 0.1)
        await turns()
        await caller.call_models("host:0", 1, [ORDER], [])
    await until(lambda: models.asked == {"a": 1})
    await caller.close()


async def test_no_order_goes_out_while_the_jobs_may_be_with_others():
    ours = False
    caller = KillableCaller(CannedModels({"a": Reply(text="42")}))
    line = lines(caller, lambda: ours)
    line.submit("caller:0", ORDER)
    await turns()
    assert caller.models.asked == {}
    ours = True
    await until(lambda: caller.models.asked == {"a": 1})
    await line.close()
    await caller.kill()


async def test_a_holder_that_has_been_replaced_gives_its_orders_to_no_new_caller():
    caller = KillableCaller(CannedModels({}))
    line = lines(caller)
    line.submit("caller:0", ORDER)
    await until(lambda: caller.models.asked == {"a": 1})
    await caller.kill()
    line.stop()
    caller.start()
    await turns()
    assert caller.models.asked == {"a": 1}
    await line.close()
    await caller.kill()


async def test_a_lease_that_ran_out_is_current_again_only_when_it_is_confirmed():
    clock = Clock()
    lease = Lease(MemoryJournal(), "host:0", length_s=10, replaced=lambda: None, clock=clock)
    await lease.begin()
    lease.rise()
    assert lease.current()
    assert await lease.renew() is None
    clock.advance(FRESH_S + 1)
    assert lease.current()
    clock.advance(10)
    assert not lease.current()
    until_ = await lease.renew()
    assert until_ == clock.now + timedelta(seconds=10)
    assert not lease.current()
    lease.confirm(until_)
    assert lease.current()


async def test_a_lease_that_runs_out_while_it_is_renewed_has_to_be_confirmed():
    clock = Clock()

    class Slow(MemoryJournal):
        async def renew(self, *lease):
            clock.advance(FRESH_S + 1)
            await super().renew(*lease)

    lease = Lease(Slow(), "host:0", length_s=10, replaced=lambda: None, clock=clock)
    await lease.begin()
    lease.rise()
    until_ = await lease.renew()
    assert until_ is not None
    assert not lease.current()
    lease.confirm(until_)
    assert lease.current()


async def test_a_lease_is_not_current_because_the_store_is_away():
    class Away(MemoryJournal):
        async def renew(self, *_):
            raise StoreUnavailable("away")

    lease = Lease(Away(), "host:0", length_s=10, replaced=lambda: None, clock=Clock())
    assert await lease.renew() is None
    assert not lease.current()


async def test_a_thawed_holder_lets_go_of_what_others_have_taken_and_keeps_the_rest():
    clock, journal, ids = Clock(), MemoryJournal(), itertools.count()
    caller = KillableCaller(CannedModels({}))

    async def begun(name: str) -> Host:
        host = Host(
            name,
            journal=journal,
            callers={"caller:0": caller},
            new_id=lambda: f"id {next(ids)}",
            lease_s=0.01,
            clock=clock,
        )
        await host.start()
        return host

    frozen, other = await begun("host:0"), await begun("host:1")
    for job_id in ("taken", "kept"):
        await frozen.accept(job_id, asked("a"), None)
    await other.adopt("taken")
    waiting = asyncio.ensure_future(frozen.wait("taken", WAIT_S))
    await turns()
    clock.advance(100)
    with pytest.raises(HolderGone):
        await waiting
    assert (await frozen.status()).open_jobs == 1
    assert (await frozen.wait("kept", 0.0)).holder == "host:0"
    for host in (frozen, other):
        await host.close()
    await caller.kill()


async def test_a_holder_that_has_been_replaced_says_so_that_its_process_ends():
    journal, told = MemoryJournal(), []
    host = Host(
        "host:0",
        journal=journal,
        callers={},
        new_id=lambda: "id",
        lease_s=10,
        replaced=lambda: told.append("replaced"),
    )
    await host.start()
    await journal.begin_epoch("host:0")
    await host.adopt("j1")
    assert told == ["replaced"]


async def test_a_job_that_waited_and_was_taken_over_meanwhile_is_not_begun(house):
    crowded = await house.host("host:0", capacity=Capacity(running=1))
    other = await house.host("host:1")
    await crowded.accept("running", asked("first"), None)
    await crowded.accept("waiting", asked("second"), None)
    await house.lapse(crowded)
    await other.take_up([await house.journal.row("waiting")])
    await until(lambda: house.models.asked["second"] == 1)
    house.models.release("first", Reply(text="42"))
    await house.ended(crowded, "running")
    await turns()
    assert (await crowded.status()).open_jobs == 0
    house.models.release("second", Reply(text="42"))
    job = await house.ended(other, "waiting")
    assert (result(job), job.holder, job.adoptions) == ("42", "host:1", 1)
