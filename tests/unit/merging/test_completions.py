"""What is decided stays decided, whatever the missing replies say: tried with every completion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ditto.domain.confidence.kinship import Family
from ditto.domain.merging import merge, values
from ditto.domain.skills.sheet import SkillSheet
from ditto.domain.spec import AnswerKind, Call
from ditto.domain.strategies.settling import decided
from ditto.domain.verdict import Ballot

MODELS = "abcdefghijk"
QUESTION = "How many?"
REFUSAL = "I'm sorry, but I can't help with that."
UNREADABLE = "Let me think about it."
SILENT = (REFUSAL, UNREADABLE, None)
"""What a missing reply may be beside a vote: a refusal, an abstention, a failure."""

OLD, NEW = (1, 2, 3), (7, 8, 9, 10)
"""What the replies that are there say, and what only missing ones do."""

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
FIRST = (3, 0, 1, 2, 4, 5, 6, 7)
"""The objects, one first that can be decided: no list in it holds several items."""

LISTS_OF_PLAIN_VALUES: dict[str, Any] = {
    "type": "object",
    "properties": {
        "n": {"type": "array", "items": {"type": "integer"}},
        "t": {"type": "array", "items": {"type": "string"}},
    },
}
LISTS: tuple[Any, ...] = (
    {"n": [1, 2], "t": ["red", "blue"]},
    {"n": [1, 2], "t": ["red", "blue"]},
    {"n": [2, 1], "t": ["blue", "red"]},
    {"n": [1, 2, 3], "t": ["red", "blue", "green"]},
    {"n": [3], "t": ["green", "red"]},
    {"n": [2, 1, 1]},
    {"t": ["blue", "red", "blue"]},
    {"n": [1, 2], "t": ["blue", "red"]},
)
CALLS = (
    {"calls": [{"name": "f", "x": 1}, {"name": "g", "x": 1}]},
    {"calls": [{"name": "g", "x": 1}, {"name": "f", "x": 1}]},
    {"calls": [{"name": "f", "x": 1}, {"name": "f", "x": 2}]},
    {"calls": [{"name": "h", "x": 1}, {"name": "f", "x": 1}, {"name": "g", "x": 1}]},
    {"calls": [{"name": "g", "x": 2, "y": ["b", "a"]}, 3, {"name": "f", "x": 1}]},
    {"calls": [{"name": "f", "x": 1}]},
    {"calls": [1, 2], "y": ["a", "b"]},
    {"calls": []},
)
LISTS_OF_OBJECTS = {"type": "object", "properties": {"calls": {"type": "array"}}}
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


@st.composite
def panels(draw: st.DrawFn, missed: int) -> tuple[list[Call], list[int]]:
    """Draws a panel and what its first members say, each 0 to 7; half of them mostly 0, else few would be decided."""
    ahead = draw(st.booleans())
    answered = draw(st.integers(missed + 1, missed + 3) if ahead else st.integers(1, 5))
    count = answered + missed
    each = st.lists(st.sampled_from(MODELS), min_size=count, max_size=count)
    models = draw(st.permutations(MODELS) if ahead else each)[:count]
    heavy, light = (st.sampled_from([1.0, 1.0, 2.0]), st.sampled_from([0.0, 0.5, 1.0])) if ahead else (WEIGHTS, WEIGHTS)
    weights = [draw(heavy) for _ in range(answered)] + [draw(light) for _ in range(missed)]
    number = st.sampled_from([0] * 14 + [1, 2]) if ahead else st.sampled_from([0, 0, 0, 0, *range(1, 8)])
    return seats(models, weights), [draw(number) for _ in range(answered)]


def seats(models: Sequence[str], weights: Sequence[float]) -> list[Call]:
    return [
        Call(name=f"{model}#{at}", model=model, weight=weight)
        for at, (model, weight) in enumerate(zip(models, weights, strict=True))
    ]


def completions(missing: int, silent: Sequence[str | None]) -> Iterator[tuple[str | None, ...]]:
    """Yields what the missing replies may say: an old answer, new ones in any partition, or no vote."""

    def completed(left: int, opened: int) -> Iterator[tuple[str | None, ...]]:
        if not left:
            yield ()
            return
        for number in (*OLD, *NEW[: opened + 1]):
            newest = max(opened, NEW.index(number) + 1 if number in NEW else 0)
            yield from ((f"The answer is {number}.", *rest) for rest in completed(left - 1, newest))
        yield from ((text, *rest) for text in silent for rest in completed(left - 1, opened))

    yield from completed(missing, 0)


def ballot(call: Call, text: str, value: Any = None) -> Ballot:
    return Ballot(call=call.name, model=call.model, text=text, value=value, weight=call.weight)


@pytest.mark.parametrize("missed", [1, 2, 3, 4])
@settings(max_examples=10, deadline=None)
@given(sheet=sheets(AnswerKind.NUMBER), data=st.data())
def test_a_decided_answer_is_the_answer_in_every_completion(
    missed: int, sheet: SkillSheet | None, data: st.DataObject
) -> None:
    panel, said = data.draw(panels(missed))
    silent = SILENT if missed < 3 else (data.draw(st.sampled_from(SILENT)),)
    given_replies = [ballot(call, f"The answer is {OLD[n % 3]}.") for call, n in zip(panel, said, strict=False)]
    missing = panel[len(said) :]

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
    for later in completions(missed, silent):
        more = [ballot(call, text) for call, text in zip(missing, later, strict=True) if text is not None]
        assert answer([*given_replies, *more]) == now


@pytest.mark.parametrize("schema", [SCHEMA, LISTS_OF_PLAIN_VALUES, LISTS_OF_OBJECTS])
@pytest.mark.parametrize("missed", [1, 2, 3, 4])
@settings(max_examples=10, deadline=None)
@given(sheet=sheets(AnswerKind.JSON), data=st.data())
def test_a_decided_structure_keeps_every_field_in_every_completion(
    missed: int, schema: dict[str, Any], sheet: SkillSheet | None, data: st.DataObject
) -> None:
    objects: Sequence[Any] = OBJECTS if schema is SCHEMA else CALLS if schema is LISTS_OF_OBJECTS else LISTS
    first = FIRST if schema is SCHEMA else range(len(objects))
    panel, said = data.draw(panels(missed))
    given_replies = [ballot(call, "{}", objects[first[n]]) for call, n in zip(panel, said, strict=False)]
    missing = panel[len(said) :]
    told = data.draw(st.permutations(range(len(objects))))[: (8, 8, 6, 3)[missed - 1]]
    later_values = [*(objects[number] for number in told), REFUSAL, None]

    def result(ballots: Sequence[Ballot]) -> Any:
        merged = merge(QUESTION, ballots, schema=schema, answer=None, review_threshold=0.5, skills=sheet)
        return values.key(merged.result)

    if not decided(
        QUESTION,
        given_replies,
        missing,
        schema=schema,
        answer=None,
        review_threshold=0.5,
        min_responses=1,
        skills=sheet,
    ):
        return
    now = result(given_replies)
    for later in product(later_values, repeat=missed):
        more = [
            ballot(call, value if value is REFUSAL else "{}", value)
            for call, value in zip(missing, later, strict=True)
            if value is not None
        ]
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
    assert settled(ordered)
    assert not settled([*ordered[:2], agreed[0]])


def test_lists_are_decided_whose_schema_lets_them_be_voted_on_as_a_whole() -> None:
    panel = seats(MODELS[:5], [1.0] * 5)
    agreed = [ballot(call, "{}", {"n": [1, 2], "t": ["red", "blue"]}) for call in panel[:3]]

    def settled(ballots: Sequence[Ballot], schema: dict[str, Any]) -> bool:
        rest = panel[len(ballots) :]
        return decided(QUESTION, ballots, rest, schema=schema, answer=None, review_threshold=0.5, min_responses=1)

    assert settled(agreed, LISTS_OF_PLAIN_VALUES)
    assert not settled(agreed[:2], LISTS_OF_PLAIN_VALUES)
    assert settled(agreed, {"type": "object"})  # more than half give it: theirs is the order


def test_a_list_of_objects_that_most_give_is_decided_and_theirs_is_the_order_unless_they_are_relatives() -> None:
    panel = seats(MODELS[:5], [1.0] * 5)
    replies = [ballot(call, "{}", CALLS[n]) for call, n in zip(panel, (0, 0, 0, 3, 4), strict=True)]

    def settled(ballots: Sequence[Ballot], rest: Sequence[Call]) -> bool:
        schema = LISTS_OF_OBJECTS
        return decided(QUESTION, ballots, rest, schema=schema, answer=None, review_threshold=0.5, min_responses=1)

    merged = merge(QUESTION, replies, schema=LISTS_OF_OBJECTS, answer=None, review_threshold=0.5, skills=None)
    assert merged.result == CALLS[0]
    assert settled(replies[:3], panel[3:])
    same = seats("aaabc", [1.0] * 5)
    assert not settled([ballot(call, "{}", CALLS[0]) for call in same[:3]], same[3:])
