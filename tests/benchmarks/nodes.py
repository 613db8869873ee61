"""What three nodes carry beside one, where jobs live and who asks for them, and where each database ends.

`python -m tests.benchmarks.nodes [--quick] [--json FILE]` starts three Ray clusters of one node and then one of three,
each node with a raylet and actors of its own, `serve run` in each cluster, and asks jobs of three models of 50 ms on
shared hosts, 32 at once for each node: with the journal in SQLite, whose holders live beside the file, and in
PostgreSQL, whose live on all nodes; callers of models do in both. It prints on which nodes jobs were held and models
called, what part of the calls was made on the node of its job's holder, and CPU. All of it runs in a network of its own
that has nothing but loopback, for which it has to be root.

One machine cannot show three machines' time, so what nodes carry is worked out from counted work. A node has `CORES`
cores, of which `rest` are used when nobody asks. A job costs CPU on the node that holds it, and every job of the
cluster costs some on the head, whose are the ingress, Serve's controller, GCS and the keeper. Serve's ingress gives a
request to the replica that has the fewest, so nodes with room are given more, and no core is idle:

    cost(node) = CPU of its holders, callers and replicas beyond rest / jobs held there
    fixed(node) = its other CPU beyond rest / jobs of the cluster
    held(node) = (CORES - rest(node) - fixed(node) * carries) / cost(node)
    carries = sum of held(node) = sum((CORES - rest) / cost) / (1 + sum(fixed / cost)), jobs a second
    ratio = carries of three nodes / carries of one

What is gathered into one message or commit, and so what a job costs, depends on how much of a core a node has. So one
node is never measured alone, but three clusters of one node at the same time, each asked as much as a node of three is;
of them the one in the middle counts.

It is about 3 where three nodes cost nothing more than one does. A database's server counts as a machine of its own:
what one core of it takes is 1 / (its CPU for a job). SQLite is no server but a file that one node has and whose jobs
all are held there, so where it ends is where that node does, and one holder of it at 1 / (CPU of the holder for a job).

What this cannot show: the network between nodes, and time, with more cores than there are here; a database's disk and
its locks, for which `tests.benchmarks.store` has many writers. What cores share (memory, caches, clock rates) makes CPU
for a job differ by a tenth between runs.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
from rich.console import Console
from rich.table import Table

from ditto.domain import events as ev
from ditto.runtime.ingress import use_haproxy
from ditto.runtime.ports import own_ports
from tests import postgres
from tests.acceptance.heads import free_ports
from tests.acceptance.processes import process, said
from tests.benchmarks.recovery.ditto_side import marked
from tests.benchmarks.speed import load
from tests.benchmarks.speed.measuring import FULL, MODEL_MS, PANEL, QUICK, Plan, until_spares
from tests.benchmarks.speed.systems import PROMPT, PROVIDER, Used, cpu_s_of, names, started_mock, used
from tests.chaos.cluster import Cluster, Role
from tests.chaos.journal import Store
from tests.chaos.service import RAY

NODES = 3
CORES = 2
"""Of each node, as it tells Ray and as they are counted; the processes find all of this machine's."""
AT_ONCE = 32
"""For each node."""
WANTED = 2.5
JOBS_OWN = ("holder", "caller", "replica")
"""What a job costs where it is held; all else it costs on the head, wherever it is held."""
SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
SERVE = str(Path(RAY).with_name("serve"))
LOOPBACK = "127.0.0.1"
REST_S, QUICK_REST_S = 10.0, 3.0
READY_S = 90.0
GONE_S = 20.0
_ALONE = "DITTO_NODES_ALONE"
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1

ServerCpu = Callable[[], float]
"""Returns the CPU that a database's server has used, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A service in a cluster.

    Attributes:
        address: Of its Ray cluster.
        marks: What stands in the environment of each node's processes, the head's first.
    """

    url: str
    address: str
    store: str
    marks: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What had been used at one moment, by node and by the database's server."""

    at_s: float
    nodes: list[Used]
    server_s: float

    def since(self, before: Look) -> list[dict[str, float]]:
        """Returns what each node has used between the two, in seconds by kind of process."""
        return [now.since(then) for now, then in zip(self.nodes, before.nodes, strict=True)]

    def of(self, first: int, nodes: int) -> Look:
        """Returns what some of the nodes had used."""
        return replace(self, nodes=self.nodes[first : first + nodes])


@contextlib.contextmanager
def started(folder: Path, models: str, store: str, nodes: int) -> Iterator[Spread]:
    """Yields a service with its journal in `store`, in a cluster of so many nodes; all of it has ended afterwards."""
    marks = [f"{folder}/{number}/" for number in range(nodes)]
    port, clients, http = free_ports(3)
    address = f"{LOOPBACK}:{port}"
    common = ("--block", "--disable-usage-stats", f"--num-cpus={CORES}", f"--object-store-memory={100 * 2**20}")
    with _all_ended(str(folder)), own_ports() as ports, contextlib.ExitStack() as stack:
        environ = _environ(folder, ports)
        for number, mark in enumerate(marks):
            head = ("--head", f"--port={port}", f"--ray-client-server-port={clients}", "--include-dashboard=false")
            joins = (f"--address={address}",) if number else head
            command, log = (RAY, "start", *joins, *common), folder / f"node-{number}.log"
            begun = stack.enter_context(process(*command, environ={**environ, "DITTO_MARK": mark}, log=log))
            said("block forever", log, begun)
        config = folder / "serve_config.json"
        config.write_text(json.dumps(described(http, models, store, nodes)), encoding="utf-8")
        ours = {**environ, "DITTO_MARK": marks[0], "RAY_ADDRESS": address}
        stack.enter_context(process(SERVE, "run", str(config), environ=ours, log=folder / "serve.log"))
        url = f"http://{LOOPBACK}:{http}"
        _until_ready(url)
        until_spares(url)
        yield Spread(url=url, address=address, store=store, marks=marks)


def _environ(folder: Path, ports: range) -> dict[str, str]:
    """Returns what stands in the environment of a cluster's processes."""
    with patch.dict(os.environ):
        use_haproxy(folder, ports)
        return {**os.environ, "RAY_AUTH_MODE": "token", "RAY_TMPDIR": str(folder), "RAY_worker_niceness": "0"}


def described(port: int, models: str, store: str, nodes: int) -> dict[str, Any]:
    """Returns what `serve run` takes: as many hosts and replicas as nodes may have them, and callers on each."""
    many = 1 if Path(store).is_absolute() else nodes
    settings = {
        "store": store,
        "providers": {PROVIDER: {"base_url": f"{models}/v1"}},
        "runtime": {"hosts": many, "callers": nodes, "replicas": many, "near": many > 1},
    }
    application = {"name": "ditto", "route_prefix": "/", "import_path": "ditto.serve:app", "args": settings}
    return {
        "proxy_location": "HeadOnly",  # three ingresses cannot have one port of one machine
        "http_options": {"host": LOOPBACK, "port": port},
        "applications": [application],
    }


def _until_ready(url: str) -> None:
    until_s = time.monotonic() + READY_S
    while time.monotonic() < until_s:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/readyz", timeout=READY_S).status_code == httpx.codes.OK:
                return
        time.sleep(0.5)
    raise TimeoutError(f"the service is not ready after {READY_S:.0f} s")


@contextlib.contextmanager
def _all_ended(mark: str) -> Iterator[None]:
    """Ends every process that is left with this mark after the block, each by its id."""
    try:
        yield
    finally:
        until_s = time.monotonic() + GONE_S
        while (left := marked(mark)) and time.monotonic() < until_s:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)


@contextlib.contextmanager
def stored(kind: str) -> Iterator[tuple[Callable[[Path], str], ServerCpu]]:
    """Yields what gives a service in a folder an empty store, durable at each commit, and what its server has used."""
    if kind == SQLITE:
        yield lambda folder: str(folder / "journal.db"), lambda: 0.0
        return
    with postgres.begun(durable=True) as server:
        yield (
            lambda _: server.new_database(),
            lambda: sum(cpu_s_of(pid, ended_children=True) for pid in server.processes()),
        )


def measured(spreads: list[Spread], plan: Plan, rest_s: float, server_cpu: ServerCpu) -> dict[str, Any]:
    """Returns the figures of services at rest and under load, all at once: of the one in the middle by what it carries.

    Args:
        server_cpu: Of the database that all of them have.
    """
    looks: list[Look] = []

    def look() -> None:
        nodes = [used(mark) for spread in spreads for mark in spread.marks]
        looks.append(Look(at_s=time.monotonic(), nodes=nodes, server_s=server_cpu()))

    asyncio.run(_bursts(spreads))
    time.sleep(rest_s)  # each process loads what its first job has shown to be needed
    look()
    time.sleep(rest_s)
    look()
    came = asyncio.run(_loads(spreads, plan, look))
    figures, server_ms = [], _server_ms(looks, sum(len(each.latencies_s) for each in came))
    for number, (spread, loaded) in enumerate(zip(spreads, came, strict=True)):
        nodes = len(spread.marks)
        own, jobs = [each.of(nodes * number, nodes) for each in looks], max(1, len(loaded.latencies_s))
        spread_over = lived(spread)
        found = worked(own, jobs, spread_over["jobs_by_node"])
        if loaded.failed:
            raise RuntimeError(f"{loaded.failed} requests failed: what they cost is in no figure")
        here = {"jobs_per_s_here": round(loaded.per_s, 1), "server_cpu_ms": server_ms}
        figures.append({**here, **spread_over, **found})
    return sorted(figures, key=lambda each: each["carries_jobs_per_s"])[len(figures) // 2]


async def _bursts(spreads: list[Spread]) -> None:
    asked = (load.burst(spread.url, _asked(spread), at_once=AT_ONCE * len(spread.marks)) for spread in spreads)
    await asyncio.gather(*asked)


async def _loads(spreads: list[Spread], plan: Plan, look: Callable[[], None]) -> list[load.Loaded]:
    times = {"warm_s": plan.warm_s, "measured_s": plan.measured_s}
    looks = (look, *(_nothing for _ in spreads[1:]))
    asked = (
        load.load(spread.url, _asked(spread), at_once=AT_ONCE * len(spread.marks), between=between, **times)
        for spread, between in zip(spreads, looks, strict=True)
    )
    return await asyncio.gather(*asked)


def _nothing() -> None:
    """Another one of the loads looks."""


def _asked(spread: Spread) -> bytes:
    models = [f"{PROVIDER}/{name}" for name in names(PANEL, MODEL_MS)]
    return load.request(
        spread.url, "/llm", json.dumps({"prompt": PROMPT, "models": models, "placement": "shared"}).encode()
    )


def _server_ms(looks: list[Look], jobs: int) -> float:
    return round((looks[3].server_s - looks[2].server_s) * 1000 / max(1, jobs), 3)


def worked(looks: list[Look], jobs: int, held: list[int]) -> dict[str, Any]:
    """Returns what was used for a job, and what that lets through.

    Args:
        looks: Before and after rest, before and after so many jobs.
        held: How many jobs each node has held since the service began: these are its part of them.
    """
    resting_s, loaded_s = looks[1].at_s - looks[0].at_s, looks[3].at_s - looks[2].at_s
    rest = [sum(node.values()) / resting_s for node in looks[1].since(looks[0])]
    spent = looks[3].since(looks[2])
    job_s = [max(sum(node.values()) - cores * loaded_s, 0.0) / jobs for node, cores in zip(spent, rest, strict=True)]
    used_s = zip(looks[1].since(looks[0]), spent, strict=True)
    own_s = [max(0.0, _own(node) - _own(resting) / resting_s * loaded_s) / jobs for resting, node in used_s]
    carried = _carried(
        room=[CORES - cores for cores in rest],
        cost_s=[cpu_s * sum(held) / part if part else None for cpu_s, part in zip(own_s, held, strict=True)],
        fixed_s=[max(0.0, all_s - cpu_s) for all_s, cpu_s in zip(job_s, own_s, strict=True)],
    )
    return {
        "rest_cores_by_node": [round(cores, 3) for cores in rest],
        "job_cpu_ms_by_node": [round(cpu_s * 1000, 3) for cpu_s in job_s],
        "job_cpu_ms": round(sum(job_s) * 1000, 3),
        "all_cpu_ms_by_node_and_process": [
            {kind: round(cpu_s * 1000 / jobs, 3) for kind, cpu_s in node.items()} for node in spent
        ],
        "held_jobs_per_s_by_node": [round(each, 1) for each in carried],
        "carries_jobs_per_s": round(sum(carried), 1),
    }


def _own(node: dict[str, float]) -> float:
    return sum(node.get(kind, 0.0) for kind in JOBS_OWN)


def _carried(room: list[float], cost_s: list[float | None], fixed_s: list[float]) -> list[float]:
    """Returns how many jobs a second each node holds where no core is idle; see above for the formula.

    Args:
        room: Cores that are left beyond rest.
        cost_s: CPU for a job held there; None: none is held there.
        fixed_s: CPU there for each job of the cluster.
    """
    nodes = [each for each in zip(room, cost_s, fixed_s, strict=True) if each[1]]
    all_per_s = sum(cores / cost for cores, cost, _ in nodes) / (1 + sum(fixed / cost for _, cost, fixed in nodes))
    return [
        (cores - fixed * all_per_s) / cost if cost else 0.0
        for cores, cost, fixed in zip(room, cost_s, fixed_s, strict=True)
    ]


def lived(spread: Spread) -> dict[str, Any]:
    """Returns whose holders took the jobs, whose callers their calls, what is near, and what actors each node has."""
    cluster = Cluster(spread.address)
    actors = cluster.actors()
    cluster.let_go()
    node_of = {pid: number for number, mark in enumerate(spread.marks) for pid in marked(mark)}
    at = {actor.name: node_of[actor.pid] for actor in actors if actor.pid in node_of}
    jobs, calls, near = Counter[int](), Counter[int](), 0
    for recorded in Store(spread.store).journals().values():
        accepted = recorded[0].event
        assert isinstance(accepted, ev.JobAccepted)
        holder = at[accepted.holder]
        jobs[holder] += 1
        callers = [at[each.event.caller] for each in recorded if isinstance(each.event, ev.CallStarted)]
        calls.update(callers)
        near += callers.count(holder)
    numbers = range(len(spread.marks))
    roles = {"hosts": Role.HOST, "callers": Role.CALLER, "replicas": Role.REPLICA, "spares": Role.OWN}
    found = Counter((actor.role, at[actor.name]) for actor in actors if actor.name in at)
    return {
        "jobs_by_node": [jobs[number] for number in numbers],
        "calls_by_node": [calls[number] for number in numbers],
        "near": round(near / max(1, calls.total()), 4),
        **{f"{kind}_by_node": [found[role, number] for number in numbers] for kind, role in roles.items()},
    }


def show(figures: dict[str, dict[str, dict[str, Any]]]) -> None:
    """Prints the figures beside each other, and what follows from them."""
    table = Table("journal, nodes", "jobs held", "calls made", "near", "CPU ms/job", "by node", "server", "carries")
    for store, by_nodes in figures.items():
        for nodes, found in by_nodes.items():
            table.add_row(
                f"{store}, {nodes}",
                *(_parts(found[each]) for each in ("jobs_by_node", "calls_by_node")),
                f"{found['near']:.0%}",
                f"{found['job_cpu_ms']:.2f}",
                " / ".join(f"{ms:.2f}" for ms in found["job_cpu_ms_by_node"]),
                f"{found['server_cpu_ms']:.2f}" if found["server_cpu_ms"] else "",
                f"{found['carries_jobs_per_s']:.0f}/s",
            )
    console = Console(width=140)
    console.print(table)
    for store, by_nodes in figures.items():
        one, many = by_nodes["1"], by_nodes[str(NODES)]
        ratio = many["carries_jobs_per_s"] / one["carries_jobs_per_s"]
        wanted = f" (wanted: {WANTED})" if store == POSTGRESQL else ""
        console.print(f"{store}: {NODES} nodes of {CORES} cores carry {ratio:.2f} times what one does{wanted}.")
        console.print(_ends(store, many))


def _ends(store: str, found: dict[str, Any]) -> str:
    """Returns where this database ends."""
    if store == POSTGRESQL:
        server = found["server_cpu_ms"]
        return f"  Its server takes {server:.2f} ms of CPU a job: one core of it {1000 / server:.0f} jobs a second."
    head, holder = found["job_cpu_ms_by_node"][0], found["all_cpu_ms_by_node_and_process"][0]["holder"]
    return (
        f"  The node with the file takes {head:.2f} ms of CPU a job: one core of it {1000 / head:.0f} jobs a second; "
        f"a holder {holder:.2f} ms: one of them {1000 / holder:.0f}."
    )


def _parts(counts: list[int]) -> str:
    return " / ".join(f"{count / max(1, sum(counts)):.0%}" for count in counts)


def _go_alone() -> None:
    """Has this program begin again in a network of its own, where it brings loopback up."""
    if _ALONE not in os.environ:
        if os.geteuid() != 0 or shutil.which("unshare") is None:
            raise SystemExit("waits for a network of its own: it has to be root, and to have util-linux's unshare")
        command = ["unshare", "--net", sys.executable, "-m", "tests.benchmarks.nodes", *sys.argv[1:]]
        os.execvpe("unshare", command, {**os.environ, _ALONE: "1"})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", _IFF_UP))


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.nodes", description="What three nodes carry")
    parser.add_argument("--quick", action="store_true", help="three seconds under load instead of ten")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the same figures")
    parser.add_argument("--stores", nargs="+", choices=(SQLITE, POSTGRESQL), default=[SQLITE, POSTGRESQL])
    options = parser.parse_args()
    _go_alone()
    plan, rest_s = (QUICK, QUICK_REST_S) if options.quick else (FULL, REST_S)
    subprocess.run([RAY, "get-auth-token", "--generate"], check=True, capture_output=True)
    figures: dict[str, dict[str, dict[str, Any]]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="dn", ignore_cleanup_errors=True) as name,  # Ray's sockets lie below it
        started_mock(Path(name)) as mock,
    ):
        for kind in options.stores:
            if kind == POSTGRESQL and postgres.binaries() is None:
                print("there is no PostgreSQL server here: Debian's package is postgresql", file=sys.stderr)
                continue
            for nodes in (1, NODES):
                with stored(kind) as (new_store, cpu), contextlib.ExitStack() as stack:
                    spreads = []
                    for number in range(NODES // nodes):
                        folder = Path(name, f"{kind[0]}{nodes}{number}")
                        folder.mkdir()
                        service = started(folder, mock.url, new_store(folder), nodes)
                        spreads.append(stack.enter_context(service))
                    figures.setdefault(kind, {})[str(nodes)] = measured(spreads, plan, rest_s, cpu)
                print(f"{kind}, {nodes}: measured", file=sys.stderr, flush=True)
    show(figures)
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
