"""The memory of one service's processes, by the part that they play in it."""

from __future__ import annotations

import os
from pathlib import Path

from tests.chaos.processes import marked

_PARTS = {
    "ServeReplica:": "replica",
    "/haproxy ": "ingress",
    "_CallerActor": "caller",
    "_JobActor": "largest holder of jobs",
}


def resident_mb(store: str) -> dict[str, float]:
    """Returns the resident memory of the service whose journal is this one; of several of a kind the largest.

    Args:
        store: As `DITTO_STORE` has it: all of the service's processes have it in their environment.
    """
    page = os.sysconf("SC_PAGE_SIZE")
    found: dict[str, float] = {}
    for process in marked(store, "DITTO_STORE"):
        part = next((part for word, part in _PARTS.items() if word in process.title), None)
        if part is None:
            continue
        try:
            pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
        except OSError:
            continue  # it has ended
        found[part] = max(found.get(part, 0.0), round(pages * page / 2**20, 1))
    return found
