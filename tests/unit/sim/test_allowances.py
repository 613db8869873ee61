"""A simulated model that takes so many requests a second takes them evenly, and punishes a burst."""

from __future__ import annotations

from ditto.sim.allowances import Allowance


def test_even_requests_are_all_taken() -> None:
    allowance = Allowance(50, closes_s=1)

    assert [allowance.refused_s(10 + number / 50) for number in range(500)] == [None] * 500


def test_a_burst_above_a_tenth_of_a_second_closes_it_to_everybody() -> None:
    allowance = Allowance(50, closes_s=1)

    burst = [allowance.refused_s(10.0) for _ in range(8)]

    assert burst == [None] * 5 + [1.0] * 3
    assert allowance.refused_s(10.75) == 0.25
    assert allowance.refused_s(11.0) is None


def test_a_rate_below_ten_takes_one_at_a_time() -> None:
    allowance = Allowance(2, closes_s=0.5)

    assert [allowance.refused_s(at) for at in (10.0, 10.5, 10.6, 11.2)] == [None, None, 0.5, None]
