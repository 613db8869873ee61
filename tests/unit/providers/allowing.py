"""A provider that allows so much, and a crowd that asks it, in virtual time: hours of it pass in a moment."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable

from ditto.errors import CallError
from ditto.providers.limits.desk import Desk, Waiter
from ditto.providers.limits.lane import Lane
from ditto.providers.limits.sharing import Share
from ditto.settings.rates import CircuitRule, RateLimit
from ditto.sim.allowances import Allowance

REFUSAL_S = 0.005


def limit(**allowed: float) -> RateLimit:
    return RateLimit.model_validate(allowed)


class Crowd:
    """Callers' desks before one provider, and a clock that jumps from one happening to the next.

    Args:
        desks: One for each process that asks.
        answers_s: How long the provider takes to answer.
    """

    def __init__(self, desks: list[Desk], allowance: Allowance, *, answers_s: float = 0.05) -> None:
        self.desks = desks
        self.allowance = allowance
        self.answers_s = answers_s
        self.now = 100.0
        self.sent: list[float] = []
        self.answered: Counter[str] = Counter()
        self.answered_at: list[float] = []
        self.refused = 0
        self.most_refused = 0
        self._happenings: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def at(self, moment: float, happens: Callable[[], None]) -> None:
        heapq.heappush(self._happenings, (moment, next(self._numbers), happens))

    def ask(self, desk: Desk, *, key: str = "", name: str = "m", again: int = 0) -> None:
        """Has a call stand in line, or go where it may go at once."""
        if desk.whole is None and desk.lanes[name].free and not len(desk):
            desk.go(name, self.now, 0.0, waited=False)
            self._send(desk, key, name, again)
            return
        desk.add(
            Waiter(
                name=name,
                key=key,
                again=again > 0,
                grant=lambda now: self._send(desk, key, name, again),
                fail=_unexpected,
            )
        )

    def run(self, seconds: float) -> None:
        """Lets so much time pass."""
        until = self.now + seconds
        while True:
            for desk in self.desks:
                while (waiter := desk.next(self.now)) is not None:
                    waiter.grant(self.now)
            wakes_at = min(desk.wakes_at() for desk in self.desks)
            happens_at = self._happenings[0][0] if self._happenings else float("inf")
            moment = min(wakes_at, happens_at)
            if moment > until:
                self.now = until
                return
            self.now = max(self.now, moment)
            while self._happenings and self._happenings[0][0] <= self.now:
                heapq.heappop(self._happenings)[2]()

    def _send(self, desk: Desk, key: str, name: str, again: int) -> None:
        sent_at = self.now
        self.sent.append(sent_at)
        refused_s = self.allowance.refused_s(sent_at)
        if refused_s is None:
            self.at(sent_at + self.answers_s, lambda: self._answer(desk, key, name))
        else:
            self.at(sent_at + REFUSAL_S, lambda: self._refuse(desk, key, name, again, sent_at, refused_s))

    def _answer(self, desk: Desk, key: str, name: str) -> None:
        self.answered[key] += 1
        self.answered_at.append(self.now)
        self._left(desk, name)
        desk.lanes[name].answered(0.0, None, None)

    def _refuse(self, desk: Desk, key: str, name: str, again: int, sent_at: float, refused_s: float) -> None:
        self.refused += 1
        self.most_refused = max(self.most_refused, again + 1)
        self._left(desk, name)
        desk.lanes[name].refused(self.now, sent_at, 0.0, refused_s)
        self.at(self.now + refused_s, lambda: self.ask(desk, key=key, name=name, again=again + 1))

    def _left(self, desk: Desk, name: str) -> None:
        desk.lanes[name].running -= 1
        if desk.whole is not None:
            desk.whole.running -= 1


def desk_of(*names: str, whole: RateLimit | None = None, share: float = 1.0, **each: float) -> Desk:
    """Returns a desk for models of these names, each with this limit."""
    rule = CircuitRule()
    part = Share(part=share)
    desk = Desk(None if whole is None else Lane(whole, rule, None if share == 1 else part))
    for name in names or ("m",):
        desk.lanes[name] = Lane(limit(**each), rule, None if share == 1 else part)
    return desk


def _unexpected(error: CallError) -> None:
    raise error
