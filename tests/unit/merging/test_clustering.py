"""Average linkage: groups that hang together for the most part, whatever the order of what is given."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ditto.domain.merging import clustering, phrases
from tests.unit.merging.panels import merged, replies

PAIRS = st.integers(2, 9).flatmap(
    lambda count: st.tuples(
        st.just(count), st.sets(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=20)
    )
)
SENTENCES = st.sampled_from(
    [
        "Kennedy",
        "John Kennedy",
        "It was Johnson.",
        "Lyndon Johnson",
        "Kennedy, then Johnson followed him.",
        "Nixon",
        "1963",
    ]
)


def links(count: int, pairs: set[tuple[int, int]]) -> NDArray[np.bool_]:
    linked = np.zeros((count, count), dtype=np.bool_)
    for one, other in pairs:
        linked[one, other] = linked[other, one] = one != other
    return linked


def test_one_item_between_two_groups_does_not_join_them() -> None:
    bridge = {(0, 1), (3, 4), (1, 2), (2, 3)}

    first = clustering.clustered(links(5, bridge), np.zeros((5, 5)), [2.0, 1.0, 1.0, 1.0, 1.0])

    assert first[0] == first[1]
    assert first[3] == first[4]
    assert first[0] != first[3]


def test_what_is_all_linked_is_one_group() -> None:
    everything = {(one, other) for one in range(6) for other in range(6)}

    assert clustering.clustered(links(6, everything), np.zeros((6, 6)), [1.0] * 6) == [0] * 6


@given(drawn=PAIRS)
def test_groups_are_groups_of_connected_items(drawn: tuple[int, set[tuple[int, int]]]) -> None:
    linked = links(*drawn)

    first = clustering.clustered(linked, np.zeros(linked.shape), [1.0] * len(linked))

    assert all(first[each] == each for each in first)
    for at in range(len(linked)):
        others = [other for other in range(len(linked)) if first[other] == first[at] and other != at]
        assert not others or any(linked[at, other] for other in others)


@given(texts=st.lists(SENTENCES, min_size=1, max_size=8), data=st.data())
def test_texts_are_grouped_the_same_in_any_order(texts: list[str], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(texts))))

    keys = phrases.classes(texts, "Who was it?")
    shuffled = phrases.classes([texts[at] for at in order], "Who was it?")

    assert [keys[at] for at in order] == shuffled


def test_a_reply_that_names_two_answers_does_not_make_them_one() -> None:
    panel = replies(
        "the Speaker",
        "The Speaker presides over it.",
        "Either the Speaker or the President presides over it, as the rules say.",
        "The President of India presides over it.",
        "the President",
    )

    verdict = merged("who presides over the joint sessions", panel)

    assert not {"a", "e"} <= set(verdict.supporting)
    assert {"a", "b"} <= set(verdict.supporting) or {"d", "e"} <= set(verdict.supporting)
