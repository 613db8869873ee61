"""Laws of merging by skills: for any skills, relatives and repeated models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ditto.domain.confidence.kinship import Family
from ditto.domain.merging import merge
from ditto.domain.skills.sheet import SkillSheet
from ditto.domain.spec import AnswerKind
from ditto.domain.verdict import Ballot, BasisKind, Verdict
from tests.unit.merging.panels import names, replies

NUMBER = str(AnswerKind.NUMBER)
SAID = st.lists(st.integers(1, 4), min_size=2, max_size=8)
SKILLS = st.floats(-2.0, 4.0).map(lambda skill: round(skill, 3))
EQUAL = st.sampled_from([0.0, 0.5, 1.5, 3.0])


def panel(said: Sequence[int]) -> list[Ballot]:
    return replies(*(f"The answer is {number}." for number in said))


def sheet(skills: Sequence[float], families: tuple[Family, ...] = ()) -> SkillSheet:
    """Returns the skills of the models a, b, c …"""
    known = dict(zip(names(len(skills)), skills, strict=True))
    return SkillSheet(version=7, skills={NUMBER: known}, families=families)


def merged(ballots: Sequence[Ballot], skills: SkillSheet | None, kind: AnswerKind = AnswerKind.NUMBER) -> Verdict:
    return merge("How many?", ballots, schema=None, answer=kind, review_threshold=0.5, skills=skills)


def chances(verdict: Verdict) -> dict[object, float]:
    """Returns the confidence of each answer."""
    return {each.answer: each.confidence for each in verdict.readings if each.confidence is not None}


@st.composite
def informed(draw: st.DrawFn) -> tuple[list[Ballot], SkillSheet]:
    """Draws a panel of whose models something is known."""
    said = draw(SAID)
    skills = draw(st.lists(SKILLS, min_size=len(said), max_size=len(said)))
    related = draw(st.sets(st.sampled_from(names(len(said))), max_size=4))
    family = Family(models=tuple(sorted(related)), echo=draw(st.floats(0, 1)))
    return panel(said), sheet(skills, (family,) if len(related) > 1 else ())


@given(drawn=informed(), data=st.data())
def test_the_order_of_the_replies_decides_nothing_but_ties(
    drawn: tuple[list[Ballot], SkillSheet], data: st.DataObject
) -> None:
    ballots, skills = drawn

    first, second = merged(ballots, skills), merged(data.draw(st.permutations(ballots)), skills)

    assert chances(first) == pytest.approx(chances(second), abs=1e-9)
    ranked = sorted(chances(first).values(), reverse=True)
    if len(ranked) < 2 or ranked[0] > ranked[1] + 1e-6:
        assert first.answer == second.answer
        assert set(first.supporting) == set(second.supporting)


@given(drawn=informed())
def test_other_names_change_nothing(drawn: tuple[list[Ballot], SkillSheet]) -> None:
    ballots, skills = drawn
    renamed = [replace(each, call=f"x{each.call}", model=f"x{each.model}") for each in ballots]
    known = {f"x{model}": skill for model, skill in skills.skills[NUMBER].items()}
    related = tuple(replace(each, models=tuple(f"x{model}" for model in each.models)) for each in skills.families)

    first = merged(ballots, skills)
    second = merged(renamed, SkillSheet(version=7, skills={NUMBER: known}, families=related))

    assert (first.answer, first.confidence) == (second.answer, second.confidence)
    assert second.supporting == tuple(f"x{call}" for call in first.supporting)


@given(drawn=informed())
def test_what_is_stated_is_possible(drawn: tuple[list[Ballot], SkillSheet]) -> None:
    verdict = merged(*drawn)

    stated = chances(verdict)
    assert all(0.0 <= chance <= 1.0 for chance in stated.values())
    assert math.fsum(stated.values()) <= 1.0 + 1e-9
    assert verdict.confidence == stated[verdict.answer]


@given(said=SAID, skill=EQUAL)
def test_under_equal_skills_one_more_supporter_never_lowers_the_confidence(said: list[int], skill: float) -> None:
    ballots, skills = panel(said), sheet([skill] * (len(said) + 1))
    before = merged(ballots, skills)
    name = names(len(said) + 1)[-1]
    more = Ballot(call=name, model=name, text=f"The answer is {before.answer}.")

    after = merged([*ballots, more], skills)

    assert after.answer == before.answer
    assert before.confidence is not None
    assert after.confidence is not None
    assert after.confidence >= before.confidence - 1e-9


@given(said=SAID, skill=SKILLS)
def test_under_equal_skills_no_smaller_group_beats_a_larger(said: list[int], skill: float) -> None:
    verdict = merged(panel(said), sheet([skill] * len(said)))

    assert all(len(dissent.models) <= len(verdict.supporting) for dissent in verdict.dissent)


@given(
    said=SAID,
    skill=EQUAL,
    repeated=st.integers(0, 7),
    again=st.integers(1, 5),
    known=st.booleans(),
)
def test_a_second_reply_of_one_model_moves_confidence_no_further_than_a_strangers(
    said: list[int], skill: float, repeated: int, again: int, known: bool
) -> None:
    ballots = panel(said)
    skills = sheet([skill] * (len(said) + 1)) if known else None
    model, stranger = ballots[repeated % len(said)].model, names(len(said) + 1)[-1]
    text = f"The answer is {again}."

    before = chances(merged(ballots, skills))
    own = chances(merged([*ballots, Ballot(call=f"{model}#2", model=model, text=text)], skills))
    others = chances(merged([*ballots, Ballot(call=stranger, model=stranger, text=text)], skills))

    assert abs(own[again] - before.get(again, 0.0)) <= abs(others[again] - before.get(again, 0.0)) + 1e-9


@pytest.mark.parametrize("count", [1, 2, 30, 1000])
def test_a_thousand_replies_are_as_safe_as_one(count: int) -> None:
    skills = sheet([(at * 7 % 13) / 2.0 - 2.0 for at in range(count)])
    for said in ([1] * count, list(range(count)), [at % 3 for at in range(count)]):
        verdict = merged(panel(said), skills)

        assert verdict.confidence is not None
        assert 0.0 <= verdict.confidence <= 1.0
        assert math.fsum(chances(verdict).values()) <= 1.0 + 1e-9


def test_a_skilled_minority_wins_and_the_basis_says_why() -> None:
    verdict = merged(panel([1, 1, 2]), sheet([-1.0, -1.0, 4.0]))

    assert verdict.answer == 2
    assert (verdict.basis.kind, verdict.basis.skills) == (BasisKind.HISTORY, 7)


def test_without_history_of_this_kind_the_vote_is_cold() -> None:
    other_kind = merged(replies("Yes", "Yes", "No"), sheet([4.0, -1.0, -1.0]), AnswerKind.BOOLEAN)

    assert other_kind.basis.kind is BasisKind.COLD
    assert other_kind.confidence == merged(replies("Yes", "Yes", "No"), None, AnswerKind.BOOLEAN).confidence


def test_one_known_model_alone_has_a_confidence_and_one_unknown_has_none() -> None:
    weak, strong = (merged(panel([4]), sheet([skill])).confidence for skill in (0.0, 3.0))

    assert merged(panel([4]), None).confidence is None
    assert weak is not None
    assert strong is not None
    assert weak < strong


def test_relatives_that_agree_count_as_fewer() -> None:
    related = SkillSheet(version=7, families=(Family(models=("a", "b", "c"), echo=0.8),))

    strangers, relatives = merged(panel([1, 1, 1, 2]), None), merged(panel([1, 1, 1, 2]), related)

    assert strangers.confidence is not None
    assert relatives.confidence is not None
    assert relatives.confidence < strangers.confidence
    assert merged(panel([1, 1, 1, 2, 2]), related).answer == 2


def test_the_most_skilled_of_those_that_agree_is_given_back() -> None:
    ballots = replies("The answer is 4.", "It is 4 in the end.", "The answer is 4!")

    assert merged(ballots, sheet([0.0, 2.0, 1.0])).chosen == "b"


def test_where_words_are_compared_the_usual_reply_is_given_back_and_not_the_most_skilled() -> None:
    wordy = (
        "It was Marie Curie, born in Warsaw, who was the first woman to win it, and she won it twice, for two sciences."
    )
    ballots = replies("It was Marie Curie.", "Marie Curie was the first.", wordy)
    known = SkillSheet(version=7, skills={str(AnswerKind.TEXT): {"a": 0.0, "b": 0.0, "c": 3.0}})

    verdict = merged(ballots, known, AnswerKind.TEXT)

    assert set(verdict.supporting) == {"a", "b", "c"}
    assert verdict.chosen == "b"
