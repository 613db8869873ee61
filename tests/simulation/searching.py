"""Many seeds over several processes: what was found, how often what happened, and the first seeds that fail."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from tests.simulation.breaks import BREAKS
from tests.simulation.runs import run

CHUNK = 50
_FAILURES_SHOWN = 20


@dataclass(slots=True)
class Found:
    """What came of a range of seeds.

    Attributes:
        failed: By seed, the first promise that it broke, in words.
        counts: How often what happened, faults among it.
    """

    seeds: int = 0
    failed: dict[int, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    steps: int = 0
    virtual_s: float = 0.0

    def add(self, other: Found) -> None:
        self.seeds += other.seeds
        self.failed.update(other.failed)
        self.counts.update(other.counts)
        self.steps += other.steps
        self.virtual_s += other.virtual_s

    def report(self) -> str:
        """Returns what failed, each with the command that shows it."""
        shown = [f"python -m tests.simulation --seed {seed}  # {self.failed[seed]}" for seed in sorted(self.failed)]
        return "\n".join(shown[:_FAILURES_SHOWN])


def search(seeds: Iterable[int], break_name: str | None = None) -> Found:
    """Returns what came of these seeds, run in this process.

    Args:
        break_name: One of `BREAKS`; None for the product as it is.
    """
    found = Found()
    parts = None if break_name is None else BREAKS[break_name]
    collecting = gc.isenabled()
    gc.disable()  # a run leaves cycles, which are collected between runs
    try:
        for seed in seeds:
            result = run(seed, parts)
            found.seeds += 1
            found.steps += result.steps
            found.virtual_s += result.virtual_s
            found.counts.update(result.counts)
            if result.violations:
                found.failed[seed] = str(result.violations[0]).strip()
            if found.seeds % CHUNK == 0:
                gc.collect()
    finally:
        if collecting:
            gc.enable()
    return found


def search_wide(first: int, count: int, *, processes: int, break_name: str | None = None) -> Found:
    """Returns what came of `count` seeds from `first`, run in several processes."""
    found = Found()
    with ProcessPoolExecutor(processes) as pool:
        for part in pool.map(partial(search, break_name=break_name), _chunks(first, count)):
            found.add(part)
    return found


def first_caught(break_name: str, most: int, *, processes: int) -> tuple[int, str] | None:
    """Returns the first seed below `most` that notices a broken safeguard and what it says; None where none does."""
    with ProcessPoolExecutor(processes) as pool:
        parts = pool.map(partial(search, break_name=break_name), _chunks(0, most))
        for part in parts:
            if part.failed:
                pool.shutdown(wait=False, cancel_futures=True)
                return min(part.failed.items())
    return None


def _chunks(first: int, count: int) -> Iterator[list[int]]:
    seeds = iter(range(first, first + count))
    while chunk := list(islice(seeds, CHUNK)):
        yield chunk
