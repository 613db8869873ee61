"""What this process has of each limit, what it has needed lately, and which models refused it: for who deals out."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping

from ditto.providers.limits.sharing import Need, Share, first_shares
from ditto.settings.rates import RateLimit

COUNT_S = 0.5
"""Demand is what was asked in at least so long: one that reports twice in a moment needs no less the second time."""


class Stake:
    """One process's.

    Args:
        processes: How many share the limits, this one among them.
    """

    def __init__(self, limits: Mapping[str, RateLimit], processes: int = 1) -> None:
        self.shared = processes > 1
        self.stirred = asyncio.Event()
        """Set as long as there is something to tell; at first, that this process is there."""
        self.stirred.set()
        self._first = first_shares(limits, processes)
        self._shares = dict(self._first)
        self._asked: Counter[str] = Counter()
        self._before: Counter[str] = Counter()
        self._counted_at = float("-inf")
        self._refused: dict[str, float] = {}
        self._news = asyncio.Event()

    def share(self, name: str) -> Share | None:
        """Returns what this process has of a limit, None where there is none of that name."""
        return self._shares.get(name)

    def asked(self, provider: str, name: str) -> None:
        """Notes that a request is to be sent."""
        self._asked[provider] += 1
        self._asked[name] += 1
        self.stirred.set()

    def refused(self, name: str, closed_s: float) -> None:
        """Notes that a model has said 429: that is told at once."""
        self._refused[name] = closed_s
        self.stirred.set()
        self._news.set()

    def refusals(self) -> dict[str, float]:
        """Returns, once, the models that have said 429, and the seconds for which they asked for a pause."""
        told, self._refused = self._refused, {}
        return told

    def needs(self, now: float, waiting: Mapping[str, int], running: Mapping[str, int]) -> dict[str, Need]:
        """Returns what is needed of each limit that was asked for, or of which more is held than at first."""
        if now - self._counted_at >= COUNT_S:
            self._before, self._asked, self._counted_at = self._asked, Counter(), now
        asked = self._before + self._asked
        found: dict[str, Need] = {}
        for name, share in self._shares.items():
            demand = asked[name] + waiting.get(name, 0)
            slots = None if share.slots is None else max(share.slots, running.get(name, 0))
            if demand or share != self._first[name]:
                found[name] = Need(demand=float(demand), holds=Share(part=share.part, slots=slots))
        if not asked and not found:
            self.stirred.clear()
        return found

    def take(self, shares: Mapping[str, Share]) -> bool:
        """Takes these shares; returns whether any of them is less than before."""
        less = any(_less(share, self._shares[name]) for name, share in shares.items())
        self._shares.update(shares)
        return less

    def first(self) -> dict[str, Share]:
        """Returns what this process began with."""
        return self._first

    async def pause(self, seconds: float) -> None:
        """Returns after so long, or sooner where there is news for the others."""
        self._news.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return


def _less(share: Share, before: Share) -> bool:
    return share.part < before.part or (share.slots or 0) < (before.slots or 0)
