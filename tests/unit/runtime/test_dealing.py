"""Callers share the limits: together they never have more than the whole, and who needs more gets more."""

from __future__ import annotations

import random

import pytest

from ditto.errors import HolderGone
from ditto.providers.limits.gates import Gates
from ditto.providers.limits.sharing import Report, Share, Told
from ditto.providers.limits.stake import Stake
from ditto.providers.port import NOBODYS
from ditto.runtime.dealing import LOST_S, Dealer
from ditto.runtime.partaking import ALONE_S, Partaker
from ditto.settings.rates import RateLimit

FOREVER = float("inf")


class Office:
    """A keeper and callers that share limits, with one clock that is turned by hand."""

    def __init__(self, limits: dict[str, RateLimit], callers: int = 2) -> None:
        self.now = 100.0
        self.limits = limits
        self.names = [f"caller:{number}" for number in range(callers)]
        self.keeper: Dealer | None = None
        self.stakes: dict[str, Stake] = {}
        self.gates: dict[str, Gates] = {}
        self.partakers: dict[str, Partaker] = {}
        for name in self.names:
            self.begin(name)
        self.open()

    def open(self) -> None:
        self.keeper = Dealer(self.limits, self.names, clock=lambda: self.now)

    def begin(self, name: str) -> None:
        stake = self.stakes[name] = Stake(self.limits, len(self.names))
        gates = self.gates[name] = Gates(self.limits, stake=stake, clock=lambda: self.now)

        async def share(report: Report) -> Told:
            if self.keeper is None:
                raise HolderGone("the keeper is gone")
            return self.keeper.deal(name, report)

        self.partakers[name] = Partaker(gates, stake, share, clock=lambda: self.now)

    def need(self, caller: int, times: int, name: str = "p/m") -> None:
        """Has a caller ask so many times in the next second."""
        self.now += 1
        for _ in range(times):
            self.stakes[self.names[caller]].asked(name.partition("/")[0], name)

    async def met(self) -> Office:
        """Returns this when every caller has reported once."""
        await self.tell(*range(len(self.names)))
        return self

    async def tell(self, *callers: int) -> None:
        for caller in callers:
            while await self.partakers[self.names[caller]].tell():
                pass

    def parts(self, limit: str = "p") -> list[float]:
        return [self.share(number, limit).part for number in range(len(self.names))]

    def share(self, caller: int, limit: str = "p") -> Share:
        share = self.stakes[self.names[caller]].share(limit)
        assert share is not None
        return share


def fifty() -> dict[str, RateLimit]:
    return {"p": RateLimit(requests_per_second=50)}


async def test_one_caller_alone_has_all_of_every_limit_and_reports_nothing():
    stake = Stake({"p": RateLimit(requests_per_second=50, calls_at_once=3)})
    assert stake.share("p") == Share(part=1.0, slots=3)
    assert not stake.shared


async def test_at_first_all_together_have_a_little():
    office = await Office(fifty()).met()
    assert office.parts() == [0.05, 0.05]


async def test_who_asks_alone_gets_nearly_all():
    office = await Office(fifty()).met()
    office.need(0, 10)
    await office.tell(0)
    assert office.parts() == pytest.approx([0.95, 0.05])


async def test_who_begins_later_gets_its_part_when_the_other_has_given_it_up():
    office = await Office(fifty()).met()
    office.need(0, 10)
    await office.tell(0)
    for _ in range(2):
        office.need(0, 10)
        office.need(1, 10)
        await office.tell(1, 0)
    assert office.parts() == pytest.approx([0.5, 0.5])


async def test_who_asks_nothing_any_more_falls_back_and_falls_silent():
    office = await Office(fifty()).met()
    office.need(0, 10)
    for _ in range(3):
        office.now += 1
        await office.tell(0)
    assert office.parts() == [0.05, 0.05]
    assert not office.stakes["caller:0"].stirred.is_set()


@pytest.mark.parametrize("seed", range(30))
async def test_never_more_than_the_whole_is_held_whoever_dies_and_whatever_is_lost(seed):
    chance = random.Random(seed)
    limits = {"p": RateLimit(requests_per_second=50, calls_at_once=5)}
    office = await Office(limits, callers=3).met()
    for _ in range(400):
        office.now += chance.choice([0.0, 0.3, 1.0, 1.0, 7.0])
        caller = chance.randrange(3)
        match chance.randrange(12):
            case 0:
                office.keeper = None
            case 1 if office.keeper is None:
                office.open()
            case 2:
                office.begin(office.names[caller])
            case _:
                office.need(caller, chance.choice([0, 1, 5, 50]))
                await office.partakers[office.names[caller]].tell()
        for silent in set(range(3)) - {caller}:  # each reports now and then, or it would have fallen back by itself
            if chance.random() < 0.5:
                await office.partakers[office.names[silent]].tell()
        assert sum(office.parts()) <= 1 + 1e-9
        assert sum(office.share(number).slots for number in range(3)) <= 5
        assert min(office.parts()) > 0


async def test_without_a_keeper_callers_go_on_with_what_they_have_and_later_fall_back():
    office = await Office(fifty()).met()
    office.need(0, 10)
    await office.tell(0)
    office.keeper = None
    office.now += ALONE_S - 1
    office.need(0, 10)
    await office.tell(0)
    assert office.parts()[0] == pytest.approx(0.95)
    office.now += 2
    await office.partakers["caller:0"].tell()
    assert office.parts() == [0.05, 0.05]
    assert ALONE_S < LOST_S


async def test_a_new_keeper_gives_nobody_more_before_all_could_say_what_they_hold():
    office = await Office(fifty()).met()
    office.need(0, 10)
    await office.tell(0)
    office.open()
    office.need(1, 10)
    await office.tell(1)
    assert office.parts() == pytest.approx([0.95, 0.05])
    for _ in range(2):
        office.need(0, 10)
        office.need(1, 10)
        await office.tell(0, 1)
    assert office.parts() == pytest.approx([0.5, 0.5])


async def test_a_new_keeper_waits_for_a_caller_that_is_gone_only_for_a_while():
    office = Office(fifty())
    office.need(0, 10)
    await office.tell(0)
    assert office.parts() == [0.05, 0.05]
    office.now += LOST_S
    office.need(0, 10)
    await office.tell(0)
    assert office.parts() == pytest.approx([0.95, 0.05])


async def test_a_single_call_at_once_goes_round():
    office = await Office({"p": RateLimit(calls_at_once=1)}).met()
    had = set()
    for _ in range(30):
        office.now += 1
        office.need(0, 1)
        office.need(1, 1)
        await office.tell(0, 1)
        slots = [office.share(number).slots for number in range(2)]
        assert sum(slots) <= 1
        had.add(tuple(slots))
    assert {(1, 0), (0, 1)} <= had


async def test_what_a_caller_has_under_way_is_not_given_to_another():
    office = await Office({"p": RateLimit(calls_at_once=4)}).met()
    office.need(0, 4)
    await office.tell(0)
    gates = office.gates["caller:0"]
    turns = [await gates.turn("p", "p/m", NOBODYS, until=FOREVER) for _ in range(4)]
    for _ in range(3):
        office.need(0, 4)
        office.need(1, 4)
        await office.tell(0, 1)
    assert (office.share(0).slots, office.share(1).slots) == (2, 0)
    for turn in turns[:2]:
        with turn:
            pass
    office.need(0, 4)
    office.need(1, 4)
    await office.tell(0, 1)
    assert (office.share(0).slots, office.share(1).slots) == (2, 2)


async def test_a_429_that_one_caller_gets_slows_the_others_down_once():
    office = await Office({}).met()
    first, second = office.gates.values()
    for gates in (first, second):
        for _ in range(40):
            office.now += 0.02
            with await gates.turn("p", "p/m", NOBODYS, until=FOREVER):
                pass
    office.stakes["caller:0"].refused("p/m", 2.0)
    await office.tell(0, 1)
    (gate,) = second.standing()
    slowed = gate.rate
    await office.tell(0, 1)
    assert slowed is not None
    assert second.standing()[0].rate == slowed
    assert first.standing() == []
