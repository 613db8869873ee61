"""A circuit: a model that only fails is left alone for a while, so that its calls fail at once and not one by one.

It opens after so many failures in a row, which must have come from several jobs: what one of them asks may itself be
what the provider fails on. Only what says that the model is not there for anybody counts: no connection, or an error of
the provider's own (5xx). A refusal, a wrong request and a job's own time limit do not; a reply, and any other answer,
closes it. After the pause one request tries (half open): its answer closes the circuit, its failure opens it anew.

Source: M. Nygard, Release It!, "Circuit Breaker".
"""

from __future__ import annotations

from ditto.settings.rates import CircuitRule


class Circuit:
    """One model's."""

    def __init__(self, rule: CircuitRule) -> None:
        self._rule = rule
        self._failures = 0
        self._jobs: set[str] = set()
        self._open_until: float | None = None
        self._trying = False

    def open_s(self, now: float) -> float:
        """Returns for how long nobody may ask; 0 where one may. While the one that tries is under way, the pause."""
        if self._open_until is None:
            return 0.0
        if self._trying:
            return self._rule.pause_s
        return max(0.0, self._open_until - now)

    def sent(self) -> bool:
        """Notes that a request is sent; returns whether it is the one that tries."""
        self._trying = self._open_until is not None
        return self._trying

    def answered(self) -> None:
        """Closes: the model is there."""
        self._failures = 0
        self._jobs.clear()
        self._open_until = None
        self._trying = False

    def failed(self, job: str, now: float) -> None:
        """Notes a failure of a request of this job."""
        self._failures += 1
        if len(self._jobs) < self._rule.jobs:
            self._jobs.add(job)
        enough = self._failures >= self._rule.failures and len(self._jobs) >= self._rule.jobs
        if enough:
            self._open_until = now + self._rule.pause_s
            self._trying = False

    def given_up(self) -> None:
        """Notes that the one that tries ended without an answer or a failure: the next one tries."""
        self._trying = False
