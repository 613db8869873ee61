"""What the server was asked: how often, by whom, which prompts, and how it ended. Bounded in memory.

The counts are how a test knows that no answer was asked for twice, so they are taken here, at the model's end.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

Key = TypeVar("Key")


class Ending(StrEnum):
    """How a request ended."""

    ANSWERED = "answered"
    FAILED = "failed"
    """With an error, or with the connection broken by the server as it was told to."""
    ABORTED = "aborted"
    """The client hung up first."""


@dataclass(slots=True)
class Tally:
    """Requests begun, and how those that ended did."""

    started: int = 0
    answered: int = 0
    failed: int = 0
    aborted: int = 0

    def end(self, ending: Ending) -> None:
        match ending:
            case Ending.ANSWERED:
                self.answered += 1
            case Ending.FAILED:
                self.failed += 1
            case Ending.ABORTED:
                self.aborted += 1

    def shown(self) -> dict[str, int]:
        return {
            "started": self.started,
            "finished": self.answered + self.failed,
            "answered": self.answered,
            "failed": self.failed,
            "aborted": self.aborted,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request being answered.

    Attributes:
        attempt: The how-manieth it is for this model, prompt and misbehaviour, from 1.
        generation: Which reset it came after.
    """

    model: str
    prompt: str
    call: str
    attempt: int
    generation: int


@dataclass(slots=True)
class Counts:
    """Attributes:
    limit: How many prompts, calls and models are remembered each; the oldest are forgotten first.
    """

    limit: int = 100_000
    requests: int = 0
    running: int = 0
    peak: int = 0
    _generation: int = 0
    _forgotten: int = 0
    _all: Tally = field(default_factory=Tally)
    _models: OrderedDict[str, Tally] = field(default_factory=OrderedDict)
    _prompts: OrderedDict[tuple[str, str], Tally] = field(default_factory=OrderedDict)
    _calls: OrderedDict[str, Tally] = field(default_factory=OrderedDict)
    _attempts: OrderedDict[tuple[str, str], Tally] = field(default_factory=OrderedDict)
    _statuses: Counter[int] = field(default_factory=Counter)

    def begin(self, model: str, prompt: str, *, call: str, variant: str) -> Seen:
        """Counts a request and returns what `end` needs.

        Args:
            prompt: Its hash.
            call: Its id, or blank.
            variant: Stands for prompt and misbehaviour: attempts are counted for each apart.
        """
        self.requests += 1
        self.running += 1
        self.peak = max(self.peak, self.running)
        self._all.started += 1
        _remembered(self._models, model, self.limit).started += 1
        before = len(self._prompts)
        tally = _remembered(self._prompts, (model, prompt), self.limit)
        self._forgotten += before == self.limit and tally.started == 0
        tally.started += 1
        if call:
            _remembered(self._calls, call, self.limit).started += 1
        attempts = _remembered(self._attempts, (model, variant), self.limit)
        attempts.started += 1
        return Seen(model=model, prompt=prompt, call=call, attempt=attempts.started, generation=self._generation)

    def end(self, seen: Seen, ending: Ending, status: int) -> None:
        """Counts how a request ended; `status` 0 where there was no response."""
        self.running -= 1
        if seen.generation != self._generation:
            return
        self._statuses[status] += 1
        self._all.end(ending)
        found = (self._models.get(seen.model), self._prompts.get((seen.model, seen.prompt)), self._calls.get(seen.call))
        for tally in found:
            if tally is not None:
                tally.end(ending)

    def reset(self) -> None:
        """Forgets everything but the requests that still run."""
        self._generation += 1
        self.requests = self._forgotten = 0
        self.peak = self.running
        self._all = Tally()
        for each in (self._models, self._prompts, self._calls, self._attempts, self._statuses):
            each.clear()

    def shown(self) -> dict[str, Any]:
        """Returns the counts as JSON."""
        prompts: dict[str, dict[str, dict[str, int]]] = {}
        for (model, prompt), tally in self._prompts.items():
            prompts.setdefault(model, {})[prompt] = tally.shown()
        return {
            "total": self.requests,
            **self._all.shown(),
            "running": self.running,
            "maxConcurrent": self.peak,
            "statuses": {str(status): number for status, number in sorted(self._statuses.items())},
            "models": {model: tally.shown() for model, tally in self._models.items()},
            "prompts": prompts,
            "calls": {call: tally.shown() for call, tally in self._calls.items()},
            "forgotten": self._forgotten,
        }


def _remembered(tallies: OrderedDict[Key, Tally], key: Key, limit: int) -> Tally:
    tally = tallies.get(key)
    if tally is None:
        while len(tallies) >= limit:
            tallies.popitem(last=False)
        tally = tallies[key] = Tally()
    else:
        tallies.move_to_end(key)
    return tally
