"""What is decided stays decided, whatever the missing replies say: tried with every completion."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ditto.domain.confidence.kinship import Family
from ditto.domain.merging import merge, values
from ditto.domain.skills.sheet import SkillSheet
from ditto.domain.spec import AnswerKind, Call
from ditto.domain.strategies.settling import decided
from ditto.domain.verdict import Ballot

MODELS = "abcdef"
QUESTION = "How many?"
REFUSAL = "I'm sorry, but I can't help with that."
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"x": {"type": "integer"}, "y": {"type": "array"}, "z": {"type": "object"}},
}
OBJECTS: tuple[Any, ...] = (
    {"x": 1, "y": [1, 2]},
    {"x": 1, "y": [2, 1], "z": {"x": 1}},
    {"x": 2, "y": [1, 2]},
    {"x": 2, "z": {"x": 1, "name": "n"}},
    {"y": [{"x": 1}]},
    {"x": 1, "y": ["red", "blue"]},
    {"x": 1, "y": ["blue", "red", "green"]},
    {"y": [{"x": 2}, {"x": 1}], "z": {"x": 2}},
)
WEIGHTS = st.sampled_from([0.0, 0.5, 1.0, 1.0, 1.0, 2.0])
SKILL = st.sampled_from([-1.0, 0.0, 0.5, 1.5, 3.0])


@st.composite
def sheets(draw: st.DrawFn, kind: AnswerKind) -> SkillSheet | None:
    """Draws what is known of the models: nothing, skills of some of them, relatives."""
    skills = draw(st.dictionaries(st.sampled_from(MODELS), SKILL, max_size=6))
    related = draw(st.sets(st.sampled_from(MODELS), max_size=3))
    families = (Family(models=tuple(sorted(related)), echo=draw(st.floats(0, 1))),) if len(related) > 1 else ()
    if not skills and not families:
        return None
    return SkillSheet(version=1, skills={str(kind): skills} if skills else {}, families=families)


def seats(models: Sequence[str], weights: Sequence[float]) -> list[Call]:
    return [
        Call(name=f"{model}#{at}", model=model, weight=weight)
        for at, (model, weight) in enumerate(zip(models, weights, strict=True))
    ]


def ballot(call: Call, text: str, value: Any = None) -> Ballot:
    return Ballot(call=call.name, model=call.model, text=text, value=value, weight=call.weight)


@settings(max_examples=60)
@given(
    models=st.lists(st.sampled_from(MODELS), min_size=2, max_size=6),
    said=st.lists(st.integers(1, 3), min_size=1, max_size=5),
    sheet=sheets(AnswerKind.NUMBER),
    data=st.data(),
)
def test_a_decided_answer_is_the_answer_in_every_completion(
    models: list[str], said: list[int], sheet: SkillSheet | None, data: st.DataObject
) -> None:
    weights = data.draw(st.lists(WEIGHTS, min_size=len(models), max_size=len(models)))
    panel = seats(models, weights)
    given_replies = [ballot(call, f"The answer is {n}.") for call, n in zip(panel, said, strict=False)]
    missing = panel[len(given_replies) :][:3]

    def answer(ballots: Sequence[Ballot]) -> Any:
        return merge(
            QUESTION, ballots, schema=None, answer=AnswerKind.NUMBER, review_threshold=0.5, skills=sheet
        ).answer

    if not decided(
        QUESTION,
        given_replies,
        missing,
        schema=None,
        answer=AnswerKind.NUMBER,
        review_threshold=0.5,
        min_responses=1,
        skills=sheet,
    ):
        return
    now = answer(given_replies)
    texts = [*(f"The answer is {n}." for n in (1, 2, 3, 7, 8, 9)), REFUSAL, None]
    for later in product(texts, repeat=len(missing)):
        more = [ballot(call, text) for call, text in zip(missing, later, strict=True) if text is not None]
        assert answer([*given_replies, *more]) == now


@settings(max_examples=60)
@given(
    models=st.lists(st.sampled_from(MODELS), min_size=2, max_size=6),
    said=st.lists(st.sampled_from([0, 0, 0, 1, 2, 3, 4, 5, 5, 5]), min_size=1, max_size=5),
    sheet=sheets(AnswerKind.JSON),
    data=st.data(),
)
def test_a_decided_structure_keeps_every_field_in_every_completion(
    models: list[str], said: list[int], sheet: SkillSheet | None, data: st.DataObject
) -> None:
    weights = data.draw(st.lists(WEIGHTS, min_size=len(models), max_size=len(models)))
    panel = seats(models, weights)
    given_replies = [ballot(call, "{}", OBJECTS[number]) for call, number in zip(panel, said, strict=False)]
    missing = panel[len(given_replies) :][:2]

    def result(ballots: Sequence[Ballot]) -> Any:
        merged = merge(QUESTION, ballots, schema=SCHEMA, answer=None, review_threshold=0.5, skills=sheet)
        return values.key(merged.result)

    if not decided(
        QUESTION,
        given_replies,
        missing,
        schema=SCHEMA,
        answer=None,
        review_threshold=0.5,
        min_responses=1,
        skills=sheet,
    ):
        return
    now = result(given_replies)
    for later in product([*OBJECTS, None], repeat=len(missing)):
        more = [ballot(call, "{}", value) for call, value in zip(missing, later, strict=True) if value is not None]
        assert result([*given_replies, *more]) == now


def ask(said: Sequence[int], count: int, sheet: SkillSheet | None = None) -> bool:
    panel = seats(MODELS[:count], [1.0] * count)
    replies = [ballot(call, f"The answer is {n}.") for call, n in zip(panel, said, strict=False)]
    return decided(
        QUESTION,
        replies,
        panel[len(replies) :],
        schema=None,
        answer=AnswerKind.NUMBER,
        review_threshold=0.5,
        min_responses=1,
        skills=sheet,
    )


def test_three_of_five_decide() -> None:
    assert ask([1, 1, 1], 5)
    assert not ask([1, 1], 5)
    assert not ask([1, 1, 1, 2], 6)


def test_a_skilled_model_that_is_missing_keeps_a_lead_open() -> None:
    skilled = SkillSheet(version=1, skills={"number": {"a": -1.0, "b": -1.0, "c": -1.0, "d": 0.0, "e": 4.0}})

    assert not ask([1, 1, 1], 5, skilled)
    assert ask([1, 1, 1, 1], 5, SkillSheet(version=1, skills={"number": dict.fromkeys("abcd", 3.0) | {"e": 0.0}}))


def test_a_structure_that_most_give_exactly_is_decided() -> None:
    panel = seats(MODELS[:5], [1.0] * 5)
    agreed = [ballot(call, "{}", {"x": 1, "y": [1]}) for call in panel[:3]]
    ordered = [ballot(call, "{}", {"x": 1, "y": [1, 2]}) for call in panel[:3]]
    torn = [ballot(call, "{}", {"x": 1, "y": [call.model == "a"]}) for call in panel[:3]]

    def settled(ballots: Sequence[Ballot]) -> bool:
        return decided(QUESTION, ballots, panel[3:], schema=SCHEMA, answer=None, review_threshold=0.5, min_responses=1)

    assert settled(agreed)
    assert not settled(torn)
    assert not settled(ordered)  # a missing reply could still change the order
