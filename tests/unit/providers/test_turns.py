"""Calls wait for their turn in order, and turns go round between the keys that they come under."""

from __future__ import annotations

from collections import Counter

from ditto.sim.allowances import Allowance
from tests.unit.providers.allowing import Crowd, desk_of, limit

PLENTY = Allowance(10_000, closes_s=1)


def test_a_key_that_asks_little_is_not_held_up_by_one_that_asks_much():
    desk = desk_of(requests_per_second=10)
    crowd = Crowd([desk], PLENTY)
    for _ in range(1000):
        crowd.ask(desk, key="batch")
    for _ in range(5):
        crowd.ask(desk, key="person")
    crowd.run(2)
    assert crowd.answered["person"] == 5
    assert 10 <= crowd.answered["batch"] <= 16


def test_keys_that_ask_much_get_the_same():
    desk = desk_of(requests_per_second=30)
    crowd = Crowd([desk], PLENTY)
    for key in ("a", "b", "c"):
        for _ in range(1000):
            crowd.ask(desk, key=key)
    crowd.run(20)
    assert max(crowd.answered.values()) - min(crowd.answered.values()) <= 1


def test_under_one_key_calls_go_in_the_order_in_which_they_came():
    desk = desk_of("first", "second", requests_per_second=5)
    crowd = Crowd([desk], PLENTY)
    went: list[int] = []
    for number in range(10):
        crowd.ask(desk, name="first")
        desk.all_for("first")[-1].grant = lambda now, number=number: went.append(number)
    crowd.run(5)
    assert went == list(range(10))


def test_a_key_with_many_models_gets_no_more_of_a_provider_than_one_with_a_single_model():
    names = [f"m{number}" for number in range(9)]
    desk = desk_of(*names, whole=limit(requests_per_second=20))
    crowd = Crowd([desk], PLENTY)
    for name in names:
        for _ in range(100):
            crowd.ask(desk, key="many", name=name)
    for _ in range(100):
        crowd.ask(desk, key="single", name="m0")
    crowd.run(8)
    assert abs(crowd.answered["many"] - crowd.answered["single"]) <= 2


def test_a_slow_model_does_not_hold_up_another_of_its_provider():
    desk = desk_of("slow", "quick", whole=limit(requests_per_second=1000))
    slow = desk_of(requests_per_second=1).lanes["m"]
    desk.lanes["slow"] = slow
    crowd = Crowd([desk], PLENTY)
    went: Counter[str] = Counter()
    for name in ("slow", "quick"):
        for _ in range(50):
            crowd.ask(desk, name=name)
            desk.all_for(name)[-1].grant = lambda now, name=name: went.update([name])
    crowd.run(1.5)
    assert went["quick"] == 50
    assert went["slow"] <= 2


def test_a_call_that_was_refused_goes_first_but_not_before_anything_was_taken_since():
    desk = desk_of(requests_per_second=10)
    crowd = Crowd([desk], PLENTY)
    lane = desk.lanes["m"]
    lane.proven = False
    went: list[str] = []
    for name, again in (("fresh 1", 0), ("refused", 1), ("fresh 2", 0)):
        crowd.ask(desk, again=again)
        desk.all_for("m")[-1 if not again else 0].grant = lambda now, name=name: went.append(name)
    crowd.run(0.05)
    lane.answered(0.0, None, None)
    crowd.run(1)
    assert went == ["fresh 1", "refused", "fresh 2"]
