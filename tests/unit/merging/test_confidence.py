"""The ease–skill model gives probabilities that follow its definition, for one reply as for a thousand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ditto.domain.merging import confidence

SIZES = st.lists(st.integers(1, 12), min_size=1, max_size=8)
ALPHAS = st.sampled_from([2.0, 4.0, 8.0])


def by_definition(sizes: list[float], alpha: float) -> list[float]:
    """The posterior by a plain sum over a fine grid of θ."""
    theta = np.linspace(-24.0, 24.0, 200_001)
    prior = -(theta**2) / 8.0
    total = sum(sizes)

    def term(right: float, others: list[float]) -> float:
        logs = prior - right * np.logaddexp(0, -theta) - (total - right) * np.logaddexp(0, theta)
        tables = sum(math.log(alpha) + math.lgamma(size) for size in others)
        seated = math.lgamma(alpha) - math.lgamma(alpha + sum(others))
        return float(np.logaddexp.reduce(logs)) + tables + seated

    logs = [term(size, sizes[:at] + sizes[at + 1 :]) for at, size in enumerate(sizes)] + [term(0, sizes)]
    top = max(logs)
    return [math.exp(log - top) / sum(math.exp(each - top) for each in logs) for log in logs[:-1]]


@pytest.mark.parametrize("sizes", [[1], [3, 2], [5], [1, 1, 1], [40, 30, 20, 10], [900, 100], [0.5, 1.7]])
@pytest.mark.parametrize("alpha", [2.0, 4.0, 8.0])
def test_quadrature_agrees_with_the_definition(sizes: list[float], alpha: float) -> None:
    assert confidence.posteriors(sizes, alpha) == pytest.approx(by_definition(sizes, alpha), abs=1e-5)


@given(sizes=SIZES, alpha=ALPHAS)
def test_probabilities_are_probabilities(sizes: list[int], alpha: float) -> None:
    chances = confidence.posteriors(sizes, alpha)

    assert all(0.0 <= chance <= 1.0 for chance in chances)
    assert sum(chances) <= 1.0 + 1e-12


@given(sizes=SIZES, alpha=ALPHAS)
def test_one_more_supporter_of_the_leader_never_lowers_its_confidence(sizes: list[int], alpha: float) -> None:
    leader = sizes.index(max(sizes))
    more = [size + (at == leader) for at, size in enumerate(sizes)]

    before, after = confidence.posteriors(sizes, alpha)[leader], confidence.posteriors(more, alpha)[leader]

    assert after >= before - 1e-9


@given(sizes=SIZES, alpha=ALPHAS)
def test_a_smaller_group_is_never_more_probable(sizes: list[int], alpha: float) -> None:
    chances = confidence.posteriors(sizes, alpha)

    ordered = [chance for _, chance in sorted(zip(sizes, chances, strict=True))]
    assert ordered == pytest.approx(sorted(ordered), abs=1e-9)


@given(sizes=SIZES, alpha=ALPHAS, data=st.data())
def test_the_order_of_the_groups_changes_nothing(sizes: list[int], alpha: float, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(sizes))))

    shuffled = confidence.posteriors([sizes[at] for at in order], alpha)

    assert shuffled == pytest.approx([confidence.posteriors(sizes, alpha)[at] for at in order], abs=1e-12)


@settings(max_examples=20)
@given(count=st.integers(1, 1000))
def test_a_thousand_replies_are_as_safe_as_one(count: int) -> None:
    agreed, scattered = confidence.posteriors([count], 4.0), confidence.posteriors([1] * count, 4.0)

    assert all(math.isfinite(chance) and 0.0 <= chance <= 1.0 for chance in [*agreed, *scattered])


def test_wrong_answers_that_coincide_more_often_make_agreement_worth_less() -> None:
    assert confidence.posteriors([3, 1], 2.0)[0] < confidence.posteriors([3, 1], 8.0)[0]
