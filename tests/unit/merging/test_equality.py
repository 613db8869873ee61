"""Which answers of a panel are the same: every row is a question and the groups that its replies must fall into."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ditto.domain.merging import mathematics, notation, numbers, values, wording
from ditto.domain.merging.equality import Rounded, linked, rounded
from ditto.domain.spec import AnswerKind
from ditto.domain.verdict import Verdict
from tests.unit.merging.panels import merged, replies
from tests.unit.merging.prose_answers import PROSE
from tests.unit.merging.same_answers import PANELS


def grouped(verdict: Verdict) -> set[frozenset[str]]:
    """Returns the calls that stand together."""
    return {frozenset(verdict.supporting), *(frozenset(dissent.models) for dissent in verdict.dissent)}


@pytest.mark.parametrize(
    ("question", "groups", "kind"), PANELS, ids=[f"{at} {row[0][:40]}" for at, row in enumerate(PANELS)]
)
def test_replies_that_mean_the_same_are_one_answer(
    question: str, groups: list[list[str]], kind: AnswerKind | None
) -> None:
    panel = replies(*(text for group in groups for text in group))
    names = iter(ballot.call for ballot in panel)
    expected = {frozenset(next(names) for _ in group) for group in groups}

    assert grouped(merged(question, panel, answer=kind)) == expected


@pytest.mark.parametrize(
    ("question", "groups", "kind"), PANELS, ids=[f"{at} {row[0][:40]}" for at, row in enumerate(PANELS)]
)
def test_the_order_of_replies_makes_no_other_groups(
    question: str, groups: list[list[str]], kind: AnswerKind | None
) -> None:
    panel = replies(*(text for group in groups for text in group))
    shuffled = random.Random(4).sample(panel, len(panel))

    assert grouped(merged(question, panel, answer=kind)) == grouped(merged(question, shuffled, answer=kind))


@pytest.mark.parametrize(
    ("question", "kind", "groups"), PROSE, ids=[f"{at} {row[0][:40]!r}" for at, row in enumerate(PROSE)]
)
def test_prose_is_read_and_grouped_by_what_it_comes_to(
    question: str, kind: AnswerKind, groups: list[list[str]]
) -> None:
    panel = replies(*(text for group in groups for text in group))
    names = iter(ballot.call for ballot in panel)
    expected = {frozenset(next(names) for _ in group) for group in groups}
    shuffled = random.Random(7).sample(panel, len(panel))

    verdict = merged(question, panel)

    assert (verdict.kind, grouped(verdict)) == (kind, expected)
    assert grouped(merged(question, shuffled)) == expected


NUMBERS = st.one_of(st.integers(-(10**12), 10**12), st.floats(-1e12, 1e12), st.fractions(max_denominator=10**6))


@given(number=NUMBERS)
def test_the_representative_of_a_number_is_its_own(number: float) -> None:
    key = numbers.key(number)

    assert numbers.key(key) == key


@given(written=st.lists(st.decimals(-100, 100, places=4), min_size=1, max_size=12), data=st.data())
def test_rounded_numbers_stand_for_the_same_in_any_order(written: list[object], data: st.DataObject) -> None:
    digits = data.draw(st.lists(st.integers(0, 4), min_size=len(written), max_size=len(written)))
    given_numbers = [as_written(f"{number:.{places}f}") for number, places in zip(written, digits, strict=True)]
    order = data.draw(st.permutations(range(len(given_numbers))))

    first = rounded(given_numbers)
    second = rounded([given_numbers[at] for at in order])

    assert [first[at] for at in order] == second
    assert all(
        first[at] == first[other]
        for at, one in enumerate(given_numbers)
        for other, two in enumerate(given_numbers)
        if one.value == two.value
    )


def as_written(text: str) -> Rounded:
    quantity = numbers.entire(text)
    assert quantity is not None
    return Rounded(quantity.value, quantity.step, quantity.digits)


@given(senses=st.lists(st.lists(st.integers(0, 8), min_size=1, max_size=3), min_size=1, max_size=12))
def test_linking_is_closed(senses: list[list[int]]) -> None:
    groups = linked(senses)

    for at, one in enumerate(senses):
        for other, two in enumerate(senses):
            if set(one) & set(two):
                assert groups[at] == groups[other]


@given(text=st.text(alphabet="0123456789+-*/^_{}()[]|\\\\ xy.,=<>πfracsqrtno", max_size=60))
def test_plain_notation_is_plain_already(text: str) -> None:
    plain = notation.plain(text)

    assert notation.plain(plain) == plain


@given(text=st.text(max_size=60))
def test_anything_may_be_looked_at_as_mathematics(text: str) -> None:
    assert mathematics.senses(text) == mathematics.senses(text)


@given(text=st.text(max_size=60))
def test_the_words_of_words_are_the_same_words(text: str) -> None:
    plain = [word.plain for word in wording.words(text)]

    assert [word.plain for word in wording.words(" ".join(plain))] == [
        word.plain for piece in plain for word in wording.words(piece)
    ]


@given(value=st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
def test_a_number_is_the_same_written_as_a_whole_and_with_a_point(value: float) -> None:
    if value == int(value) and abs(value) < 2**53:
        assert values.key(int(value)) == values.key(float(value))


@pytest.mark.parametrize(
    ("less_exact", "more_exact", "same"),
    [
        ("3.33", "10/3", True),
        ("0.33", "1/3", True),
        ("0.3", "1/3", False),
        ("3", "10/3", False),
        ("3.34", "10/3", False),
    ],
)
def test_a_rounded_number_is_the_exact_one_where_it_says_enough(less_exact: str, more_exact: str, same: bool) -> None:
    verdict = merged("How much is it?", replies(less_exact, more_exact), answer=AnswerKind.NUMBER)

    assert (verdict.agreement == 1.0) is same


def test_a_rounded_number_that_fits_two_exact_ones_is_neither() -> None:
    verdict = merged("How much?", replies("1.23", "1.2311", "1.2312"), answer=AnswerKind.NUMBER)

    assert verdict.agreement == pytest.approx(1 / 3)


def test_days_before_months_are_read_as_the_clear_dates_of_the_panel_say() -> None:
    verdict = merged("When was it?", replies("04/07/1776", "4 July 1776", "1776-07-04"))

    assert verdict.answer == "1776-07-04"
    assert verdict.agreement == 1.0


def test_days_come_first_where_the_question_is_not_english() -> None:
    verdict = merged("Wann ist das passiert und warum ist es so?", replies("04/07/1776", "04/07/1776"))

    assert verdict.answer == "1776-07-04"


def test_a_year_joins_the_only_day_that_it_fits() -> None:
    one_day = merged("When was it?", replies("20 July 1969", "1969", "20 July 1969"))
    two_days = merged("When was it?", replies("20 July 1969", "1969", "21 July 1969"))

    assert one_day.agreement == 1.0
    assert two_days.agreement == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("in the 1990s", "1990s"),
        ("17th century", "17th century"),
        ("the 2014-15 season", "2014/15"),
        ("1914-1918", "1914 to 1918"),
    ],
)
def test_decades_centuries_and_seasons_are_dates(text: str, shown: str) -> None:
    assert merged("When was it?", replies(text), answer=AnswerKind.DATE).answer == shown


def test_a_decade_joins_the_only_year_that_it_holds() -> None:
    assert merged("When was it?", replies("1990s", "1994", "in 1994")).agreement == 1.0
    assert merged("When was it?", replies("1990s", "1994", "in 1996")).agreement == pytest.approx(1 / 3)


def test_dates_with_other_zones_are_compared_as_moments() -> None:
    verdict = merged(
        "When does it start?", replies("2024-01-01T00:30:00Z", "2023-12-31 19:30 EST", "2024-01-01T00:30Z")
    )

    assert verdict.agreement == 1.0


def test_lists_are_compared_in_order_only_where_an_order_is_asked_for() -> None:
    panel = replies("Mercury, Venus, Earth", "Earth, Venus, Mercury")

    assert merged("List the three inner planets.", panel).agreement == 1.0
    assert merged("List the three inner planets in order from the sun.", panel).agreement == 0.5


def test_lists_that_everybody_makes_up_are_no_vote() -> None:
    panel = replies("- tea\n- games\n- songs", "- hats\n- cakes\n- a film", "- a walk\n- a race\n- a play")

    assert merged("Give the three best ideas for a party.", panel, answer=None).answer != ["tea", "games", "songs"]


HOSTILE = [
    "answer: ",
    "。",
    "\\frac{1",
    "1 ",
    "one hundred and ",
    "- a\n",
    "Dr. A ",
    "f(a=",
    "<think>\n",
    "5 to ",
    "a, ",
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", [None, *AnswerKind])
@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_repetition_is_read_as_any_kind_in_passing(piece: str, kind: AnswerKind | None) -> None:
    verdict = merged("How many are there?", replies(piece * (100_000 // len(piece)), "4"), answer=kind)

    assert len(verdict.readings) == 2


FRAGMENTS = [
    "1e999", "\\frac{1}{0}", "0/0", "NaN", "9" * 400, "1,2,3", "99/99/9999", "24:00",
    "0.\\overline{3}", "300!", "x^{x^{x}}", "9999-12-31T23:59:59-14",
    "\\begin{pmatrix}\\end{pmatrix}", "f(**a)", "{\"answer\": Infinity}", "{\"answer\": [[]]}", "±1",
    "half half an hour", "一一一", "万", "minus minus 5", "5 to", "=", "\\boxed{", "```", "**", "(A)",
    "yes no", "- a\n- b", "<think>", "１２", "Ⅷ", "½", "a → b → c", "5 km", "$5", "\\text{no}",
    "X or Y", "the answer is", "\x00",
]  # fmt: skip


@given(
    texts=st.lists(st.lists(st.sampled_from(FRAGMENTS), max_size=4).map(" ".join), min_size=1, max_size=5),
    question=st.sampled_from([row[0] for row in PANELS]),
    kind=st.sampled_from([None, *AnswerKind]),
    data=st.data(),
)
def test_whatever_is_said_is_grouped_the_same_in_any_order(
    texts: list[str], question: str, kind: AnswerKind | None, data: st.DataObject
) -> None:
    panel = replies(*texts)
    shuffled = data.draw(st.permutations(panel))

    first, second = merged(question, panel, answer=kind), merged(question, shuffled, answer=kind)

    assert {reading.call: reading.answer for reading in first.readings} == {
        reading.call: reading.answer for reading in second.readings
    }
    assert (first.agreement is None) == (second.agreement is None)
    if first.agreement is not None:
        assert grouped(first) == grouped(second)
