"""Many seeds over several processes: what was found, how often what happened, and the first seeds that fail."""

from __future__ import annotations

import gc
import signal
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context
from types import FrameType

from tests.simulation.breaks import BREAKS
from tests.simulation.runs import run

_CHUNK = 25
_AHEAD = 8
_FAILURES_SHOWN = 20
_STUCK_S = 60
"""A seed takes a fraction of a second: one that takes so long waits for nothing, and would do so for ever."""


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


class Searchers:
    """Processes that search seeds, each with a core of its own at best."""

    def __init__(self, processes: int) -> None:
        context = get_context("spawn")  # a fork of a process with threads may hang
        self._pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_settle)

    def __enter__(self) -> Searchers:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def search(self, first: int, count: int, break_name: str | None = None) -> Found:
        """Returns what came of `count` seeds from `first`.

        Args:
            break_name: One of `BREAKS`; None for the product as it is.
        """
        found = Found()
        for part in self._parts(first, count, break_name):
            found.add(part)
        return found

    def first_caught(self, break_name: str, most: int) -> tuple[int, str] | None:
        """Returns the first of `most` seeds that misses a safeguard, and what it says; None where none does."""
        for part in self._parts(0, most, break_name):
            if part.failed:
                return min(part.failed.items())
        return None

    def _parts(self, first: int, count: int, break_name: str | None) -> Iterator[Found]:
        """Yields what came of a few seeds, and of the next few, and has little more begun than is asked for."""
        chunks = _chunks(first, count)
        begun = deque(self._pool.submit(search, chunk, break_name) for chunk in islice(chunks, _AHEAD))
        while begun:
            yield begun.popleft().result()
            begun.extend(self._pool.submit(search, chunk, break_name) for chunk in islice(chunks, 1))


def search(seeds: Sequence[int], break_name: str | None = None) -> Found:
    """Returns what came of these seeds, run in this process."""
    found = Found()
    parts = None if break_name is None else BREAKS[break_name]
    for seed in seeds:
        with _Limit() as limit:
            result = run(seed, parts)
        found.seeds += 1
        found.steps += result.steps
        found.virtual_s += result.virtual_s
        found.counts.update(result.counts)
        if result.violations:
            found.failed[seed] = str(result.violations[0]).strip()
        elif limit.reached:
            found.failed[seed] = f"nothing runs in circles: one callback ran for more than {_STUCK_S} s"
    gc.collect()
    return found


class _Stuck(BaseException):
    """Thrown into a callback that does not return."""


class _Limit:
    """Interrupts what runs for too long. Only in processes that search: elsewhere the one alarm clock is pytest's."""

    def __init__(self) -> None:
        self.reached = False

    def __enter__(self) -> _Limit:
        signal.signal(signal.SIGALRM, self._interrupt)
        signal.alarm(_STUCK_S)
        return self

    def __exit__(self, *_: object) -> None:
        signal.alarm(0)

    def _interrupt(self, signum: int, frame: FrameType | None) -> None:
        self.reached = True
        raise _Stuck


def _settle() -> None:
    """Has garbage collected between seeds alone, and what was imported never looked at again."""
    gc.disable()
    gc.freeze()


def _chunks(first: int, count: int) -> Iterator[list[int]]:
    seeds = iter(range(first, first + count))
    while chunk := list(islice(seeds, _CHUNK)):
        yield chunk
