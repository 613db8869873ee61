"""The simulated models that all are measured on: a process of their own, which knows what it was asked again.

`python -m tests.benchmarks.overnight.models SECONDS` says where it listens. A look at its counts costs little, however
much it was asked, for they are looked at in the moment of a kill.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from ditto.sim.asked import digest
from ditto.sim.counts import Counts, Seen
from ditto.sim.server import serve

NAMES = ("terse", "wordy", "contrary", "careful", "friendly", "hasty")
_SHOWN = 64


def call_of(model: str, prompt: str) -> str:
    """Returns what stands for a model's call, under which it is counted."""
    return f"{model} {digest(prompt)}"


@dataclass(slots=True)
class Again(Counts):
    """Counts that show how often a call was made of those that were made more than once."""

    limit: int = _SHOWN
    _times: Counter[str] = field(default_factory=Counter)
    _again: dict[str, int] = field(default_factory=dict)

    def begin(self, model: str, prompt: str, *, call: str, variant: str) -> Seen:
        name = f"{model} {prompt}"
        self._times[name] += 1
        if self._times[name] > 1:
            self._again[name] = self._times[name]
        return Counts.begin(self, model, prompt, call=call, variant=variant)

    def reset(self) -> None:
        Counts.reset(self)
        self._times.clear()
        self._again.clear()

    def shown(self) -> dict[str, Any]:
        return {**Counts.shown(self), "again": self._again}


def main() -> None:
    serve(
        default_latency_s=float(sys.argv[1]),
        counts=Again(),
        announce=lambda url: print(f"models, at {url}", flush=True),
    )


if __name__ == "__main__":
    main()
