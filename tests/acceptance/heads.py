"""A Ray cluster's head that a test starts as `cluster.yaml` does, and ends."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.acceptance.processes import process, said

PYTHON = Path(sys.executable)
PROGRAMS = PYTHON.parent
LOOPBACK = "127.0.0.2"
"""A node's address of 127.0.0.1 Ray replaces by the machine's own, and listens there."""
LONG_S = 120
STARTS = 3
TOO_SLOW = "timed out during startup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A cluster that runs on this machine, and what a login shell there has in its environment."""

    address: str
    dashboard: str
    sim: str
    home: Path
    environ: dict[str, str]

    def asked(self) -> int:
        """Returns how often models were asked until now."""
        total: int = httpx.get(f"{self.sim}/sim/counts").json()["total"]
        return total

    def run(self, *command: str | Path, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.home,
            env={**self.environ, **variables},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LONG_S,
            check=False,
        )

    def submit_job(self, folder: Path, *entrypoint: str) -> subprocess.CompletedProcess[str]:
        """Gives `ray job submit`, which waits for the job's end, from a machine that has the cluster's token."""
        where = ("--address", self.dashboard, "--working-dir", str(folder))
        return self.run("ray", "job", "submit", *where, "--", *entrypoint, RAY_AUTH_MODE="token")


@contextlib.contextmanager
def started_head(sim: str) -> Iterator[Head]:
    """A head that is started as `cluster.yaml` does, with a token of its own, and ended with all its processes."""
    with tempfile.TemporaryDirectory(prefix="ditto-") as name:  # a short path: Ray's sockets lie below it
        home = Path(name)
        left_out = ("RAY_ADDRESS", "RAY_AUTH_", "DITTO_")
        environ = {
            **{key: value for key, value in os.environ.items() if not key.startswith(left_out)},
            "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
            "HOME": name,
            "RAY_TMPDIR": name,
            "RAY_worker_niceness": "0",
            "DITTO_STORE": str(home / "journal.db"),
            "DITTO_SIM_URL": sim,
        }
        subprocess.run(["ray", "get-auth-token", "--generate"], env=environ, check=True, capture_output=True)
        gcs, dashboard, agent, client, metrics = free_ports(5)
        command = (
            *("ray", "start", "--head", "--block", "--disable-usage-stats", "--node-ip-address", LOOPBACK),
            *("--include-dashboard", "true", "--dashboard-host", "127.0.0.1", "--dashboard-port", str(dashboard)),
            *("--port", str(gcs), "--dashboard-agent-listen-port", str(agent)),
            *("--ray-client-server-port", str(client), "--metrics-export-port", str(metrics)),
        )
        with _begun(command, {**environ, "RAY_AUTH_MODE": "token"}, home / "head.log"):
            yield Head(
                address=f"{LOOPBACK}:{gcs}",
                dashboard=f"http://127.0.0.1:{dashboard}",
                sim=sim,
                home=home,
                environ=environ,
            )


@contextlib.contextmanager
def _begun(command: Sequence[str], environ: dict[str, str], log: Path) -> Iterator[None]:
    """Runs a head while the block runs. One that Ray itself has given up, its own parts being slow, is begun again."""
    for more in reversed(range(STARTS)):
        with process(*command, environ=environ, log=log) as running:
            up = _up(log, running, may_fail=more > 0)
            if up:
                yield
        _until_gone(f"RAY_TMPDIR={environ['RAY_TMPDIR']}")
        if up:
            return


def _up(log: Path, running: subprocess.Popen[bytes], *, may_fail: bool) -> bool:
    try:
        said("block forever", log, running)
    except AssertionError:
        if not may_fail or TOO_SLOW not in log.read_text(errors="replace"):
            raise
        return False
    return True


def _until_gone(mark: str) -> None:
    until_s = time.monotonic() + 20
    while left := _processes(mark):
        assert time.monotonic() < until_s, left
        time.sleep(0.2)


def free_ports(number: int) -> list[int]:
    """Returns ports outside the range of Ray's workers."""
    probes: list[socket.socket] = []
    ports: list[int] = []
    try:
        while len(ports) < number:
            probes.append(socket.socket())
            probes[-1].bind(("127.0.0.1", 0))
            port = probes[-1].getsockname()[1]
            if not 10_000 <= port < 20_000:
                ports.append(port)
    finally:
        for probe in probes:
            probe.close()
    return ports


def _processes(mark: str) -> list[str]:
    """Returns the commands of living processes that have this in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # it has ended, or is another user's
    return found
