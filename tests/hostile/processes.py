"""The memory of one service's processes, by the part that they play in it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.chaos.processes import marked

_OWN = re.compile(r"^Rss(?:Anon|File):\s+(\d+) kB$", re.MULTILINE)
_PARTS = {
    "ServeReplica:": "replica",
    "/haproxy ": "ingress",
    "_CallerActor": "caller",
    "_JobActor": "largest holder of jobs",
}


def resident_mb(store: str) -> dict[str, float]:
    """Returns the resident memory of the service whose journal is this one; of several of a kind the largest.

    Without the pages of Ray's object store, which all of them share: it has a size of its own, and a process is counted
    with those that it has ever looked at.

    Args:
        store: As `DITTO_STORE` has it: all of the service's processes have it in their environment.
    """
    found: dict[str, float] = {}
    for process in marked(store, "DITTO_STORE"):
        part = next((part for word, part in _PARTS.items() if word in process.title), None)
        if part is None:
            continue
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            continue  # it has ended
        own_kb = sum(int(kb) for kb in _OWN.findall(status))
        found[part] = max(found.get(part, 0.0), round(own_kb / 1024, 1))
    return found
