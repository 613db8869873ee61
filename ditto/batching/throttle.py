"""How many jobs of a batch run at once: as many as are said, or as many as are found to make it faster.

It is found by doubling: as long as twice as many jobs end more rows a second, twice as many are let run; when they do
not, it goes back by one step, and looks again later. A service that is full halves it, and from then on it grows by an
eighth at a time. All numbers are of this process: what the providers allow is kept by the callers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

FIRST = 16
MOST = 512
_BETTER = 1.1
_WINDOW_S = 0.5
_SETTLED_WINDOWS = 20
_APART_S = 1.0
"""Refusals that come together are one."""


class Throttle:
    """Turns for jobs.

    Args:
        fixed: So many at once, None: found by itself.
    """

    def __init__(self, fixed: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = FIRST if fixed is None else fixed
        self.most = MOST if fixed is None else fixed
        self.running = 0
        self._found = fixed is None
        self._clock = clock
        self._room = asyncio.Event()
        self._best = 0.0
        self._before = self.limit
        self._settled = 0
        self._careful = False
        self._slowed_at_s = -_APART_S
        self._ended = 0
        self._was_full = False
        self._since_s = clock()

    async def turn(self) -> None:
        """Returns when one more job may be begun, and counts it; only one waits at a time."""
        while self.running >= self.limit:
            self._room.clear()
            await self._room.wait()
        self.running += 1
        self._was_full = self._was_full or self.running >= self.limit

    def give_back(self) -> None:
        """Gives a turn back."""
        self.running -= 1
        self._room.set()

    def ended(self) -> None:
        """Notes that a job has ended."""
        self._ended += 1
        elapsed_s = self._clock() - self._since_s
        if self._found and self._ended >= self.limit and elapsed_s >= _WINDOW_S:
            if self._was_full:
                self._judge(self._ended / elapsed_s)
            self._ended, self._since_s, self._was_full = 0, self._clock(), False

    def slow(self) -> None:
        """Notes that the service was full; what is said to be run at once stays as it is said."""
        now_s = self._clock()
        if not self._found or now_s - self._slowed_at_s < _APART_S:
            return
        self._slowed_at_s = now_s
        self.limit = self._before = max(1, self.limit // 2)
        self._best, self._settled, self._careful = 0.0, 0, True
        self._ended, self._since_s, self._was_full = 0, now_s, False

    def _judge(self, rate: float) -> None:
        if self._settled:
            self._settled -= 1
            if not self._settled:
                self._best = rate
                self._grow()
        elif rate > self._best * _BETTER:
            self._best = rate
            self._grow()
        else:
            self.limit = self._before
            self._settled = _SETTLED_WINDOWS

    def _grow(self) -> None:
        self._before = self.limit
        more = max(1, self.limit // 8) if self._careful else self.limit
        self.limit = min(self.most, self.limit + more)
