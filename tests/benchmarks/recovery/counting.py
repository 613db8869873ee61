"""What the simulated models were asked."""

from __future__ import annotations

from collections.abc import Iterable

import httpx


def reset(sim: str) -> None:
    """Forgets all that was asked so far."""
    httpx.post(f"{sim}/sim/reset").raise_for_status()


def started(sim: str, models: Iterable[str]) -> dict[str, int]:
    """Returns how many requests each of these models got."""
    seen = httpx.get(f"{sim}/sim/counts").raise_for_status().json()["models"]
    return {model: seen.get(model, {}).get("started", 0) for model in models}
