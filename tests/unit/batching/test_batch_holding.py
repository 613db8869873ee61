"""One process at a time runs a batch, wherever it is started."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ditto.batching.holding import held
from ditto.batching.sink import Lock
from ditto.domain.batch_lease import BatchLease
from ditto.errors import Conflict, Unavailable
from ditto.runtime.batch_leases import BatchLeases
from ditto.store.memory import MemoryJournal
from tests.fakes import Held

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Clock:
    """A clock that moves by the pauses that are made."""

    def __init__(self) -> None:
        self.now_s = 0.0

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        await asyncio.sleep(0)


class Leases:
    """The leases of a store, as a service gives them; `away` makes it fail."""

    def __init__(self, clock: Clock) -> None:
        self.away = False
        self._leases = BatchLeases(MemoryJournal(), "", lambda: NOON + timedelta(seconds=clock.now_s))

    async def hold_batch(self, name: str, epoch: int | None, length_s: float) -> int:
        if self.away:
            raise Unavailable("the store is away")
        return await self._leases.hold(BatchLease(name=name, epoch=epoch, length=length_s * 1000))


class Memo:
    def __init__(self, noted: str = "") -> None:
        self.noted = noted

    def note(self, text: str) -> None:
        self.noted = text


class Machines:
    """Machines with one store."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.leases = Leases(self.clock)

    def batch(self, memo: Memo | None = None) -> Any:
        clock = self.clock
        return held(self.leases, "b", memo or Memo(), length_s=10.0, clock=lambda: clock.now_s, sleep=clock.sleep)


@pytest.fixture
def machines() -> Machines:
    return Machines()


async def test_a_second_one_elsewhere_says_so_and_stops(machines: Machines) -> None:
    async with machines.batch():
        with pytest.raises(Conflict, match="another batch writes b at this moment"):
            async with machines.batch():
                pass


async def test_it_is_free_at_once_when_the_first_has_ended(machines: Machines) -> None:
    async with machines.batch():
        pass
    before_s = machines.clock.now_s

    async with machines.batch():
        assert machines.clock.now_s == before_s


async def test_one_that_died_is_waited_for_until_its_lease_has_run_out(machines: Machines) -> None:
    await machines.leases.hold_batch("b", None, 10.0)

    async with machines.batch():
        assert 10 <= machines.clock.now_s <= 12


async def test_one_that_died_on_this_machine_is_gone_on_with_at_once(machines: Machines) -> None:
    epoch = await machines.leases.hold_batch("b", None, 10.0)

    async with machines.batch(Memo(str(epoch))):
        assert machines.clock.now_s < 1


async def test_one_that_was_replaced_stops(machines: Machines) -> None:
    async def frozen_for_long() -> None:
        async with machines.batch():
            machines.clock.now_s += 100
            await machines.leases.hold_batch("b", None, 500.0)
            await asyncio.Event().wait()

    with pytest.raises(Conflict, match="has taken over"):
        await frozen_for_long()


async def test_a_store_that_is_away_for_a_while_does_not_stop_it(machines: Machines) -> None:
    async with machines.batch():
        machines.leases.away = True
        for _ in range(20):
            await asyncio.sleep(0)
        machines.leases.away = False
        for _ in range(20):
            await asyncio.sleep(0)


async def test_what_happens_inside_comes_out_as_it_is(machines: Machines) -> None:
    with pytest.raises(Unavailable, match="inside"):
        async with machines.batch():
            raise Unavailable("inside")


def test_what_a_killed_holder_has_noted_is_there_for_the_next(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "out.jsonl")
    lock.note("1234")
    lock.note("7")
    (tmp_path / "left").hardlink_to(tmp_path / "out.jsonl.lock")
    lock.release()
    (tmp_path / "left").rename(tmp_path / "out.jsonl.lock")  # as if it had been killed

    again = Lock(tmp_path / "out.jsonl")

    assert again.noted == "7"
    again.release()


async def test_two_outputs_of_one_name_are_one_batch(bench: Any, service: Any, tmp_path: Path) -> None:
    service.replies = {"sim/alpha": Held()}
    bench.write({"id": "a", "prompt": "One?", "models": ["sim/alpha"]})
    running = asyncio.create_task(bench.run())
    await service.asked_times(1)
    epochs = [await _epoch(service, "other"), None]
    with pytest.raises(Conflict):
        epochs[1] = await _epoch(service, "test")

    await service.release("sim/alpha", "Done.")
    await running

    assert epochs == [1, None]
    assert await _epoch(service, "test") == 2
    assert not bench.output.with_name("out.jsonl.lock").exists()


async def _epoch(service: Any, name: str) -> int:
    epoch: int = await service.hold_batch(BatchLease(name=name, epoch=None, length=1000.0))
    return epoch
