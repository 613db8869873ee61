"""Who is who in the Ray cluster under test: its actors and nodes as the head's own table has them.

The table is asked directly: a driver would be one more process to die with the cluster, and Ray's state API needs its
dashboard. The connection must be let go of before the head is ended: Ray ends a process that has lost its head.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ray._private.authentication.authentication_token_setup import maybe_enable_token_auth_if_token_available
from ray._raylet import GcsClientOptions, GlobalStateAccessor  # type: ignore[attr-defined]  # compiled
from ray.core.generated.gcs_pb2 import ActorTableData  # type: ignore[attr-defined]  # generated


class Role(StrEnum):
    """What an actor is for."""

    OWN = "job actor"
    HOST = "host"
    CALLER = "caller"
    KEEPER = "keeper"
    REPLICA = "replica"
    CONTROLLER = "controller"
    PROXY = "proxy"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A living actor; `node` is its node's id."""

    name: str
    role: Role
    pid: int
    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node as the head knows it."""

    id: str
    alive: bool
    raylet: str


class Cluster:
    """The cluster whose head listens at `address`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._accessor: GlobalStateAccessor | None = None

    def let_go(self) -> None:
        """Closes the connection; the next question opens another."""
        self._accessor = None

    def actors(self) -> list[Actor]:
        """Returns the living actors."""
        rows = [ActorTableData.FromString(row) for row in self._connected().get_actor_table(None, None)]
        return [
            Actor(name=row.name, role=_role(row.name, row.class_name), pid=row.pid, node=row.node_id.hex())
            for row in rows
            if row.state == ActorTableData.ALIVE
        ]

    def nodes(self) -> list[Node]:
        """Returns all nodes that ever joined."""
        rows = self._connected().get_node_table()
        return [Node(id=row["NodeID"], alive=row["Alive"], raylet=row["RayletSocketName"]) for row in rows]

    def _connected(self) -> GlobalStateAccessor:
        if self._accessor is not None:
            return self._accessor
        maybe_enable_token_auth_if_token_available(warn_if_disabled=False)
        options = GcsClientOptions.create(self._address, None, allow_cluster_id_nil=True, fetch_cluster_id_if_nil=False)
        accessor = GlobalStateAccessor(options)
        if not accessor.connect():
            raise ConnectionError(f"the head at {self._address} does not answer")
        self._accessor = accessor
        return accessor


def _role(name: str, class_name: str) -> Role:
    if class_name == "_JobActor":
        return Role.OWN if name.startswith("job:") else Role.HOST
    if class_name.startswith("ServeReplica"):
        return Role.REPLICA
    return {
        "_CallerActor": Role.CALLER,
        "_KeeperActor": Role.KEEPER,
        "ServeController": Role.CONTROLLER,
        "ProxyActor": Role.PROXY,
        "HAProxyManager": Role.PROXY,
    }.get(class_name, Role.OTHER)
