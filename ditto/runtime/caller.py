"""A caller makes model calls for many jobs, and keeps each outcome until the job's journal has it.

It outlives the processes that hold jobs, so what was paid for survives them: a holder that comes back gives the same
orders again and gets what is under way or already there, and nothing is asked twice. An order whose outcome is in the
journal, or that was cancelled, is over: it may come late or twice, and is not begun again. Orders and polls carry the
holder's epoch; those of an earlier instance are refused. Outcomes that nobody claims expire.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from ditto.domain.events import Failure, Reply
from ditto.errors import HolderGone, StaleEpoch
from ditto.providers.limits.gates import Gate
from ditto.providers.port import NOBODYS, Hearer, ModelRequest, Whose
from ditto.runtime import tracing
from ditto.runtime.drafts import Drafts, Known, Piece
from ditto.runtime.measures import CALLS_RUNNING, count_call, count_gates
from ditto.runtime.orders import Batch, Moved, Order, Outcome, Seen
from ditto.runtime.wakefulness import Wakefulness
from ditto.tally import Tally

KEEP_S = 600.0
GATHER_S = 0.002
"""So long an outcome waits for those of its job's other calls: together they are one message and one commit."""
WAITING_S = 2.0
"""How often a holder is told which of its calls wait for their turn; sooner than it would give one up (`MARGIN_S`)."""
LATE_S = 60.0
"""So long after an order is over it may still come again: a message that was doubled, a holder that was frozen."""

log = logging.getLogger("ditto.caller")


class Asks(Protocol):
    """What a caller needs of the providers."""

    async def ask(
        self,
        provider: str,
        name: str,
        request: ModelRequest,
        *,
        timeout_s: float,
        max_retries: int,
        hearer: Hearer | None,
        whose: Whose = NOBODYS,
    ) -> Reply | Failure: ...

    async def aclose(self) -> None: ...


@dataclass(slots=True)
class _Desk:
    """What one holder has to be told: outcomes by number, in the order in which they came.

    The numbers are the caller's, for all its desks together: a holder whose desk was forgotten meanwhile says how far
    it has seen, and what it is told at its next desk must come behind that.
    """

    fresh: Iterator[int]
    epoch: int = 0
    spoken_at: float = 0.0
    waiting_told_at: float = float("-inf")
    kept: dict[int, tuple[float, Outcome]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, outcome: Outcome, now: float) -> None:
        number = next(self.fresh)
        self.kept[number] = (now, outcome)
        self.numbers[outcome.order_id] = number
        self.news.set()

    def drop(self, order_id: str) -> Outcome | None:
        number = self.numbers.pop(order_id, None)
        return None if number is None else self.kept.pop(number)[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Owner:
    """Who waits for an order; of two holders the one that knows more adoptions."""

    holder: str
    adoptions: int


class Caller:
    """Makes model calls.

    Args:
        name: The actor's name.
        instance: New for each process: a holder that sees another one gives its orders again.
        tally: Where calls are counted; others of this process may count there too.
        standing: Returns how it stands with the models that are limited.
    """

    def __init__(
        self,
        name: str,
        instance: str,
        models: Asks,
        *,
        tally: Tally | None = None,
        standing: Callable[[], Iterable[Gate]] = tuple,
        keep_s: float = KEEP_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tally = Tally() if tally is None else tally
        self._name = name
        self._instance = instance
        self._models = models
        self._standing = standing
        self._keep_s = keep_s
        self._clock = clock
        self._numbers = itertools.count(1)
        self._desks: dict[str, _Desk] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._owner: dict[str, _Owner] = {}
        self._waiting: set[str] = set()
        self._over: dict[str, float] = {}
        self._open: Counter[str] = Counter()
        self._gathered: dict[str, list[Outcome]] = {}
        self._drafts = Drafts(instance)
        self._tidied_at = clock()
        self._wakefulness = Wakefulness()

    async def call_models(self, holder: str, epoch: int, orders: list[Order], cancelled: list[str]) -> str:
        """Begins these calls and ends those cancelled; returns this instance's id.

        Raises:
            StaleEpoch: A later instance of the holder has spoken.
            HolderGone: This process has slept, and these orders may be with another one since: give them again.
        """
        if self._wakefulness.drowsy():
            raise HolderGone(f"{self._name} has slept")
        desk = self._desk(holder, epoch)
        for order in orders:
            self._take(order, holder, desk)
        for order_id in cancelled:
            self._drop(order_id, holder)
        self._tidy()
        return self._instance

    async def poll(self, holder: str, epoch: int, seen: Seen, journalled: list[str], wait_s: float) -> Batch:
        """Returns the outcomes that were not seen yet, waiting for the first of them up to `wait_s`; or sooner, where
        there are calls that wait for their turn, that they do.

        `journalled` are the orders whose outcomes the holder has written down: they are forgotten here.

        Raises:
            StaleEpoch: A later instance of the holder has spoken.
        """
        desk = self._desk(holder, epoch)
        for order_id in journalled:
            self._over[order_id] = self._clock()
            desk.drop(order_id)
            owner = self._owner.get(order_id)
            if owner is not None and owner.holder == holder and order_id not in self._running:
                del self._owner[order_id]
        after = seen.last if seen.instance == self._instance else 0
        waiting = self._waiting_of(holder, desk)
        desk.news.clear()
        while not any(number > after for number in desk.kept) and wait_s > 0 and not waiting and not desk.news.is_set():
            try:
                async with asyncio.timeout(min(wait_s, WAITING_S)):
                    await desk.news.wait()
            except TimeoutError:
                wait_s -= WAITING_S
            self._desk(holder, epoch)
            waiting = self._waiting_of(holder, desk)
        fresh = {number: outcome for number, (_, outcome) in desk.kept.items() if number > after}
        last = max(fresh, default=after)
        seen = Seen(instance=self._instance, last=last)
        return Batch(seen=seen, outcomes=list(fresh.values()), waiting=waiting)

    async def hear(self, holder: str, heard: dict[str, Known], wait_s: float) -> list[Piece]:
        """Returns what the holder lacks of these calls' replies while they are written, waiting up to `wait_s`."""
        return await self._drafts.hear(holder, heard, wait_s)

    def status(self) -> dict[str, int]:
        """Returns how many calls are under way and how many outcomes are kept."""
        return {"running": len(self._running), "kept": sum(len(desk.kept) for desk in self._desks.values())}

    def counted(self) -> Tally:
        """Returns what was counted of calls, and how many are under way."""
        counted = self._tally.copy()
        counted.count(CALLS_RUNNING, by=len(self._running))
        count_gates(counted, self._standing())
        return counted

    async def close(self) -> None:
        """Ends every call."""
        await self._wakefulness.close()
        for task in list(self._running.values()):
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        await self._models.aclose()

    def _desk(self, holder: str, epoch: int) -> _Desk:
        desk = self._desks.setdefault(holder, _Desk(self._numbers))
        desk.spoken_at = self._clock()
        if epoch < desk.epoch:
            raise StaleEpoch(f"{holder} speaks with epoch {epoch}, its epoch is {desk.epoch}")
        if epoch > desk.epoch:
            desk.epoch = epoch
            desk.news.set()
        return desk

    def _take(self, order: Order, holder: str, desk: _Desk) -> None:
        """Begins a call, or hands over one that is known; an order that is over is asked by nobody any more."""
        self._hand_out(_job(order.id))
        before = self._owner.get(order.id)
        if order.id in self._over or (before is not None and before.adoptions > order.adoptions):
            desk.put(self._outcome(order.id, Moved()), self._clock())
            return
        self._owner[order.id] = _Owner(holder=holder, adoptions=order.adoptions)
        if before is None:
            self._open[_job(order.id)] += 1
            self._running[order.id] = asyncio.create_task(self._call(order))
            return
        kept = self._desks[before.holder].drop(order.id)
        if before.holder != holder:
            self._desks[before.holder].put(self._outcome(order.id, Moved()), self._clock())
        if kept is not None and not isinstance(kept.result, Moved):
            desk.put(kept, self._clock())

    async def _call(self, order: Order) -> None:
        began = self._clock()
        try:
            result = await self._models.ask(
                order.provider,
                order.name,
                order.request,
                timeout_s=order.timeout_s,
                max_retries=order.max_retries,
                hearer=self._drafts.open(order.id) if order.live else None,
                whose=self._whose(order),
            )
        except Exception as error:  # a call ends here, whatever Ditto stumbled on
            log.exception("model call failed inside Ditto", extra={"order_id": order.id})
            result = Failure(type="Failed", message=f"Ditto failed on this call: {type(error).__name__}")
        except asyncio.CancelledError:
            self._count(order, Failure(type="Cancelled", message="", elapsed_s=self._clock() - began))
            raise
        finally:
            self._running.pop(order.id, None)
            self._close_one(_job(order.id))
            self._drafts.close(order.id)
            self._waiting.discard(order.id)
        self._count(order, result)
        self._gather(self._outcome(order.id, result))

    def _count(self, order: Order, result: Reply | Failure) -> None:
        count_call(self._tally, order.provider, order.name, result)
        tracing.call_ended(order, result)

    def _close_one(self, job_id: str) -> None:
        self._open[job_id] -= 1
        if not self._open[job_id]:
            del self._open[job_id]

    def _gather(self, outcome: Outcome) -> None:
        """Hands an outcome out with those of its job's other calls, or after a moment without them."""
        job_id = _job(outcome.order_id)
        gathered = self._gathered.setdefault(job_id, [])
        gathered.append(outcome)
        if not self._open[job_id]:
            self._hand_out(job_id)
        elif len(gathered) == 1:
            asyncio.get_running_loop().call_later(GATHER_S, self._hand_out, job_id)

    def _hand_out(self, job_id: str) -> None:
        for outcome in self._gathered.pop(job_id, ()):
            owner = self._owner.get(outcome.order_id)
            if owner is not None:
                self._desks[owner.holder].put(outcome, self._clock())

    def _whose(self, order: Order) -> Whose:
        return Whose(
            job=_job(order.id),
            key=order.key,
            within_s=order.within_s,
            waits=lambda now: self._waiting.add(order.id) if now else self._waiting.discard(order.id),
        )

    def _waiting_of(self, holder: str, desk: _Desk) -> list[str]:
        """Returns this holder's orders that have not had their turn, if it was not told a moment ago."""
        now = self._clock()
        if not self._waiting or now - desk.waiting_told_at < WAITING_S:
            return []
        desk.waiting_told_at = now
        owners = ((order_id, self._owner.get(order_id)) for order_id in self._waiting)
        return [order_id for order_id, owner in owners if owner is not None and owner.holder == holder]

    def _outcome(self, order_id: str, result: Reply | Failure | Moved) -> Outcome:
        return Outcome(order_id=order_id, caller=self._name, result=result)

    def _drop(self, order_id: str, holder: str) -> None:
        """Ends a call and forgets it, unless another holder has taken its job over."""
        self._hand_out(_job(order_id))
        owner = self._owner.get(order_id)
        if owner is not None and owner.holder != holder:
            return
        self._over[order_id] = self._clock()
        if owner is None:
            return
        task = self._running.get(order_id)
        if task is not None:
            task.cancel()
        del self._owner[order_id]
        self._waiting.discard(order_id)
        self._desks[holder].drop(order_id)

    def _tidy(self) -> None:
        """Forgets outcomes that nobody claims, and holders that have not spoken for as long."""
        now = self._clock()
        if now - self._tidied_at < self._keep_s / 10:
            return
        self._tidied_at = now
        self._over = {order_id: at for order_id, at in self._over.items() if at >= now - LATE_S}
        before = now - self._keep_s
        for desk in self._desks.values():
            for _, outcome in [kept for kept in desk.kept.values() if kept[0] < before]:
                desk.drop(outcome.order_id)
                if outcome.order_id not in self._running:
                    self._owner.pop(outcome.order_id, None)
        owners = {owner.holder for owner in self._owner.values()}
        for holder in [name for name, desk in self._desks.items() if desk.spoken_at < before]:
            if holder not in owners and not self._desks[holder].kept:
                del self._desks[holder]


def _job(order_id: str) -> str:
    return order_id.partition("/")[0]
