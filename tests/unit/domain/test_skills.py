"""Skills are learned from answers that nobody judged: who is better, who is a copy, and nothing about names."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from ditto.domain.confidence.prior import PRIOR
from ditto.domain.skills.fitting import MOST_QUESTIONS, fit
from ditto.domain.skills.observations import Observation, observed
from ditto.domain.skills.sheet import NOTHING, Skills, SkillSheet
from ditto.domain.spec import AnswerKind
from ditto.domain.verdict import Dissent, Intent, Verdict

TRUE = {"best": 3.0, "good": 1.8, "fair": 0.8, "weak": -0.3, "poor": -1.5}


def simulated(skills: dict[str, float], questions: int, *, seed: int = 1, kind: str = "number") -> list[Observation]:
    """Returns answers to questions of varying ease; the right answer is 0, a wrong one any of eight."""
    chance = random.Random(seed)
    rows = []
    for _ in range(questions):
        ease = chance.gauss(0.0, 2.0)
        said = {
            model: 0 if chance.random() < 1.0 / (1.0 + math.exp(-skill - ease)) else chance.randint(1, 8)
            for model, skill in skills.items()
        }
        rows.append(Observation(kind=kind, answers=tuple(said.items())))
    return rows


def with_copy(rows: list[Observation], of: str, faithful: float) -> list[Observation]:
    """Returns the rows with one more model that mostly says what another says."""
    chance = random.Random(2)
    return [
        replace(
            row,
            answers=(
                *row.answers,
                ("copy", dict(row.answers)[of] if chance.random() < faithful else chance.randint(0, 10)),
            ),
        )
        for row in rows
    ]


def test_better_models_get_higher_skills() -> None:
    skills = fit(simulated(TRUE, 200), version=3)

    learned = skills.kinds["number"]
    assert skills.version == 3
    assert sorted(learned, key=lambda model: -learned[model].skill) == list(TRUE)
    assert {each.questions for each in learned.values()} == {200}


def test_nothing_teaches_nothing() -> None:
    assert fit([], version=1) == Skills(version=1)
    assert NOTHING.sheet(["a"]).of("number", ["a"]) is None


def test_few_questions_move_skills_little() -> None:
    few, many = (fit(simulated(TRUE, count), version=1).kinds["number"] for count in (3, 300))

    assert abs(few["poor"].skill - PRIOR.skill) < abs(many["poor"].skill - PRIOR.skill)


def test_kinds_are_learned_apart() -> None:
    upside_down = dict(zip(TRUE, reversed(TRUE.values()), strict=True))
    rows = simulated(TRUE, 150) + simulated(upside_down, 150, kind="choice")

    kinds = fit(rows, version=1).kinds

    assert kinds["number"]["best"].skill > kinds["number"]["poor"].skill
    assert kinds["choice"]["best"].skill < kinds["choice"]["poor"].skill


def test_a_near_copy_is_found_and_strangers_are_not() -> None:
    rows = simulated(TRUE, 300)

    assert fit(rows, version=1).families == ()
    (family,) = fit(with_copy(rows, "weak", 0.9), version=1).families
    assert set(family.models) == {"copy", "weak"}
    assert 0.45 < family.echo <= 1.0


def test_a_copy_gains_less_from_agreeing_than_it_would_as_a_stranger() -> None:
    rows = with_copy(simulated(TRUE, 300), "weak", 0.95)
    honest = fit(simulated(TRUE, 300), version=1).kinds["number"]

    learned = fit(rows, version=1).kinds["number"]

    assert learned["weak"].skill < learned["good"].skill
    assert learned["weak"].skill - honest["weak"].skill < 0.4


def test_two_equally_skilled_models_that_agree_on_what_is_right_are_no_relatives() -> None:
    rows = simulated({"strong": 3.5, "other": 3.5, "a": 0.0, "b": 0.0, "c": 0.0}, 300)

    assert fit(rows, version=1).families == ()


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_names_and_order_within_a_question_teach_nothing(seed: int) -> None:
    rows = simulated(TRUE, 60, seed=seed)
    renamed = [
        replace(row, answers=tuple((f"x-{model}", 7 - group) for model, group in reversed(row.answers))) for row in rows
    ]

    plain, other = fit(rows, version=1).kinds["number"], fit(renamed, version=1).kinds["number"]

    assert {f"x-{model}": each.skill for model, each in plain.items()} == pytest.approx(
        {model: each.skill for model, each in other.items()}, abs=1e-3
    )


def test_the_latest_questions_count() -> None:
    upside_down = dict(zip(TRUE, reversed(TRUE.values()), strict=True))
    rows = simulated({**TRUE}, 50) + simulated(upside_down, MOST_QUESTIONS)

    learned = fit(rows, version=1).kinds["number"]

    assert learned["poor"].skill > learned["best"].skill


def test_one_model_asked_twice_is_no_second_witness() -> None:
    once = simulated({"a": -1.0, "b": 1.5, "c": 1.5}, 200)
    twice = [replace(row, answers=(*row.answers, row.answers[0])) for row in once]

    alone, doubled = fit(once, version=1).kinds["number"]["a"], fit(twice, version=1).kinds["number"]["a"]

    assert doubled.questions == alone.questions
    assert doubled.skill < fit(once, version=1).kinds["number"]["b"].skill


def test_a_sheet_holds_what_one_job_needs() -> None:
    skills = fit(with_copy(simulated(TRUE, 200), "weak", 0.95), version=9)

    sheet = skills.sheet(["weak", "copy", "new"])

    assert sheet.version == 9
    assert set(sheet.skills["number"]) == {"weak", "copy"}
    assert [set(family.models) for family in sheet.families] == [{"weak", "copy"}]
    assert skills.sheet(["weak", "good"]).families == ()
    known = sheet.of("number", ["weak", "new"])
    assert known is not None
    assert known["new"] == pytest.approx(sum(sheet.skills["number"].values()) / 2)
    assert sheet.of("date", ["weak"]) is None


def test_skills_survive_as_json() -> None:
    skills = fit(with_copy(simulated(TRUE, 120), "weak", 0.95), version=2)

    for kind, value in ((Skills, skills), (SkillSheet, skills.sheet(["weak", "copy"]))):
        adapter: TypeAdapter[object] = TypeAdapter(kind)
        assert adapter.validate_json(adapter.dump_json(value)) == value


def verdict(**changes: object) -> Verdict:
    """Returns a verdict over three replies: two that agree and one that does not."""
    plain = Verdict(
        result="4",
        summary="4",
        intent=Intent.ANSWER,
        confidence=0.8,
        needs_review=False,
        supporting=("a", "b#2"),
        agreement=2 / 3,
        dissent=(Dissent(answer=5, models=("c",), share=1 / 3),),
    )
    return replace(plain, **changes)


def test_a_verdict_teaches_who_agreed_with_whom() -> None:
    models = {"a": "a", "b#2": "b", "c": "c"}

    seen = observed(verdict(kind=AnswerKind.CHOICE, options=4), models)

    assert seen == Observation(kind="choice", answers=(("a", 0), ("b", 0), ("c", 1)), options=4)
    assert observed(verdict(kind=None), models) is None
    assert observed(verdict(kind=AnswerKind.NUMBER, agreement=None), models) is None
    assert observed(verdict(kind=AnswerKind.NUMBER), dict.fromkeys(models, "a")) is None
