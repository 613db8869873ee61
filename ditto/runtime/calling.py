"""A holder's line to the callers: orders go out gathered, outcomes come back by a long poll.

While one submission is outstanding the next ones gather; a poll is open as long as anything is outstanding. A caller
that dies is another instance when it answers again, and gets every outstanding order once more. One that does not
answer in time, or whose answer was lost, is told and asked again: orders are known by their ids.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol
from zlib import crc32

from ditto.errors import DittoError, StaleEpoch
from ditto.runtime.drafts import Known, Piece
from ditto.runtime.listening import heard
from ditto.runtime.orders import NOTHING_SEEN, Batch, Order, Outcome, Seen
from ditto.runtime.runner import Clock, utc_now

POLL_S = 30.0
SEND_S = 10.0
PAUSE_S = 0.2
ACKNOWLEDGE_S = 0.005
"""So long an acknowledgement waits for a poll to go with: who waits for its job gets the answer first."""
MOST_ORDERS = 100
"""In one message: of a thousand models the first are asked while the others' orders are still packed."""


class CallerPort(Protocol):
    """A caller in another process. Every method may raise `HolderGone` when that process is not there."""

    async def call_models(self, holder: str, epoch: int, orders: list[Order], cancelled: list[str]) -> str: ...

    async def poll(self, holder: str, epoch: int, seen: Seen, journalled: list[str], wait_s: float) -> Batch: ...

    async def hear(self, holder: str, heard: dict[str, Known], wait_s: float) -> list[Piece]: ...


class Lines:
    """A holder's lines to all callers.

    Args:
        deliver: Called with each outcome.
        replaced: Called when a caller knows a later instance of this holder.
        may_order: Tells whether the jobs here are this holder's for certain: until then no order goes out.
        near: Names of callers on this holder's node: where there are some, the others are given no job's calls.
    """

    def __init__(
        self,
        callers: Mapping[str, CallerPort],
        *,
        holder: str,
        epoch: int,
        deliver: Callable[[Outcome], None],
        replaced: Callable[[], None],
        may_order: Callable[[], bool] = lambda: True,
        near: Collection[str] = (),
        clock: Clock = utc_now,
    ) -> None:
        self._names = sorted(callers)
        self._near = sorted(name for name in near if name in callers) or self._names
        self._lines = {
            name: _Line(
                port,
                holder=holder,
                epoch=epoch,
                deliver=deliver,
                replaced=replaced,
                may_order=may_order,
                clock=clock,
            )
            for name, port in callers.items()
        }

    def port(self, caller: str) -> CallerPort:
        return self._line(caller).port

    def pick(self, job_id: str) -> str:
        """Returns the caller that is to be given a job's calls."""
        return _one_of(self._near, job_id)

    def submit(self, caller: str, order: Order) -> None:
        self._line(caller).submit(order)

    def acknowledge(self, caller: str, order_ids: list[str]) -> None:
        self._line(caller).acknowledge(order_ids)

    def cancel(self, caller: str, order_ids: list[str]) -> None:
        self._line(caller).cancel(order_ids)

    def waited_until(self, caller: str, order_id: str) -> datetime | None:
        return self._line(caller).waited_until(order_id)

    def forget(self, order_ids: list[str]) -> None:
        for line in self._lines.values():
            line.forget(order_ids)

    def stop(self) -> None:
        """Says nothing more: somebody else speaks for these jobs."""
        for line in self._lines.values():
            line.stop()

    async def close(self) -> None:
        for line in self._lines.values():
            await line.close()

    def _line(self, caller: str) -> _Line:
        """Returns the line to this caller, or where there is none of that name any more, always the same other one."""
        return self._lines[caller if caller in self._lines else _one_of(self._names, caller)]


def _one_of(names: Sequence[str], key: str) -> str:
    """Returns one of the names, for the same key always the same one."""
    return names[crc32(key.encode()) % len(names)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """An order: sent again, it has less time left, and so has its job.

    Attributes:
        at_s: When it was given first.
        waited_until_s: Until then it is known to have waited for its turn: that is none of its own time.
    """

    order: Order
    at_s: float
    waited_until_s: float

    def now(self) -> Order:
        now_s = time.monotonic()
        timeout_s = self.order.timeout_s - (now_s - self.waited_until_s)
        return replace(self.order, timeout_s=timeout_s, within_s=self.order.within_s - (now_s - self.at_s))


class _Line:
    """A line to one caller."""

    def __init__(
        self,
        port: CallerPort,
        *,
        holder: str,
        epoch: int,
        deliver: Callable[[Outcome], None],
        replaced: Callable[[], None],
        may_order: Callable[[], bool],
        clock: Clock,
    ) -> None:
        self.port = port
        self._holder = holder
        self._epoch = epoch
        self._deliver = deliver
        self._replaced = replaced
        self._may_order = may_order
        self._clock = clock
        self._outstanding: dict[str, _Given] = {}
        self._unsent: dict[str, None] = {}
        self._cancelled: list[str] = []
        self._journalled: list[str] = []
        self._instance: str | None = None
        self._seen = NOTHING_SEEN
        self._sender: asyncio.Task[None] | None = None
        self._poller: asyncio.Task[None] | None = None
        self._acknowledging: asyncio.TimerHandle | None = None

    def submit(self, order: Order) -> None:
        now_s = time.monotonic()
        self._outstanding[order.id] = _Given(order=order, at_s=now_s, waited_until_s=now_s)
        self._unsent[order.id] = None
        self._wake()

    def acknowledge(self, order_ids: list[str]) -> None:
        self._journalled += order_ids
        if self._acknowledging is None:
            self._acknowledging = asyncio.get_running_loop().call_later(ACKNOWLEDGE_S, self._acknowledged)

    def waited_until(self, order_id: str) -> datetime | None:
        given = self._outstanding.get(order_id)
        if given is None or given.waited_until_s == given.at_s:
            return None
        return self._clock() - timedelta(seconds=time.monotonic() - given.waited_until_s)

    def cancel(self, order_ids: list[str]) -> None:
        self.forget(order_ids)
        self._cancelled += order_ids
        self._wake()

    def forget(self, order_ids: list[str]) -> None:
        for order_id in order_ids:
            self._outstanding.pop(order_id, None)
            self._unsent.pop(order_id, None)

    def stop(self) -> None:
        self._outstanding.clear()
        self._unsent.clear()
        self._cancelled.clear()
        self._journalled.clear()

    def _acknowledged(self) -> None:
        self._acknowledging = None
        self._wake()

    async def close(self) -> None:
        if self._acknowledging is not None:
            self._acknowledging.cancel()
        tasks = [task for task in (self._sender, self._poller) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _wake(self) -> None:
        if (self._unsent or self._cancelled) and (self._sender is None or self._sender.done()):
            self._sender = asyncio.create_task(self._send())
        if (self._outstanding or self._journalled) and (self._poller is None or self._poller.done()):
            self._poller = asyncio.create_task(self._poll())

    async def _send(self) -> None:
        while self._unsent or self._cancelled:
            if not self._may_order():
                await asyncio.sleep(PAUSE_S)
                continue
            sending = list(islice(self._unsent, MOST_ORDERS))
            orders = [self._outstanding[order_id].now() for order_id in sending]
            for order_id in sending:
                del self._unsent[order_id]
            cancelled, self._cancelled = self._cancelled, []
            try:
                instance = await heard(self.port.call_models(self._holder, self._epoch, orders, cancelled), SEND_S)
            except StaleEpoch:
                self._replaced()
                return
            except DittoError:
                self._unsent = dict.fromkeys(self._outstanding)
                self._cancelled = cancelled + self._cancelled
                await asyncio.sleep(PAUSE_S)
            else:
                self._saw(instance)

    async def _poll(self) -> None:
        while self._outstanding or self._journalled:
            journalled, self._journalled = self._journalled, []
            wait_s = POLL_S if self._outstanding else 0.0
            try:
                polled = self.port.poll(self._holder, self._epoch, self._seen, journalled, wait_s)
                batch = await heard(polled, max(wait_s, SEND_S))
            except StaleEpoch:
                self._replaced()
                return
            except DittoError:
                self._journalled = journalled + self._journalled
                await asyncio.sleep(PAUSE_S)
                self._unsent = dict.fromkeys(self._outstanding)
                self._wake()
            else:
                self._seen = batch.seen
                self._saw(batch.seen.instance)
                self._hand_in(batch.outcomes)
                self._note_waiting(batch.waiting)

    def _hand_in(self, outcomes: list[Outcome]) -> None:
        """Delivers what was ordered; an outcome for a job that is still being recovered stays with the caller."""
        for outcome in outcomes:
            if self._outstanding.pop(outcome.order_id, None) is not None:
                self._unsent.pop(outcome.order_id, None)
                self._deliver(outcome)

    def _note_waiting(self, order_ids: list[str]) -> None:
        now_s = time.monotonic()
        for order_id in order_ids:
            given = self._outstanding.get(order_id)
            if given is not None:
                self._outstanding[order_id] = replace(given, waited_until_s=now_s)

    def _saw(self, instance: str) -> None:
        """Notes the caller's instance; a new one knows nothing of what is outstanding, so all is sent again."""
        if self._instance is not None and instance != self._instance:
            self._unsent = dict.fromkeys(self._outstanding)
            self._wake()
        self._instance = instance
