"""An even pace: so much a second, without bursts, and without losing what a late timer has left undone.

The generic cell rate algorithm (ITU-T I.371, annex A; a leaky bucket as a meter): one number, the moment from which
the next unit is on time. Where one comes a little late, because a loop has woken up late, the one after it is on time
all the same; where it comes later than by the slack there was a pause, and nothing of a pause is made up for: that
would be a burst.
"""

from __future__ import annotations

SLACK_S = 0.05


class Pace:
    """Units a second, evenly.

    Args:
        rate: Units a second, above 0.
        slack_s: How late a unit may come without making the next ones late.
    """

    def __init__(self, rate: float, slack_s: float = SLACK_S) -> None:
        self.rate = rate
        self._slack_s = slack_s
        self._on_time = 0.0

    def change(self, now: float, rate: float) -> None:
        """Goes on at another rate, to which what has still to be waited for is put right."""
        self._on_time = now + (self._on_time - now) * self.rate / rate if self._on_time > now else self._on_time
        self.rate = rate

    def ready_at(self) -> float:
        """Returns from when on the next unit may come."""
        return self._on_time

    def take(self, now: float, amount: float = 1.0) -> None:
        """Notes that so much comes now. More than one unit may be taken at once: what follows waits the longer."""
        late_s = now - self._on_time
        self._on_time = (now if late_s > self._slack_s else self._on_time) + amount / self.rate

    def give_back(self, amount: float) -> None:
        """Corrects what was taken; a negative amount takes more."""
        self._on_time -= amount / self.rate
