"""Who is next: calls wait for their turn in order, and turns go round between the keys that they come under.

Models of one provider that has a limit as a whole share a desk; any other model has one to itself, so that a slow one
holds nobody else up. In a model's queue the keys (tenants, batches) take turns, and under one key the calls stand as
they came; one that was refused and comes again goes first, unless nothing has been taken since that refusal: then one
goes first that has all its tries before it. Where several models could be served, that one is whose next call's key has
had its last turn at this desk the longest time ago.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from ditto.errors import CallError
from ditto.providers.limits.lane import Lane

_KEYS = 10_000


@dataclass(slots=True, kw_only=True, eq=False)
class Waiter:
    """A call that waits for its turn.

    Attributes:
        again: It was refused before.
        tokens: How many it is expected to take.
        grant: Called with the moment at which it is its turn.
        fail: Called where there will be none.
    """

    name: str
    grant: Callable[[float], None]
    fail: Callable[[CallError], None]
    key: str = ""
    again: bool = False
    tokens: float = 0.0
    gone: bool = False


@dataclass(slots=True)
class _Line:
    """The calls under one key for one model."""

    again: deque[Waiter] = field(default_factory=deque)
    fresh: deque[Waiter] = field(default_factory=deque)

    def first(self, *, proven: bool) -> Waiter | None:
        """Takes the first out of the line."""
        lines = (self.again, self.fresh) if proven else (self.fresh, self.again)
        for line in lines:
            while line:
                waiter = line.popleft()
                if not waiter.gone:
                    return waiter
        return None

    def empty(self) -> bool:
        for line in (self.again, self.fresh):
            while line and line[0].gone:
                line.popleft()
        return not self.again and not self.fresh


class Desk:
    """Gives turns.

    Args:
        whole: What the models of this desk may be sent together, None where only each has its own limit.
    """

    def __init__(self, whole: Lane | None = None) -> None:
        self.whole = whole
        self.lanes: dict[str, Lane] = {}
        self._queues: dict[str, dict[str, _Line]] = {}
        self._served: dict[tuple[str, str], int] = {}
        self._turns = 0
        self._waiting = 0

    def __len__(self) -> int:
        """Returns how many calls wait."""
        return self._waiting

    def may_go(self, name: str, now: float) -> bool:
        """Tells whether a call to this model may go now, ahead of nobody."""
        if self.whole is not None and (self._waiting or self.whole.ready_at() > now):
            return False
        return name not in self._queues and self.lanes[name].ready_at() <= now

    def add(self, waiter: Waiter) -> None:
        """Has a call wait."""
        line = self._queues.setdefault(waiter.name, {}).setdefault(waiter.key, _Line())
        (line.again if waiter.again else line.fresh).append(waiter)
        self._waiting += 1

    def remove(self, waiter: Waiter) -> None:
        """Has a call wait no longer that has not had its turn."""
        waiter.gone = True
        self._waiting -= 1
        self._drop_if_empty(waiter.name, waiter.key)

    def go(self, name: str, now: float, tokens: float, *, waited: bool) -> None:
        """Notes that a call goes."""
        self.lanes[name].sent(now, tokens, waited=waited)
        if self.whole is not None:
            self.whole.sent(now, tokens, waited=waited)

    def next(self, now: float) -> Waiter | None:
        """Returns the call whose turn it is now, which goes; None where none may."""
        if not self._waiting or (self.whole is not None and self.whole.ready_at() > now):
            return None
        ready = [name for name in self._queues if self.lanes[name].ready_at() <= now]
        if not ready:
            return None
        name = min(ready, key=self._rank) if len(ready) > 1 else ready[0]
        queue = self._queues[name]
        key = next(iter(queue))
        waiter = queue[key].first(proven=self.lanes[name].proven)
        assert waiter is not None  # lines without a call are dropped at once
        queue[key] = queue.pop(key)  # to the end
        self._note(name, key)
        self.remove(waiter)
        self.go(name, now, waiter.tokens, waited=True)
        return waiter

    def wakes_at(self) -> float:
        """Returns when the next turn may be given; infinity where nobody waits, or a call must end first."""
        if not self._waiting:
            return float("inf")
        ready_at = min(self.lanes[name].ready_at() for name in self._queues)
        return ready_at if self.whole is None else max(ready_at, self.whole.ready_at())

    def all_for(self, name: str) -> list[Waiter]:
        """Returns the calls that wait for this model."""
        lines = self._queues.get(name, {}).values()
        return [waiter for line in lines for waiter in (*line.again, *line.fresh) if not waiter.gone]

    def _rank(self, name: str) -> tuple[int, int]:
        key = next(iter(self._queues[name]))
        return self._served.get(("key", key), 0), self._served.get(("model", name), 0)

    def _note(self, name: str, key: str) -> None:
        if len(self._served) > _KEYS:
            self._served.clear()
        self._turns += 1
        self._served["key", key] = self._served["model", name] = self._turns

    def _drop_if_empty(self, name: str, key: str) -> None:
        queue = self._queues[name]
        if queue[key].empty():
            del queue[key]
            if not queue:
                del self._queues[name]
