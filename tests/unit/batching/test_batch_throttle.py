"""How many jobs run at once, when that is to be found."""

from __future__ import annotations

import asyncio

from ditto.batching.throttle import FIRST, Throttle


class Played:
    """A throttle over a service that ends as many jobs a second as it can, on a clock of its own."""

    def __init__(self, at_most_a_second: float, fixed: int | None = None) -> None:
        self.now_s = 0.0
        self.capacity = at_most_a_second
        self.throttle = Throttle(fixed, clock=lambda: self.now_s)

    async def play(self, seconds: float) -> None:
        """Jobs of one second each, as many as may run at once and as the service can."""
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            count = self.throttle.limit
            for _ in range(count):
                await self.throttle.turn()
            self.now_s += max(1.0, count / self.capacity)
            for _ in range(count):
                self.throttle.ended()
                self.throttle.give_back()


async def test_more_run_at_once_as_long_as_that_is_faster() -> None:
    played = Played(at_most_a_second=100)

    await played.play(30)

    assert 64 <= played.throttle.limit <= 200


async def test_what_is_said_is_kept() -> None:
    played = Played(at_most_a_second=1000, fixed=3)

    await played.play(30)
    played.throttle.slow()

    assert played.throttle.limit == 3


async def test_a_full_service_halves_it_once_for_refusals_that_come_together() -> None:
    played = Played(at_most_a_second=1000)

    for _ in range(10):
        played.throttle.slow()

    assert played.throttle.limit == FIRST // 2


async def test_it_grows_carefully_after_a_refusal() -> None:
    played = Played(at_most_a_second=10_000)
    played.throttle.slow()

    await played.play(3)

    assert FIRST // 2 < played.throttle.limit < FIRST


async def test_who_has_no_turn_waits_for_one() -> None:
    throttle = Throttle(1)
    await throttle.turn()
    second = asyncio.create_task(throttle.turn())
    await asyncio.sleep(0)
    assert not second.done()

    throttle.give_back()
    await second

    assert throttle.running == 1
