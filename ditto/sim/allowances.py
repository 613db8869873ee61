"""How much a simulated model takes: so many requests a second, evenly; one too many closes it to everybody for a while.

A bucket that fills at the rate and holds a tenth of a second's worth, so that it takes what comes evenly, a little
early or late, and no burst. What finds it empty is refused, and so is everything after it until it opens again: a
client that does not obey `Retry-After`, or that does not tell its other calls, gets nowhere.
"""

from __future__ import annotations

BURST_S = 0.1


class Allowance:
    """What one model takes.

    Args:
        rate: Requests a second.
        closes_s: For how long one too many closes it.
    """

    def __init__(self, rate: float, closes_s: float) -> None:
        self._rate = rate
        self._closes_s = closes_s
        self._holds = max(1.0, rate * BURST_S)
        self._left = self._holds
        self._at = float("-inf")
        self._closed_until = float("-inf")

    def refused_s(self, now: float) -> float | None:
        """Takes a request, and returns None; or refuses it, and returns in how many seconds it may come again."""
        if now < self._closed_until:
            return self._closed_until - now
        self._left = min(self._holds, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            self._closed_until = now + self._closes_s
            return self._closes_s
        self._left -= 1
        return None
