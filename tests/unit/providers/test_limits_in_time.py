"""What a provider allows is used and not exceeded, whether it is set or has to be found; all in virtual time."""

from __future__ import annotations

import pytest

from ditto.providers.limits.finding import FALL, FoundPace
from ditto.sim.allowances import Allowance
from tests.unit.providers.allowing import Crowd, desk_of, limit


def asked_by_all(crowd: Crowd, calls: int) -> None:
    for number in range(calls):
        crowd.ask(crowd.desks[number % len(crowd.desks)])


def test_a_set_limit_is_used_to_95_percent_and_nothing_is_refused():
    crowd = Crowd([desk_of(requests_per_second=50)], Allowance(50, closes_s=1))
    asked_by_all(crowd, 4000)
    crowd.run(60)
    assert len(crowd.answered_at) >= 0.95 * 50 * 60
    assert crowd.refused == 0


def test_two_callers_with_half_the_share_each_use_it_as_one_would():
    halves = [desk_of(requests_per_second=50, share=0.5) for _ in range(2)]
    crowd = Crowd(halves, Allowance(50, closes_s=1))
    asked_by_all(crowd, 4000)
    crowd.run(60)
    assert len(crowd.answered_at) >= 0.95 * 50 * 60
    assert crowd.refused == 0


def test_requests_a_minute_come_evenly_and_not_in_a_burst():
    crowd = Crowd([desk_of(requests_per_minute=60)], Allowance(1000, closes_s=1))
    asked_by_all(crowd, 20)
    crowd.run(30)
    gaps = [later - earlier for earlier, later in zip(crowd.sent, crowd.sent[1:], strict=False)]
    assert len(crowd.sent) == 20
    assert min(gaps) >= 0.95


def test_no_more_calls_are_under_way_than_are_allowed_at_once():
    desk = desk_of(calls_at_once=3)
    crowd = Crowd([desk], Allowance(1000, closes_s=1), answers_s=1.0)
    asked_by_all(crowd, 9)
    crowd.run(0.5)
    assert (len(crowd.sent), desk.lanes["m"].running) == (3, 3)
    crowd.run(3)
    assert len(crowd.answered_at) == 9


def test_tokens_are_paced_by_what_the_provider_counts():
    desk = desk_of(tokens_per_minute=60_000)
    lane = desk.lanes["m"]
    now = 100.0
    sent = 0
    while now < 160.0:
        if lane.ready_at() <= now:
            expected = lane.expected_tokens(100, None)
            lane.sent(now, expected, waited=True)
            lane.running -= 1
            lane.answered(expected, 100, 900)
            sent += 1
        now += 0.01
    assert 55 <= sent <= 62


@pytest.mark.parametrize(("rate", "callers"), [(2, 1), (10, 1), (50, 1), (400, 1), (50, 2), (400, 2), (50, 4)])
def test_an_unknown_limit_is_found_and_used_to_80_percent_with_few_refusals(rate, callers):
    crowd = Crowd([desk_of() for _ in range(callers)], Allowance(rate, closes_s=1))
    asked_by_all(crowd, rate * 200)
    crowd.run(60)
    at_first, asked = crowd.refused, len(crowd.sent)
    crowd.run(120)
    assert len(crowd.answered_at) >= 0.8 * rate * 180
    assert crowd.refused - at_first <= 0.02 * (len(crowd.sent) - asked)
    assert crowd.most_refused <= 2


def test_a_burst_of_calls_is_refused_once_and_none_of_them_three_times():
    crowd = Crowd([desk_of()], Allowance(50, closes_s=1))
    asked_by_all(crowd, 1000)
    crowd.run(40)
    assert len(crowd.answered_at) == 1000
    assert crowd.most_refused <= 2


def test_a_limit_that_is_raised_is_found_within_a_minute():
    crowd = Crowd([desk_of()], Allowance(10, closes_s=1))
    asked_by_all(crowd, 50_000)
    crowd.run(60)
    crowd.allowance = Allowance(100, closes_s=1)
    crowd.run(60)
    before = len(crowd.answered_at)
    crowd.run(20)
    assert len(crowd.answered_at) - before >= 0.8 * 100 * 20


def test_a_limit_that_is_lowered_is_found_too():
    crowd = Crowd([desk_of()], Allowance(100, closes_s=1))
    asked_by_all(crowd, 50_000)
    crowd.run(60)
    crowd.allowance = Allowance(10, closes_s=1)
    crowd.run(90)
    before = len(crowd.answered_at)
    crowd.run(30)
    assert len(crowd.answered_at) - before >= 0.8 * 10 * 30


def test_a_pace_that_nobody_needs_does_not_grow():
    found = FoundPace()
    for tick in range(50):
        found.sent(100 + tick * 0.02, waited=False)
    found.refused(101.0, 101.0)
    before = found.rate
    for second in range(100):
        found.sent(102.0 + second, waited=False)
    assert found.rate == before


def test_refusals_of_calls_that_were_under_way_together_slow_down_once():
    found = FoundPace()
    moments = [100 + tick * 0.02 for tick in range(50)]
    for moment in moments:
        found.sent(moment, waited=False)
    assert [found.refused(101.0 + late, sent) for late, sent in zip((0.0, 0.01, 0.02), moments[-3:], strict=True)] == [
        True,
        False,
        False,
    ]
    assert found.refusals == 1


def test_what_is_heard_late_of_a_refusal_slows_down_once_and_no_more_than_a_refusal_would():
    found = FoundPace()
    for tick in range(50):
        found.sent(100 + tick * 0.02, waited=False)
    found.refused(101.0, 100.98)
    before = found.rate
    assert before is not None
    found.slow_down(102.0)
    assert found.rate == before
    found.sent(105.0, waited=True)
    before = found.rate
    found.slow_down(106.0)
    assert found.rate == before * FALL


def test_a_set_limit_that_the_provider_does_not_keep_gives_way_to_what_it_takes():
    crowd = Crowd([desk_of(requests_per_second=100)], Allowance(20, closes_s=1))
    asked_by_all(crowd, 10_000)
    crowd.run(60)
    assert len(crowd.answered_at) >= 0.8 * 20 * 60


def test_words_say_what_is_allowed():
    assert limit(requests_per_minute=500, calls_at_once=4).words == "500 requests a minute, 4 calls at once"
    assert limit().words == "no limit"
