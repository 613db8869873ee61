"""How many cores this process may use: those that it is bound to, and no more than its container's quota allows."""

from __future__ import annotations

import math
import os
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUP = Path("/proc/self/cgroup")


def usable_cores(groups: Path = _GROUPS, own_group: Path = _OWN_GROUP) -> int:
    """Returns whole cores, one or more.

    Args:
        groups: Where Linux shows its control groups, which is where containers and services have their quotas.
        own_group: Says which of them this process is in.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min([bound, *_quotas(groups, own_group)])))


def _quotas(groups: Path, own_group: Path) -> list[float]:
    """Returns the quotas of the group and of those around it, in cores."""
    own = next((line[3:].strip("/") for line in _read(own_group).splitlines() if line.startswith("0::")), "")
    within = Path(own)
    shown = [_read(groups / each / "cpu.max").split() for each in (within, *within.parents)]
    older = [_read(groups / "cpu" / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period")]
    return [int(quota) / int(period) for quota, period in (*_pairs(shown), older) if quota.isdigit() and int(quota)]


def _pairs(shown: list[list[str]]) -> list[list[str]]:
    return [each for each in shown if len(each) == 2]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError):  # there are no such groups here
        return ""
