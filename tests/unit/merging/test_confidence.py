"""The ease–skill model gives probabilities that follow its definition, for one reply as for a thousand."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ditto.domain.confidence import parts
from ditto.domain.confidence.kinship import Family, effective
from ditto.domain.confidence.posterior import Votes, posteriors
from ditto.domain.confidence.prior import PRIOR, Comparison

SIZES = st.lists(st.integers(1, 12), min_size=1, max_size=8)
FEW = st.lists(st.integers(1, 4), min_size=1, max_size=5)
SKILLS = st.sampled_from([0.0, 0.5, 1.0, 2.5])
FORMS = st.sampled_from([0.0, PRIOR.forms])
OPTIONS = st.sampled_from([None, 0, 1, 10])
"""None, or how many more options there are than answers."""


def votes(sizes: Sequence[int], skill: float = PRIOR.skill) -> Votes:
    """Returns groups of these sizes of equally skilled voters."""
    groups = tuple(number for number, size in enumerate(sizes) for _ in range(size))
    return Votes(groups=groups, weights=(1.0,) * len(groups), skills=(skill,) * len(groups))


def offered(sizes: Sequence[int], spare: int | None) -> int | None:
    """Returns how many options there are if so many of them are picked by nobody."""
    return None if spare is None else max(2, len(sizes) + spare)


def supported(sizes: Sequence[int], joined: int, skill: float, forms: float, spare: int | None) -> tuple[float, float]:
    """Returns the confidence in one group's answer before and after one more voter joins it."""
    more = [size + (at == joined) for at, size in enumerate(sizes)]
    options = offered(sizes, spare)
    before = posteriors(votes(sizes, skill), Comparison(forms=forms, options=options), lead=joined)
    after = posteriors(votes(more, skill), Comparison(forms=forms, options=options), lead=joined)
    return before[joined], after[joined]


def by_definition(given_votes: Votes, options: int | None) -> list[float]:
    """The posterior by a plain sum over a fine grid of θ."""
    theta = np.linspace(-24.0, 24.0, 100_001)
    count = max(given_votes.groups) + 1
    sizes = [given_votes.groups.count(number) for number in range(count)]

    def partition(wrong: list[int], alpha: float) -> float:
        if options is None:
            tables = sum(math.log(alpha) + math.lgamma(size) for size in wrong)
        else:
            each = alpha / (options - 1)
            tables = sum(math.lgamma(each + size) - math.lgamma(each) for size in wrong)
        return tables + math.lgamma(alpha) - math.lgamma(alpha + sum(wrong))

    def term(right: int | None) -> float:
        logs = -(theta**2) / (2.0 * PRIOR.ease_spread**2)
        for (group, skill), times in Counter(zip(given_votes.groups, given_votes.skills, strict=True)).items():
            logs = logs - times * np.logaddexp(0.0, -(skill + theta) if group == right else skill + theta)
        wrong = [size for number, size in enumerate(sizes) if number != right]
        mixed = np.logaddexp.reduce(
            [
                math.log(share) + partition(wrong, alpha)
                for alpha, share in zip(PRIOR.concentrations, PRIOR.shares, strict=True)
            ]
        )
        unseen = 0.0 if right is not None or options is None else math.log(options - count)
        return float(np.logaddexp.reduce(logs) + mixed) + unseen

    logs = [*(term(number) for number in range(count)), term(None)]
    terms = np.exp(np.array(logs) - max(logs))
    return [float(each) for each in terms[:-1] / terms.sum()]


@pytest.mark.parametrize("groups", [(0,), (0, 0, 0, 1, 1), (0, 0, 0, 0, 0), (0, 1, 2), (0, 1, 1, 2, 2, 2, 2)])
@pytest.mark.parametrize("options", [None, 7, 10])
def test_the_posterior_agrees_with_the_definition(groups: tuple[int, ...], options: int | None) -> None:
    skills = tuple((0.5, -1.0, 2.0, 0.0, 3.0, 1.0, 1.5)[: len(groups)])
    panel = Votes(groups=groups, weights=(1.0,) * len(groups), skills=skills)

    assert posteriors(panel, Comparison(options=options)) == pytest.approx(by_definition(panel, options), abs=1e-6)


@pytest.mark.parametrize("sizes", [[900, 100], [500, 300, 200], [1] * 40])
def test_large_panels_agree_with_the_definition(sizes: list[int]) -> None:
    assert posteriors(votes(sizes)) == pytest.approx(by_definition(votes(sizes), None), abs=1e-5)


@given(
    groups=st.lists(st.integers(0, 5), min_size=1, max_size=12),
    data=st.data(),
    forms=FORMS,
    options=st.sampled_from([None, 2, 4, 10]),
)
def test_probabilities_are_probabilities(
    groups: list[int], data: st.DataObject, forms: float, options: int | None
) -> None:
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    assume(options is None or len(numbers) <= options)
    each = st.lists(st.floats(-5, 8), min_size=len(groups), max_size=len(groups))
    heavy = st.lists(st.floats(0.01, 1.0), min_size=len(groups), max_size=len(groups))
    panel = Votes(
        groups=tuple(numbers[group] for group in groups),
        weights=tuple(data.draw(heavy)),
        skills=tuple(data.draw(each)),
    )

    chances = posteriors(panel, Comparison(options=options, forms=forms))

    assert all(0.0 <= chance <= 1.0 for chance in chances)
    assert sum(chances) <= 1.0 + 1e-9


@given(sizes=SIZES, skill=SKILLS, forms=FORMS, options=OPTIONS)
def test_one_more_supporter_never_lowers_the_confidence_in_the_leader(
    sizes: list[int], skill: float, forms: float, options: int | None
) -> None:
    leader = sizes.index(max(sizes))

    before, after = supported(sizes, leader, skill, forms, options)

    assert after >= before - 1e-9


@given(sizes=FEW, skill=SKILLS, forms=FORMS, options=OPTIONS)
def test_one_more_supporter_never_lowers_the_confidence_in_any_answer(
    sizes: list[int], skill: float, forms: float, options: int | None
) -> None:
    for joined in range(len(sizes)):
        before, after = supported(sizes, joined, skill, forms, options)

        assert after >= before - 1e-9


@given(sizes=FEW, skill=SKILLS, options=OPTIONS)
def test_a_smaller_group_is_never_more_probable(sizes: list[int], skill: float, options: int | None) -> None:
    chances = posteriors(votes(sizes, skill), Comparison(options=offered(sizes, options)))

    ordered = [chance for _, chance in sorted(zip(sizes, chances, strict=True))]
    assert ordered == pytest.approx(sorted(ordered), abs=1e-9)


@given(sizes=SIZES, forms=FORMS, data=st.data())
def test_the_order_of_the_groups_changes_nothing(sizes: list[int], forms: float, data: st.DataObject) -> None:
    assume(len(set(sizes)) == len(sizes))
    order = data.draw(st.permutations(range(len(sizes))))

    plain = posteriors(votes(sizes), Comparison(forms=forms))
    shuffled = posteriors(votes([sizes[at] for at in order]), Comparison(forms=forms))

    assert shuffled == pytest.approx([plain[at] for at in order], abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(count=st.integers(1, 1000), skill=st.floats(-6, 10), forms=FORMS)
def test_a_thousand_replies_are_as_safe_as_one(count: int, skill: float, forms: float) -> None:
    for sizes in ([count], [1] * count, [count, 1]):
        chances = posteriors(votes(sizes, skill), Comparison(forms=forms))

        assert all(math.isfinite(chance) and 0.0 <= chance <= 1.0 for chance in chances)
        assert sum(chances) <= 1.0 + 1e-9


def test_fewer_options_make_agreement_worth_less() -> None:
    few, many, open_ended = (posteriors(votes([3, 1]), Comparison(options=options))[0] for options in (2, 10, None))

    assert few < many < open_ended


def test_the_skilled_minority_can_be_right() -> None:
    panel = Votes(groups=(0, 0, 1), weights=(1.0,) * 3, skills=(-1.0, -1.0, 4.0))

    first, second = posteriors(panel)

    assert second > first


@given(
    said=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), min_size=1, max_size=10),
    echo=st.floats(0, 1),
    own=st.floats(0, 1),
    joining=st.tuples(st.integers(0, 4), st.integers(0, 2)),
)
def test_one_more_relative_takes_nothing_away_and_adds_no_more_than_a_stranger(
    said: list[tuple[int, int]], echo: float, own: float, joining: tuple[int, int]
) -> None:
    families = (Family(models=("0", "1", "2"), echo=echo),)

    def weight(replies: list[tuple[int, int]]) -> float:
        counted = effective(
            {at: group for at, (_, group) in enumerate(replies)}, [str(model) for model, _ in replies], families, own
        )
        return sum(counted[at] for at, (_, group) in enumerate(replies) if group == joining[1])

    before, after = weight(said), weight([*said, joining])

    assert before - 1e-9 <= after <= before + 1.0 + 1e-9


def test_relatives_that_disagree_count_in_full() -> None:
    counted = effective({0: "a", 1: "b", 2: "a"}, ["x", "y", "z"], (Family(models=("x", "y"), echo=0.9),), 0.5)

    assert counted == {0: 1.0, 1: 1.0, 2: 1.0}


@given(whole=st.floats(-1000, 1000), count=st.integers(1, 10_000))
def test_a_part_is_no_harder_than_the_whole_and_the_more_parts_the_easier(whole: float, count: int) -> None:
    one, more = parts.skill(whole, count), parts.skill(whole, count + 1)

    assert math.isfinite(one)
    assert whole - 1e-9 <= one <= more + 1e-9
    assert parts.skill(whole, 1) == whole


def test_a_part_of_four_is_as_easy_as_one_of_two_independent_ones() -> None:
    def chance(skill: float) -> float:
        return 1.0 / (1.0 + math.exp(-skill))

    assert chance(parts.skill(0.5, 4)) == pytest.approx(math.sqrt(chance(0.5)))
