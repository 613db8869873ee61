"""Shares of a minute's limit: never more than it in any sixty seconds, however many processes take them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ditto.errors import HolderGone
from ditto.runtime.shares import ALONE_S, MINUTE_S, Share, Shares, Window, Windows


class Time:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def keeper(time: Time, asked: list[int]):
    windows = Windows(time)

    async def ask(name: str, limit: int, wanted: int) -> Share:
        asked.append(wanted)
        return windows.share(name, limit, wanted)

    return ask


@given(st.integers(1, 20), st.lists(st.tuples(st.floats(0, 40), st.integers(1, 8)), max_size=60))
def test_in_no_minute_is_more_granted_than_the_limit(limit, takings):
    window, now_s = Window(), 0.0
    granted: list[tuple[float, int]] = []
    for pause_s, wanted in takings:
        now_s += pause_s
        share = window.take(limit, wanted, now_s)
        assert share.granted > 0 or 0 < share.wait_s < MINUTE_S + 1e-6
        granted.append((now_s, share.granted))
    for start_s, _ in granted:
        assert sum(count for at_s, count in granted if start_s <= at_s < start_s + MINUTE_S - 1e-6) <= limit


async def test_two_processes_have_one_limit_together():
    time = Time()
    ask = keeper(time, [])
    one, other = Shares(ask, time), Shares(ask, time)
    taken = [await shares.take("requests", 6) for _ in range(4) for shares in (one, other)]
    assert taken.count(0.0) == 6
    time.now_s += max(taken)
    assert await one.take("requests", 6) == 0.0


async def test_a_busy_process_asks_the_keeper_seldom_and_not_at_all_where_there_is_nothing():
    time = Time()
    asked: list[int] = []
    shares = Shares(keeper(time, asked), time)
    taken = [await shares.take("requests", 1200) for _ in range(1300)]
    assert taken.count(0.0) == 1200
    assert len(asked) == 121


async def test_what_was_not_used_for_a_while_is_lost():
    time = Time()
    asked: list[int] = []
    shares = Shares(keeper(time, asked), time)
    await shares.take("requests", 1200)
    time.now_s += 30
    await shares.take("requests", 1200)
    assert asked == [10, 10]


async def test_while_the_keeper_is_away_each_process_counts_for_itself():
    time = Time()
    calls = []

    async def gone(name: str, limit: int, wanted: int) -> Share:
        calls.append(name)
        raise HolderGone("the keeper is dead")

    shares = Shares(gone, time)
    assert [await shares.take("jobs", 2) > 0 for _ in range(3)] == [False, False, True]
    assert len(calls) == 1
    time.now_s += MINUTE_S + ALONE_S
    assert await shares.take("jobs", 2) == 0.0
    assert len(calls) == 2
