"""What is the same stays the same, whatever a later reply says, wherever that is promised."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ditto.domain.merging.firmness import firm
from ditto.domain.spec import AnswerKind
from tests.unit.merging.panels import merged, names, replies

WORDS = "12|13|12 km|12000 m|13 miles|5%|0.05|5|3.33|10/3|3.3333|Yes|No|(A)|B|[1]|(1,)|1, 2|2, 1|f(a=1)|1989"
MORE_WORDS = "9 November 1989|11/09/1989|1990|word|12.5|12.50 dollars|$12.50|1234|1,234|between 5 and 10"
SAID = st.sampled_from([*WORDS.split("|"), *MORE_WORDS.split("|"), '{"a": 1}', '{"a": 1.0}'])
QUESTION = "Which?\n(A) one\n(B) two"


def together(texts: list[str], question: str, kind: AnswerKind) -> set[frozenset[str]]:
    verdict = merged(question, replies(*texts), answer=kind)
    if verdict.agreement is None:
        return set()
    return {frozenset(verdict.supporting), *(frozenset(dissent.models) for dissent in verdict.dissent)}


@given(
    texts=st.lists(SAID, min_size=1, max_size=4),
    later=st.lists(SAID, min_size=1, max_size=4),
    kind=st.sampled_from(list(AnswerKind)),
    question=st.sampled_from(
        [QUESTION, "How many kilometers is it?", "How much?", "In what year was it?", "What percentage?"]
    ),
)
def test_a_later_reply_parts_and_joins_nothing_that_is_firm(
    texts: list[str], later: list[str], kind: AnswerKind, question: str
) -> None:
    if not firm(question, replies(*texts), answer=kind):
        return
    present = set(names(len(texts)))

    before = together(texts, question, kind)
    after = {group & present for group in together([*texts, *later], question, kind)} - {frozenset()}

    assert before == after


@pytest.mark.parametrize("kind", [AnswerKind.TEXT, AnswerKind.MATH])
def test_what_later_words_may_link_is_not_firm(kind: AnswerKind) -> None:
    assert not firm("Who?", replies("Kennedy", "Kennedy"), answer=kind)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["12", "13"], True),
        (["12 km", "13 miles"], True),
        (["12 km", "12"], False),
        (["5%", "0.05"], False),
        (["3.33", "3.34"], False),
    ],
)
def test_numbers_are_firm_where_none_hangs_on_the_others(texts: list[str], expected: bool) -> None:
    assert firm("How far is it?", replies(*texts), answer=AnswerKind.NUMBER) is expected


def test_an_allowed_list_is_firm() -> None:
    assert firm("Label it.", replies("spam"), answer=("spam", "ham"))
