"""What one model, or one provider as a whole, may be sent just now: by set limits, what was found, its circuit."""

from __future__ import annotations

from ditto.providers.limits.circuit import Circuit
from ditto.providers.limits.finding import FoundPace
from ditto.providers.limits.pacing import Pace
from ditto.providers.limits.sharing import Share, whole
from ditto.settings.rates import CircuitRule, RateLimit

HEADROOM = 0.98
"""Of a rate that is set so much is used: clocks differ, and messages come in bunches."""
TOKENS_SLACK_S = 1.0
CLOSED_S = 60.0
"""No provider's Retry-After keeps others than its own call waiting for longer."""
AT_ONCE = 400
"""So many calls may be under way to a model of which nothing is known; each answer allows one more (slow start)."""
_UNKNOWN_ANSWER = 500.0
_SMOOTHING = 0.1


class Lane:
    """One model's, or one provider's.

    Args:
        limit: What is allowed in all.
        share: This process's part of it; by default all.
    """

    def __init__(self, limit: RateLimit, circuit: CircuitRule, share: Share | None = None) -> None:
        self.found = FoundPace()
        self.circuit = Circuit(circuit)
        self.running = 0
        self.used_at = 0.0
        self.proven = True
        """Whether the provider has taken something since it refused last."""
        self._limit = limit
        self._requests = None if limit.requests_per_s is None else Pace(limit.requests_per_s)
        self._tokens = None if limit.tokens_per_s is None else Pace(limit.tokens_per_s, TOKENS_SLACK_S)
        self._found: Pace | None = None
        self._closed_until = 0.0
        self._answer_tokens = _UNKNOWN_ANSWER
        self._untried = AT_ONCE
        self._slots: int | None = None
        self.share(whole(limit) if share is None else share, 0.0)

    @property
    def free(self) -> bool:
        """Whether nothing limits it just now."""
        return self._found is None and not self.limited and self.running < self._untried

    @property
    def limited(self) -> bool:
        """Whether a limit is set."""
        return self._requests is not None or self._tokens is not None or self._limit.calls_at_once is not None

    def share(self, share: Share, now: float) -> None:
        """Sets this process's part of what is allowed in all."""
        self._slots = share.slots
        if self._requests is not None and self._limit.requests_per_s is not None:
            self._requests.change(now, self._limit.requests_per_s * share.part * HEADROOM)
        if self._tokens is not None and self._limit.tokens_per_s is not None:
            self._tokens.change(now, self._limit.tokens_per_s * share.part * HEADROOM)

    def ready_at(self) -> float:
        """Returns from when on a request may go; infinity where one that is under way must end first."""
        if self._slots is not None and self.running >= self._slots:
            return float("inf")
        if self._found is None and not self.limited and self.running >= self._untried:
            return float("inf")
        paces = [pace.ready_at() for pace in (self._requests, self._tokens, self._found) if pace is not None]
        return max(self._closed_until, *paces) if paces else self._closed_until

    def sent(self, now: float, tokens: float, *, waited: bool) -> None:
        """Notes a request that goes now."""
        self.running += 1
        self.used_at = now
        self.found.sent(now, waited=waited)
        if self._requests is not None:
            self._requests.take(now)
        if self._tokens is not None:
            self._tokens.take(now, tokens)
        if self._found is not None and self.found.rate is not None:
            self._found.rate = self.found.rate
            self._found.take(now)

    def expected_tokens(self, question: float, answer_limit: int | None) -> float:
        """Returns how many tokens a request will take, by its question's length and by earlier answers."""
        if self._tokens is None:
            return 0.0
        return question + (self._answer_tokens if answer_limit is None else min(self._answer_tokens, answer_limit))

    def answered(self, expected: float, question: int | None, answer: int | None) -> None:
        """Corrects what was expected of a request by what the provider has counted."""
        self.proven = True
        self._untried += 1
        if self._tokens is None or question is None or answer is None:
            return
        first = self._answer_tokens == _UNKNOWN_ANSWER
        self._answer_tokens += (answer - self._answer_tokens) * (1.0 if first else _SMOOTHING)
        self._tokens.give_back(expected - question - answer)

    def untaken(self, expected: float) -> None:
        """Gives back the tokens that were expected of a request which has taken none."""
        if self._tokens is not None:
            self._tokens.give_back(expected)

    def refused(self, now: float, sent_at: float, expected: float, retry_after_s: float | None) -> bool:
        """Notes a 429; returns whether it is news, and not one of several at once."""
        news = self.found.refused(now, sent_at)
        self.proven = self.proven and not news
        self.untaken(expected)
        self._slow(now, retry_after_s or 0.0)
        return news

    def slow_down(self, now: float, closed_s: float) -> None:
        """Slows down because another process was refused."""
        self.found.slow_down(now)
        self._slow(now, closed_s)

    def closed_s(self, now: float) -> float:
        """Returns for how long the provider has asked not to be asked."""
        return max(0.0, self._closed_until - now)

    def _slow(self, now: float, closed_s: float) -> None:
        self._closed_until = max(self._closed_until, now + min(closed_s, CLOSED_S))
        assert self.found.rate is not None
        if self._found is None:
            self._found = Pace(self.found.rate)
        self._found.rate = self.found.rate
