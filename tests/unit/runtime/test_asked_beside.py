"""The models of a job whose end is waited for are asked while its acceptance is being written.

Whoever is promised a job is promised one that is in the journal; and where two holders have got the same job, the one
that has written it keeps its calls, whosever orders come first.
"""

from __future__ import annotations

import asyncio

import pytest

from ditto.domain.events import Reply
from ditto.errors import HolderGone, StoreUnavailable
from ditto.runtime import calling
from ditto.runtime.caller import Caller
from ditto.runtime.host import Host
from ditto.runtime.orders import NOTHING_SEEN, UNWRITTEN, Moved, Order
from ditto.store.memory import MemoryJournal
from ditto.store.port import Append, Claim
from tests.unit.runtime.callers import CannedModels
from tests.unit.runtime.house import WAIT_S, House, asked, result, until
from tests.unit.runtime.test_host import REQUEST

CLAIM = Claim(key="k", fingerprint="f", tenant="default")


class SlowJournal(MemoryJournal):
    """Writes nothing until `open` is set; a store that is `away` says so."""

    def __init__(self) -> None:
        super().__init__()
        self.open = asyncio.Event()
        self.begun = 0
        self.away = False

    async def append(self, append: Append) -> None:
        self.begun += 1
        await self.open.wait()
        if self.away:
            raise StoreUnavailable("away")
        await super().append(append)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(calling, "PAUSE_S", 0.0)


@pytest.fixture
async def house():
    built = House(a=Reply(text="42"))
    built.journal = SlowJournal()
    yield built
    built.journal.open.set()
    await built.close()


async def accepting(
    host: Host, models: tuple[str, ...], claim: Claim | None = None, wait_s: float = WAIT_S
) -> asyncio.Task:
    """Returns the acceptance of a job, which is being written."""
    journal, before = host._journal, host._journal.begun
    task = asyncio.create_task(host.accept("j1", asked(*models), claim, wait_s))
    await until(lambda: journal.begun > before or task.done())
    return task


async def test_the_models_of_a_job_that_is_waited_for_are_asked_beside_its_acceptance(house):
    task = await accepting(await house.host(), ("a",))
    await until(lambda: house.models.asked["a"] == 1)
    assert await house.journal.read("j1") == []
    house.journal.open.set()
    assert result(await task) == "42"
    assert house.models.asked["a"] == 1


async def test_a_reply_that_is_there_before_the_acceptance_is_written_waits_for_it(house):
    task = await accepting(await house.host(), ("a",))
    await until(lambda: house.caller.caller.status() == {"running": 0, "kept": 1})
    assert house.journal.begun == 1
    house.journal.open.set()
    kinds = [record.event.kind for record in await house.journal.read((await task).id)]
    assert kinds == ["job.accepted", "call.started", "call.completed", "job.completed"]


@pytest.mark.parametrize(
    ("name", "claim", "wait_s"),
    [("host:0", CLAIM, WAIT_S), ("host:0", None, 0.0), ("job:j1", None, WAIT_S)],
    ids=["with a key", "promised at once", "in an actor whose id may become another request's"],
)
async def test_no_model_is_asked_before_what_may_be_promised_is_written(house, name, claim, wait_s):
    task = await accepting(await house.host(name), ("a",), claim, wait_s)
    for _ in range(10):
        await asyncio.sleep(0)
    assert house.models.asked["a"] == 0
    house.journal.open.set()
    await task


async def test_a_job_that_another_holder_has_written_meanwhile_is_that_ones(house):
    first, other = await house.host("host:0"), await house.host("host:1")
    task = await accepting(first, ("slow",))
    await until(lambda: house.models.asked["slow"] == 1)
    await MemoryJournal.append(house.journal, await _as_written_by(other))
    house.journal.open.set()
    with pytest.raises(HolderGone):  # the journal knows where
        await task
    await other.adopt("j1")
    house.models.release("slow", Reply(text="42"))
    assert result(await house.ended(other, "j1")) == "42"
    assert house.models.asked["slow"] == 1


async def _as_written_by(other: Host) -> Append:
    """Returns the append with which another holder accepts the same job."""
    written: list[Append] = []

    async def take(append: Append) -> None:
        written.append(append)
        raise StoreUnavailable("away")

    journal, other._journal = other._journal, type("Taking", (), {"append": staticmethod(take)})()
    with pytest.raises(StoreUnavailable):
        await other.accept("j1", asked("slow"), None)
    other._journal = journal
    return written[0]


async def test_while_the_store_is_away_nothing_is_asked_beside_an_acceptance(house):
    host = await house.host()
    house.journal.away = True
    first = await accepting(host, ("slow",))
    await until(lambda: house.models.asked["slow"] == 1)
    house.journal.open.set()
    with pytest.raises(StoreUnavailable):
        await first
    with pytest.raises(StoreUnavailable):
        await host.accept("j2", asked("slow"), None, WAIT_S)
    assert house.models.asked["slow"] == 1
    house.journal.away = False
    assert result(await host.accept("j3", asked("a"), None, WAIT_S)) == "42"
    assert len(host._jobs) == 0


@pytest.mark.parametrize("late_first", [True, False])
async def test_orders_of_a_job_that_is_not_written_yield_to_those_of_one_that_is(late_first):
    caller = Caller("caller:0", "i1", CannedModels({}))

    def order(adoptions: int) -> Order:
        return Order(
            id="j1/0.1/a", adoptions=adoptions, provider="p", name="a", request=REQUEST, timeout_s=9, max_retries=0
        )

    given = [("host:0", UNWRITTEN), ("host:1", 0)]
    for holder, adoptions in given if late_first else reversed(given):
        await caller.call_models(holder, 1, [order(adoptions)], [])
    yielding = await caller.poll("host:0", 1, NOTHING_SEEN, [], 0.0)
    keeping = await caller.poll("host:1", 1, NOTHING_SEEN, [], 0.0)
    assert [type(outcome.result) for outcome in yielding.outcomes] == [Moved]
    assert keeping.outcomes == []
    await caller.close()
