"""The processes of one service under test, known by a mark in their environment, and signals to them alone."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MARK = "DITTO_CHAOS"
"""The variable that every process of the service inherits; its value names the run."""

NODE_MARK = "DITTO_CHAOS_NODE"
"""The same for the processes of the second node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process; `title` is its command line, or what it has put in its place."""

    pid: int
    title: str


def marked(value: str, variable: str = MARK) -> list[Process]:
    """Returns the living processes in whose environment the variable has this value."""
    wanted = f"{variable}={value}".encode()
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and wanted in _read(name, "environ").split(b"\0"):
            title = _read(name, "cmdline").replace(b"\0", b" ").decode(errors="replace").strip()
            found.append(Process(pid=int(name), title=title))
    return found


def strike(pids: Iterable[int], number: signal.Signals, mark: str) -> list[int]:
    """Sends a signal to those of these processes that carry the mark, and returns them."""
    wanted = f"{MARK}={mark}".encode()
    struck = []
    for pid in pids:
        if wanted not in _read(str(pid), "environ").split(b"\0"):
            continue  # it has gone, and its number may be another's
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
        struck.append(pid)
    return struck


def strike_all(number: signal.Signals, mark: str) -> list[int]:
    """Sends a signal to every process with this mark, until no further one is found; returns them."""
    struck: set[int] = set()
    while living := {process.pid for process in marked(mark)} - struck:
        strike(living, number, mark)
        struck |= living
    return sorted(struck)


def await_gone(mark: str, patience_s: float) -> list[Process]:
    """Returns the processes that are still there after so long; none as soon as all have gone."""
    until = time.monotonic() + patience_s
    while left := marked(mark):
        if time.monotonic() > until:
            return left
        time.sleep(0.05)
    return []


def available() -> bool:
    """Tells whether processes can be looked at here."""
    return Path("/proc/self/environ").is_file()


def _read(pid: str, name: str) -> bytes:
    try:
        return Path("/proc", pid, name).read_bytes()
    except OSError:
        return b""  # it has ended, or is another user's
