"""What goes over the warm path comes out as it went in, whatever it is made of."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ditto.domain.events import Failure, Reply
from ditto.errors import KeyTaken
from ditto.runtime.actors.packing import packed, unpacked
from ditto.runtime.orders import Outcome, Seen


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Single:
    only: Any


@dataclass(slots=True)
class Open:
    many: dict[str, Any] = field(default_factory=dict)


@dataclass
class Loose:
    name: str


@dataclass(frozen=True, slots=True)
class Empty: ...


@pytest.mark.parametrize(
    "value",
    [
        Single(Single((1, "two", b"three"))),
        Open({"a": Single(Colour.RED)}),
        Loose("as Python has it"),
        Empty(),
        Colour.RED,
        datetime(2026, 1, 2, tzinfo=UTC),
        Single,
        Outcome(order_id="j/0.0/m", caller="c", result=Reply(text="42", warnings=("w",))),
        Outcome(order_id="j/0.0/m", caller="c", result=Failure(type="Timeout", message="late")),
    ],
)
def test_a_value_comes_out_as_it_went_in(value: Any) -> None:
    [came] = unpacked(packed(value))

    assert came == value
    assert type(came) is type(value)


def test_a_value_that_came_is_frozen_hashable_and_can_be_changed_by_replacing() -> None:
    [came] = unpacked(packed(Seen(instance="i", last=3)))

    assert hash(came) == hash(Seen(instance="i", last=3))
    assert replace(came, last=4) == Seen(instance="i", last=4)
    with pytest.raises(AttributeError):
        came.last = 5


def test_one_value_in_two_places_stays_one() -> None:
    shared = Single("a long prompt")

    first, second = unpacked(packed(Single(shared), shared))

    assert first.only is second


def test_an_error_comes_with_its_arguments() -> None:
    [came] = unpacked(packed(KeyTaken("job", "print")))

    assert (type(came), came.args) == (KeyTaken, ("job", "print"))


@given(st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.builds(Single, inner)))
def test_it_is_what_pickle_would_have_made_of_it(value: Any) -> None:
    assert unpacked(packed(value)) == (pickle.loads(pickle.dumps(value)),)
