"""Numbered actors go round the nodes, so that holders and callers of models meet on each."""

from __future__ import annotations

from collections import Counter

import pytest

from ditto.domain.events import Reply
from ditto.domain.spec import Placement
from ditto.runtime.actors import homes
from ditto.runtime.actors.homes import HEAD, home, ordered
from ditto.runtime.calling import Lines
from ditto.runtime.placement import Placer, Spares
from tests.unit.runtime.callers import CannedModels, KillableCaller
from tests.unit.runtime.town import Town

HOMES = ["n0", "n1", "n2"]


def node(name: str, *, alive: bool = True, cores: float = 2, head: bool = False) -> dict[str, object]:
    return {"NodeID": name, "Alive": alive, "Resources": {"CPU": cores} | ({HEAD: 1.0} if head else {})}


def test_hosts_and_callers_of_one_number_have_one_home_and_the_numbers_go_round():
    for number in range(6):
        assert home(f"host:{number}-ab12", HOMES) == home(f"caller:{number}-cd34", HOMES) == HOMES[number % 3]


def test_jobs_own_actors_are_spread_by_their_names():
    lived = Counter(home(f"job:01ARZ3NDEKTSV4RRFFQ69G5F{number:02}", HOMES) for number in range(90))
    assert set(lived) == set(HOMES)
    assert min(lived.values()) > 15


def test_every_process_finds_the_same_order_of_the_nodes_the_head_first():
    nodes = [node("b"), node("c", head=True), node("a")]
    assert ordered(nodes) == ordered(nodes[::-1]) == ["c", "a", "b"]


def test_nodes_that_are_dead_or_have_no_cores_are_nobodys_home():
    assert ordered([node("a", head=True, cores=0), node("b"), node("c", alive=False)]) == ["b"]


def test_where_no_node_has_cores_all_of_them_are_homes():
    assert ordered([node("a", cores=0), node("b", cores=0, head=True)]) == ["b", "a"]


@pytest.mark.parametrize(
    ("near", "asked"),
    [(("caller:1",), {"caller:1"}), ((), {"caller:0", "caller:1"}), (("caller:9",), {"caller:0", "caller:1"})],
    ids=["one is near", "none is", "one that is not there any more is"],
)
async def test_a_holder_gives_its_calls_to_callers_near_it_where_there_are_some(near, asked):
    callers = {name: KillableCaller(CannedModels({"a": Reply(text="42")})) for name in ("caller:0", "caller:1")}
    lines = Lines(callers, holder="host:0", epoch=1, deliver=print, replaced=print, near=near)
    assert {lines.pick(f"job {number}") for number in range(30)} == asked
    await lines.close()


def test_an_actor_is_placed_where_it_has_its_home_and_one_node_places_nothing(monkeypatch):
    monkeypatch.setattr(homes, "_nodes", lambda: [node("a" * 56, head=True), node("b" * 56)])
    wished = homes.placed("host:1-ab12")
    assert wished["scheduling_strategy"].node_id == "b" * 56
    assert wished["scheduling_strategy"].soft
    assert wished["memory"] > 0  # who asks for nothing is placed by chance

    monkeypatch.setattr(homes, "_nodes", lambda: [node("a" * 56, head=True), node("b" * 56, alive=False)])
    assert homes.placed("host:1-ab12") == {}


async def test_new_jobs_go_to_near_hosts_and_all_else_to_any():
    town = Town(spares=0)
    placer = Placer(
        town, Spares(town), hosts=["host:0", "host:1", "host:2"], near=["host:1"], dedicated_jobs=4, new_id=town.new_id
    )
    began: list[str] = []
    town.create_host = began.append

    for _ in range(3):
        placer.place(Placement.SHARED)
    for _ in range(3):
        placer.shared()

    assert began == ["host:1"] * 3 + ["host:0", "host:1", "host:2"]
