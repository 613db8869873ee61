"""Each safeguard of Ditto taken out once, from the outside, to show that the simulation notices."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from ditto.errors import AppendConflict, StoreError
from ditto.runtime.caller import Caller
from ditto.runtime.host import Host
from ditto.runtime.orders import Batch, Order, Seen
from ditto.runtime.runner import numbered
from ditto.store.port import Append, JobRow
from tests.simulation.parts import Parts
from tests.simulation.stores import FoldedJournal, StoreLine

_LONG_AFTER = timedelta(days=365)


class ActsFirst(StoreLine):
    """An append is answered before it is written: calls begin and clients are told first."""

    async def append(self, append: Append) -> None:
        asyncio.get_running_loop().create_task(self._write(append))

    async def _write(self, append: Append) -> None:
        try:
            await self.ask("append", (append,))
        except StoreError:
            return  # who has acted does not look back


class Unconstrained(FoldedJournal):
    """An append is taken at any number, also where another event stands."""

    async def append(self, append: Append) -> None:
        try:
            await super().append(append)
        except AppendConflict:
            new = [(append.id, record) for record in numbered(append)]
            self._records[append.job_id] = [*self._records[append.job_id], *new]


class Anonymous(FoldedJournal):
    """An append is another one each time that it comes."""

    _number = itertools.count()

    async def append(self, append: Append) -> None:
        await super().append(replace(append, id=f"{append.id} {next(self._number)}"))


class Keyless(FoldedJournal):
    """Idempotency keys are not claimed."""

    async def append(self, append: Append) -> None:
        await super().append(replace(append, claim=None))


class Leaseless(FoldedJournal):
    """Jobs are taken from holders whose lease has not run out."""

    async def orphans(self, now: datetime, quiet_since: datetime) -> list[JobRow]:
        return await super().orphans(now + _LONG_AFTER, quiet_since)

    async def append(self, append: Append) -> None:
        await super().append(replace(append, unheld_at=None))


class Hasty(FoldedJournal):
    """Jobs are taken from holders whose lease had run out when it was looked for them, though they have come back."""

    async def append(self, append: Append) -> None:
        await super().append(replace(append, unheld_at=None))


class Epochless(Caller):
    """Every instance of a holder is obeyed."""

    async def call_models(self, holder: str, epoch: int, orders: list[Order], cancelled: list[str]) -> str:
        return await super().call_models(holder, 1, orders, cancelled)

    async def poll(self, holder: str, epoch: int, seen: Seen, journalled: list[str], wait_s: float) -> Batch:
        return await super().poll(holder, 1, seen, journalled, wait_s)


class Careless(Caller):
    """A reply is forgotten when it is handed over."""

    async def poll(self, holder: str, epoch: int, seen: Seen, journalled: list[str], wait_s: float) -> Batch:
        batch = await super().poll(holder, epoch, seen, journalled, wait_s)
        for outcome in batch.outcomes:
            self._desks[holder].drop(outcome.order_id)
            self._owner.pop(outcome.order_id, None)
        return batch


class Oblivious(Caller):
    """What is over is not remembered: an order that comes again is asked again."""

    async def call_models(self, holder: str, epoch: int, orders: list[Order], cancelled: list[str]) -> str:
        self._over.clear()
        return await super().call_models(holder, epoch, orders, cancelled)


class Sleepwalking(Caller):
    """What was sent during a sleep is done after it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._wakefulness.drowsy = lambda: False  # type: ignore[method-assign]


class Presuming(Host):
    """Jobs are taken for its own after its lease has run out."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._lease.current = lambda: True  # type: ignore[method-assign]


BREAKS: Mapping[str, Parts] = MappingProxyType(
    {
        "act-then-write": Parts(store_line=ActsFirst),
        "no-constraint": Parts(journal=Unconstrained),
        "append-id-ignored": Parts(journal=Anonymous),
        "key-ignored": Parts(journal=Keyless),
        "lease-ignored": Parts(journal=Leaseless),
        "return-ignored": Parts(journal=Hasty),
        "epoch-ignored": Parts(caller=Epochless),
        "reply-not-kept": Parts(caller=Careless),
        "over-forgotten": Parts(caller=Oblivious),
        "sleep-ignored": Parts(caller=Sleepwalking),
        "lapse-ignored": Parts(host=Presuming),
    }
)
"""By name: what a run is built of with one safeguard out."""
