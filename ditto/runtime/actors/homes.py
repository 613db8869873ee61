"""Which node an actor begins on: numbered ones go round the nodes, so holders and callers of models meet on each.

An actor that asks Ray for nothing comes to be on any node, by chance and whatever its strategy says: of three hosts two
are on one node then, and most calls go through another node than their job's. So ours ask for a byte of memory, and
`host:1-…` and `caller:1-…` begin on the same node, the next numbers on the next one, and jobs' own actors where their
names have them. A node that tells Ray it has no cores is left alone where there are others: `ditto deploy kubernetes`
has that of the head. All this is a wish: an actor whose node has gone, or is full, begins on another.

Which actors are near is worked out in the same way, once for each process. Where nodes come or go later that is wrong
for some: what goes to them takes longer, and a node may be given more than its part, until Ditto is begun anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

HEAD = "node:__internal_head__"
"""The resource by which Ray marks the head node."""
_A_BYTE = {"memory": 1}
"""What an actor asks for that is to be placed as is wished."""

Nodes = Sequence[Mapping[str, Any]]
"""As Ray tells of them."""


def placed(name: str) -> dict[str, Any]:
    """Returns what to tell Ray so that it begins the actor of this name at its home."""
    nodes = _nodes()
    if sum(node["Alive"] for node in nodes) < 2:
        return {}
    strategy = NodeAffinitySchedulingStrategy(home(name, ordered(nodes)), soft=True, _spill_on_unavailable=True)
    return {"scheduling_strategy": strategy, **_A_BYTE}


def here(names: Sequence[str]) -> list[str]:
    """Returns those of the actors of these names that begin on this process's node."""
    homes, own = ordered(_nodes()), ray.get_runtime_context().get_node_id()
    return [name for name in names if homes and home(name, homes) == own]


def ordered(nodes: Nodes) -> list[str]:
    """Returns the ids of the nodes on which actors begin, the head's first."""
    alive = [node for node in nodes if node["Alive"]]
    working = [node for node in alive if node["Resources"].get("CPU")] or alive
    return [
        node["NodeID"] for node in sorted(working, key=lambda each: (HEAD not in each["Resources"], each["NodeID"]))
    ]


def home(name: str, homes: Sequence[str]) -> str:
    """Returns which of these nodes the actor of this name begins on."""
    number = name.partition(":")[2].partition("-")[0]
    return homes[(int(number) if number.isdigit() else crc32(name.encode())) % len(homes)]


def _nodes() -> Nodes:
    nodes: Nodes = ray.nodes()  # type: ignore[no-untyped-call]  # Ray has no type for it
    return nodes
