"""Laws of merging, for panels of any make."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ditto.domain.merging import values, voting
from ditto.domain.merging.likeness import Likeness
from ditto.domain.spec import JSON, AnswerKind
from ditto.domain.verdict import Ballot, Verdict
from tests.unit.merging.panels import merged, names, objects, replies

QUESTIONS = st.sampled_from(
    ["How many are left?", "Is it so?", "Which?\n(A) one\n(B) two\n(C) three", "Who wrote it?", "Write a poem."]
)
TEXTS = st.one_of(
    st.sampled_from(
        ["The answer is 4.", "4", "$4.00", "5", "Yes.", "No.", "(A)", "The answer is (B).", "\\boxed{C}", "Mark Twain"]
    ),
    st.sampled_from(
        ["I'm sorry, but I can't help with that.", "What do you mean by that?", "", '{"answer": "4"', "🙂。"]
    ),
    st.text(max_size=40),
)
FINISHES = st.sampled_from(["stop", "stop", "stop", "length", "content_filter", "other"])
PANELS = st.lists(
    st.tuples(TEXTS, FINISHES, st.sampled_from([0.0, 0.5, 1.0, 1.0, 1.0, 2.0])), min_size=1, max_size=7
).map(lambda rows: replies(*(r[0] for r in rows), finish=[r[1] for r in rows], weights=[r[2] for r in rows]))
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["a", "A ", "b", "2020-01-02"]))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["name", "x", "y"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def unique_winner(verdict: Verdict) -> bool:
    return all(len(dissent.models) < len(verdict.supporting) for dissent in verdict.dissent)


@given(question=QUESTIONS, panel=PANELS)
def test_a_text_result_is_one_of_the_replies_verbatim(question: str, panel: list[Ballot]) -> None:
    verdict = merged(question, panel)

    assert (verdict.chosen, verdict.result) in [(ballot.call, ballot.text) for ballot in panel]


@given(question=QUESTIONS, panel=PANELS)
def test_what_is_stated_is_possible(question: str, panel: list[Ballot]) -> None:
    verdict = merged(question, panel)

    chances = [verdict.confidence, *(reading.confidence for reading in verdict.readings)]
    assert all(chance is None or 0.0 <= chance <= 1.0 for chance in chances)
    assert verdict.agreement is None or 0.0 < verdict.agreement <= 1.0
    assert [reading.call for reading in verdict.readings] == [ballot.call for ballot in panel]
    if verdict.agreement is not None:
        assert abs(verdict.agreement + sum(dissent.share for dissent in verdict.dissent) - 1.0) < 1e-9


@given(question=QUESTIONS, panel=PANELS.map(lambda panel: [replace(b, weight=1.0) for b in panel]), data=st.data())
def test_the_order_of_the_replies_decides_nothing_but_ties(
    question: str, panel: list[Ballot], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(panel))

    first, second = merged(question, panel), merged(question, shuffled)

    assert first.agreement == second.agreement
    assert first.intent is second.intent
    assert {r.call: r.answer for r in first.readings} == {r.call: r.answer for r in second.readings}
    if unique_winner(first):
        assert first.result == second.result
        assert first.answer == second.answer
        assert first.confidence == second.confidence
        assert first.agreement is None or set(first.supporting) == set(second.supporting)


@given(question=QUESTIONS, panel=PANELS)
def test_other_names_change_nothing(question: str, panel: list[Ballot]) -> None:
    renamed = [replace(ballot, call=f"x{at}", model=f"x{at}") for at, ballot in enumerate(panel)]
    back = {f"x{at}": ballot.call for at, ballot in enumerate(panel)}

    first, second = merged(question, panel), merged(question, renamed)

    assert first.result == second.result
    assert first.confidence == second.confidence
    assert first.supporting == tuple(back[call] for call in second.supporting)


@given(question=QUESTIONS, panel=PANELS.map(lambda panel: [replace(b, weight=1.0) for b in panel]))
def test_with_equal_weights_no_smaller_group_beats_a_larger(question: str, panel: list[Ballot]) -> None:
    verdict = merged(question, panel)

    assert all(len(dissent.models) <= len(verdict.supporting) for dissent in verdict.dissent)


@given(numbers=st.lists(st.integers(1, 4), min_size=2, max_size=12))
def test_one_more_supporter_never_lowers_the_confidence(numbers: list[int]) -> None:
    panel = replies(*(f"The answer is {number}." for number in numbers))
    before = merged("How many?", panel, answer=AnswerKind.NUMBER)
    more = replace(panel[0], call="more", model="more", text=f"The answer is {before.answer}.")

    after = merged("How many?", [*panel, more], answer=AnswerKind.NUMBER)

    assert after.answer == before.answer
    assert before.confidence is not None
    assert after.confidence is not None
    assert after.confidence >= before.confidence - 1e-9


@given(given_values=st.lists(VALUES, min_size=1, max_size=5))
def test_a_structured_result_is_valid_and_every_pointer_leads_into_it(given_values: list[JSON]) -> None:
    panel = objects(*given_values)

    verdict = merged("Fill it in.", panel, schema={"$comment": "anything"})

    for pointer in verdict.fields:
        at = verdict.result
        for part in pointer.split("/")[1:]:
            at = at[int(part)] if isinstance(at, list) else at[part]
    assert len(verdict.readings) == len(panel)


@given(value=VALUES, count=st.integers(1, 4))
def test_a_unanimous_panel_is_given_back_unchanged(value: JSON, count: int) -> None:
    verdict = merged("Fill it in.", objects(*[value] * count), schema={"$comment": "anything"})

    assert values.key(verdict.result) == values.key(value)
    assert verdict.agreement == 1.0


@given(value=VALUES)
def test_every_value_is_the_same_as_itself(value: JSON) -> None:
    assert values.key(value) == values.key(value)
    assert values.similarity(value, value) == 1.0


@given(lists=st.lists(st.lists(VALUES, max_size=4), min_size=1, max_size=4))
def test_elements_compared_once_are_as_similar_as_compared_each_time(lists: list[list[JSON]]) -> None:
    likeness = Likeness(dict(enumerate(lists)))

    for voter, one in enumerate(lists):
        for row, element in zip(likeness.numbers[voter], one, strict=True):
            for other, elements in enumerate(lists):
                found = [float(likeness.matrix[row, column]) for column in likeness.numbers[other]]
                assert found == [values.similarity(element, each) for each in elements]


@given(weights=st.lists(st.sampled_from([0.1, 0.2, 0.3]), min_size=3, max_size=9), data=st.data())
def test_sums_of_weights_do_not_depend_on_their_order(weights: list[float], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(weights))))
    keys = dict.fromkeys(range(len(weights)), "same")
    texts = ["4"] * len(weights)
    panel, shuffled = replies(*texts, weights=weights), replies(*texts, weights=[weights[at] for at in order])

    first = voting.ranked(keys, voting.electorate(panel, None, None))
    second = voting.ranked(keys, voting.electorate(shuffled, None, None))

    assert first[0].weight == second[0].weight


def test_panels_of_any_size_have_names() -> None:
    assert len(set(names(1000))) == 1000
