"""A changed value is what `dataclasses.replace` makes, and the one it was made of stays as it was."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, replace

from ditto.domain.changing import changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    name: str
    floor: int = 0
    rooms: tuple[str, ...] = ()


def test_a_changed_value_is_what_replace_makes() -> None:
    place = Place(name="mill", rooms=("hall",))

    for changes in ({}, {"floor": 2}, {"name": "barn", "rooms": ()}):
        assert changed(place, changes) == replace(place, **changes)

    assert place == Place(name="mill", rooms=("hall",))


def test_a_changed_value_can_be_sent_like_any_other() -> None:
    moved = changed(Place(name="mill"), {"floor": 1})

    assert pickle.loads(pickle.dumps(moved)) == moved
    assert hash(moved) == hash(Place(name="mill", floor=1))
