"""The service under test, started as a user does: `ditto serve` on a store of its own, with a Ray cluster of its own.

Every process of it carries a mark, so that all of them can be ended or frozen, and nothing else is ever touched.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import httpx

from tests.chaos.cluster import Cluster
from tests.chaos.processes import MARK, NODE_MARK, await_gone, marked, strike, strike_all

DITTO = str(Path(sys.executable).with_name("ditto"))
RAY = str(Path(sys.executable).with_name("ray"))
START_S = 120.0
STOP_S = 90.0
NODE_S = 60.0
_PAUSE_S = 0.05
_LOOK_S = 0.2

HEALTH = {
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
    "RAY_health_check_initial_delay_ms": "500",
    "RAY_worker_niceness": "0",
}
"""As in `cluster.yaml`: a dead node is missed after two to three seconds, not fifteen, and workers do not yield."""


class ServiceDown(Exception):
    """The service does not come up; the message has its last words."""


class Service:
    """A `ditto serve` that can be killed and started again on the same store and port.

    Args:
        folder: For its log, its store and Ray's own files; short, since Ray puts sockets into it.
        store: What `DITTO_STORE` says.
        variables: More of its environment.
        tries: How often it is begun where it does not come up, as whoever keeps it running would.
    """

    def __init__(self, folder: Path, *, sim_url: str, store: str, variables: Mapping[str, str], tries: int = 1) -> None:
        self.mark = str(folder)
        self.log = folder / "serve.log"
        self.store = store
        self._port = free_port()
        self._tries = tries
        self.environ = {
            **os.environ,
            **HEALTH,
            **variables,
            MARK: self.mark,
            "RAY_TMPDIR": str(folder),
            "DITTO_SIM_URL": sim_url,
            "DITTO_STORE": store,
        }
        self._running: subprocess.Popen[bytes] | None = None
        self.address = ""
        self.cluster = Cluster("")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> float:
        """Starts it and returns the Unix time of that once it takes jobs.

        Raises:
            ServiceDown: It does not.
        """
        began = time.time()
        for left in reversed(range(self._tries)):
            try:
                await self._begin()
            except ServiceDown:
                await asyncio.to_thread(self.kill)
                if left == 0:
                    raise
            else:
                break
        return began

    async def _begin(self) -> None:
        written = self.log.stat().st_size if self.log.exists() else 0
        command = (DITTO, "serve", "--port", str(self._port))
        self._running = _begun(command, self.environ, self.log)
        self.address = (await self._said(r"(?m)^Ray +(\S+:\d+)$", written))[1]
        self.cluster = Cluster(self.address)
        await self._until_ready()

    def is_running(self) -> bool:
        """Tells whether its first process is there."""
        return self._running is not None and self._running.poll() is None

    def kill(self) -> None:
        """Ends every process of it at once, and returns when all have gone."""
        self.cluster.let_go()
        strike_all(signal.SIGKILL, self.mark)
        if self._running is not None:
            self._running.wait()
        left = await_gone(self.mark, 10.0)
        assert not left, left

    async def stop(self) -> list[str]:
        """Ends it by SIGTERM; returns what processes were left after that, and ends them too."""
        if self._running is None:
            return []
        self.cluster.let_go()
        self._running.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(self._running.wait, STOP_S)
        left = [process.title for process in await asyncio.to_thread(await_gone, self.mark, 10.0)]
        self.kill()
        return left

    async def _said(self, pattern: str, written: int) -> re.Match[str]:
        async for _ in self._while_it_runs():
            with self.log.open(errors="replace") as log:
                log.seek(written)
                if (match := re.search(pattern, log.read())) is not None:
                    return match
        raise ServiceDown(self.log.read_text(errors="replace")[-2000:])

    async def _until_ready(self) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            async for _ in self._while_it_runs():
                if await _is_ok(client, f"{self.url}/readyz"):
                    return
        raise ServiceDown(f"not ready\n{self.log.read_text(errors='replace')[-2000:]}")

    async def _while_it_runs(self) -> AsyncIterator[None]:
        """Yields every now and then, as long as the process runs and may still be starting."""
        until = time.monotonic() + START_S
        while self.is_running() and time.monotonic() < until:
            yield
            await asyncio.sleep(_PAUSE_S)


class SecondNode:
    """Another node of the service's cluster, on this machine."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._running: subprocess.Popen[bytes] | None = None
        self.id = ""
        self._starts = 0

    @property
    def mark(self) -> str:
        return f"{self._service.mark}/{self._starts}"

    async def start(self) -> None:
        """Joins the cluster as a new node; returns once the head knows it.

        Raises:
            ServiceDown: It does not join.
        """
        self._starts += 1
        service = self._service
        known = {node.id for node in service.cluster.nodes()}
        environ = {**service.environ, NODE_MARK: self.mark, "RAY_AUTH_MODE": "token"}
        command = (
            RAY, "start", f"--address={service.address}", "--block", "--num-cpus=2", "--disable-usage-stats",
            f"--object-store-memory={100 * 2**20}",
        )  # fmt: skip
        log = service.log.with_name("node.log")
        self._running = _begun(command, environ, log)
        until = time.monotonic() + NODE_S
        while time.monotonic() < until and self._running.poll() is None:
            joined = [node.id for node in service.cluster.nodes() if node.alive and node.id not in known]
            if joined:
                self.id = joined[0]
                return
            await asyncio.sleep(_LOOK_S)
        raise ServiceDown(log.read_text(errors="replace")[-2000:])

    def is_alive(self) -> bool:
        """Tells whether the head takes it for alive and its raylet is there."""
        known = any(node.id == self.id and node.alive for node in self._service.cluster.nodes())
        return known and bool(self.raylet())

    def raylet(self) -> list[int]:
        """Returns the process id of its raylet."""
        return [process.pid for process in marked(self.mark, NODE_MARK) if "/raylet/raylet " in process.title]

    def processes(self) -> list[int]:
        """Returns all its processes."""
        return [process.pid for process in marked(self.mark, NODE_MARK)]

    def clear(self) -> None:
        """Ends what is left of it."""
        strike(self.processes(), signal.SIGKILL, self._service.mark)
        if self._running is not None:
            self._running.kill()
            self._running.wait()


def _begun(command: Sequence[str], environ: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Returns a process in a session of its own, so that Ctrl-C at the terminal is the run's alone."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command, env=environ, stdout=output, stderr=output, cwd=log.parent, start_new_session=True
        )


async def _is_ok(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).status_code == 200
    except httpx.TransportError:
        return False


def free_port() -> int:
    """Returns a port below those that the system gives to outgoing connections.

    One of theirs could be a client's own while the service is down, and a client that comes back again and again would
    in the end be connected to itself.
    """
    while True:
        port = random.randrange(31_000, 32_700)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
