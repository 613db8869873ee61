"""The pace that a provider allows, found by its refusals (429), where nobody has said it.

No pace is kept until a provider refuses. What it took in the last second is then the first guess. From there the
pace doubles every half second until it is refused again (slow start), and from then on it follows CUBIC: after a
refusal it falls to `FALL` of what was taken, comes back to that by a curve that is flat near it, stays about there for
a while, and leaves it upwards ever faster; once it is clearly above, the limit has been raised, and it doubles again.
So most of the time is spent just below the limit, and one that was raised is found soon. The curve's time is relative
(`BACK_S`, but never fewer than `BACK_CALLS` calls), so that ten a minute and a thousand a second behave alike; it is up
to `STEADY` times as long where refusals come again and again at the same pace; and it passes only while calls wait: a
pace that is not used proves nothing (RFC 7661).

The shape is CUBIC's (RFC 9438), whose use for requests, and the guess by what was measured, are known from the adaptive
mode of the AWS SDKs (docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html). It falls by less than theirs
and TCP's (0.7): a provider's limit is a number that stays, no queue that must be drained.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from contextlib import suppress

FALL = 0.85
BACK_S = 5.0
BACK_CALLS = 15.0
STEADY = 4.0
ALIKE = 0.1
DOUBLES_S = 0.5
DOUBLES_CALLS = 2.0
FIRST_GUESS = 1.0
"""Calls a second, where the first refusal came before anything had been taken."""
HEARD_S = 3.0
"""What is heard of others so soon after a refusal of one's own is the same one."""
SLOWEST = 1 / 120
"""Calls a second: slower than this no provider is asked."""
_WINDOW_S = 1.0
_ENOUGH = 20
_KEPT = 512


class FoundPace:
    """What a model takes.

    Attributes:
        rate: Calls a second that may be sent now; None as long as nothing was refused.
        refusals: How often it was refused, those at about the same time counted once.
    """

    def __init__(self) -> None:
        self.rate: float | None = None
        self.refusals = 0
        self._sent: deque[float] = deque(maxlen=_KEPT)
        self._top = 0.0
        self._least = 0.0
        self._starting = True
        self._steady = 1.0
        self._passed_s = 0.0
        self._looked_at = 0.0
        self._refused_at = float("-inf")

    def sent(self, now: float, *, waited: bool) -> None:
        """Notes a call that is sent now; `waited`: others, or it, had to wait, so that the pace is made use of."""
        self._sent.append(now)
        if self.rate is None:
            return
        if waited:
            self._grow(max(0.0, min(now - self._looked_at, 2 / self.rate)))
        self._looked_at = now

    def refused(self, now: float, sent_at: float) -> bool:
        """Notes that a call that was sent then was refused; returns whether that is news: a refusal of its own."""
        with suppress(ValueError):  # so many were sent since that it is not known any more
            self._sent.remove(sent_at)
        news = sent_at > self._refused_at
        if news:
            self._fall(now, self._taken(now))
        elif self.rate is not None:
            self._top = max(self._least, min(self._top, self._taken(self._refused_at)))
            self._grow(0.0)
        return news

    def slow_down(self, now: float) -> None:
        """Falls because another process was refused: that is heard late, when little was sent for a while."""
        if now - self._refused_at >= HEARD_S:
            self._fall(now, self._taken(now) if self.rate is None else self.rate)

    def _fall(self, now: float, top: float) -> None:
        """Begins a new curve below what was taken, which is a guess: at most half of the pace is given up by it."""
        if self.rate is None:
            self._least = FIRST_GUESS
        elif self._starting and not (self._sent and self._sent[-1] > self._refused_at):
            self._least = top = max(self.rate / 4, SLOWEST)  # nothing was taken since the first guess
        else:
            top = min(top, self.rate)
            alike = not self._starting and abs(top - self._top) <= ALIKE * self._top
            self._steady = min(2 * self._steady, STEADY) if alike else 1.0
            self._starting = False
            self._least = max(self.rate / 2, SLOWEST)
        self._top = max(self._least, top)
        self._passed_s = 0.0
        self._refused_at = self._looked_at = now
        self.refusals += 1
        self.rate = self._top
        self._grow(0.0)

    def _grow(self, seconds: float) -> None:
        """Sets the pace after so much time in which it was made use of."""
        assert self.rate is not None
        self._passed_s += seconds
        if self._starting:
            before = self.rate if self._passed_s else self._top
            self.rate = before * 2.0 ** (seconds / max(DOUBLES_S, DOUBLES_CALLS / before))
        else:
            away = self._passed_s / (self._steady * max(BACK_S, BACK_CALLS / self._top)) - 1
            self.rate = self._top * (1 + (1 - FALL) * away * away * away)
            self._starting = self.rate > (1 + ALIKE) * self._top

    def _taken(self, at: float) -> float:
        """Returns the calls a second that were sent until then and not refused."""
        sent = list(self._sent)
        last = bisect_right(sent, at)
        lately = last - bisect_right(sent, at - _WINDOW_S)
        if lately < _ENOUGH:
            lately = min(last, _ENOUGH)
        elif lately < _KEPT:
            return lately / _WINDOW_S
        if not lately:
            return 0.0
        span_s = at - sent[last - lately]
        return lately / (span_s if lately == _KEPT and span_s > 0 else max(span_s, _WINDOW_S))
