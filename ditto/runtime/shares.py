"""How often something may be done in a minute, over all processes: the keeper counts, and gives each process shares.

A share is half a second's worth, so that a process asks the keeper twice a second at most, however busy it is. What it
has got and not used after a few seconds is lost. While the keeper is away each process counts for itself; one that is
begun anew has forgotten the last minute.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ditto.errors import DittoError

log = logging.getLogger("ditto.shares")

Ticks = Callable[[], float]
"""Tells seconds that only go up."""

MINUTE_S = 60.0
_GRAIN_S = 1.0
_SHARES = 120
KEPT_S = 5.0
ASK_S = 0.5
ALONE_S = 5.0
"""For so long a process counts for itself after the keeper has not answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """So many times something may be done; where that is none, `wait_s` says when to ask again."""

    granted: int
    wait_s: float = 0.0


class Window:
    """What was granted in the last minute: never more than the limit in any sixty seconds."""

    def __init__(self) -> None:
        self._granted: deque[tuple[float, float, int]] = deque()
        self._sum = 0

    def take(self, limit: int, wanted: int, now_s: float) -> Share:
        """Returns as much of what is wanted as the limit leaves."""
        while self._granted and self._granted[0][1] + MINUTE_S <= now_s:
            self._sum -= self._granted.popleft()[2]
        granted = min(wanted, limit - self._sum)
        if granted <= 0:
            return Share(granted=0, wait_s=self._granted[0][1] + MINUTE_S - now_s)
        self._sum += granted
        if self._granted and now_s - self._granted[-1][0] < _GRAIN_S:
            first_s, _, count = self._granted.pop()
            self._granted.append((first_s, now_s, count + granted))
        else:
            self._granted.append((now_s, now_s, granted))
        return Share(granted=granted)


class Windows:
    """One window for each thing that is counted, by name."""

    def __init__(self, ticks: Ticks = time.monotonic) -> None:
        self._ticks = ticks
        self._windows: dict[str, Window] = {}

    def share(self, name: str, limit: int, wanted: int) -> Share:
        """Returns as much of what is wanted as the limit leaves."""
        return self._windows.setdefault(name, Window()).take(limit, wanted, self._ticks())


@dataclass(slots=True)
class _Held:
    """What a process has got of one thing and not used, and how long that counts; until when there is none."""

    left: int = 0
    until_s: float = 0.0
    none_until_s: float = 0.0


class Shares:
    """The shares of one process.

    Args:
        ask: Asks the keeper: the name of what is counted, the limit, and how much is wanted.
    """

    def __init__(self, ask: Callable[[str, int, int], Awaitable[Share]], ticks: Ticks = time.monotonic) -> None:
        self._ask = ask
        self._ticks = ticks
        self._held: dict[str, _Held] = {}
        self._alone = Windows(ticks)
        self._alone_until_s = 0.0

    async def take(self, name: str, limit: int) -> float:
        """Takes one, and returns 0; where there is none, the seconds after which there will be."""
        held = self._held.setdefault(name, _Held())
        if (wait_s := held.none_until_s - self._ticks()) > 0:
            return wait_s
        if held.left == 0 or held.until_s < self._ticks():
            share = await self._share(name, limit)
            if share.granted == 0:
                held.none_until_s = self._ticks() + share.wait_s
                return share.wait_s
            held.left = share.granted + (held.left if held.until_s >= self._ticks() else 0)
            held.until_s = self._ticks() + KEPT_S
        held.left -= 1
        return 0.0

    async def _share(self, name: str, limit: int) -> Share:
        if self._ticks() >= self._alone_until_s:
            try:
                async with asyncio.timeout(ASK_S):
                    return await self._ask(name, limit, max(1, limit // _SHARES))
            except (DittoError, TimeoutError) as error:
                log.warning("counting without the keeper", extra={"reason": str(error)})
                self._alone_until_s = self._ticks() + ALONE_S
        return self._alone.share(name, limit, 1)
