"""The models behind a simulated caller: they count every question, and answer an order alike in every run of a seed."""

from __future__ import annotations

import asyncio

from ditto.domain.events import Failure, Reply
from ditto.providers.port import NOBODYS, Hearer, ModelRequest, Whose
from ditto.runtime.caller import Caller
from ditto.runtime.drafts import Known, Piece
from ditto.runtime.orders import Batch, Order, Seen
from tests.simulation import plans
from tests.simulation.ledger import Ledger
from tests.simulation.plans import Answering
from tests.simulation.processes import TAKEN_AT_S


class OrderBook:
    """Which order a request to a model belongs to: the request itself does not say."""

    def __init__(self) -> None:
        self._orders: dict[int, Order] = {}

    def note(self, order: Order) -> None:
        self._orders[id(order.request)] = order

    def find(self, request: ModelRequest) -> Order:
        return self._orders[id(request)]


class CountedModels:
    """Implements `Asks` for one caller's process."""

    def __init__(self, seed: int, process: str, book: OrderBook, ledger: Ledger) -> None:
        self._seed = seed
        self._process = process
        self._book = book
        self._ledger = ledger

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
    ) -> Reply | Failure:
        order = self._book.find(request)
        if timeout_s <= 0:
            return Failure(type="Timeout", message="no time left", attempts=0)
        self._ledger.ask(self._process, order.id, TAKEN_AT_S.get())
        job = self._ledger.jobs.get(order.id.partition("/")[0])
        tag = "" if job is None else str(job.spec.metadata["tag"])
        answering = plans.answering(self._seed, tag, name, order.id)
        await self._written(answering, timeout_s, hearer)
        if answering.delay_s > timeout_s:
            return Failure(type="Timeout", message="no answer in time", attempts=1, elapsed_s=timeout_s)
        return answering.result

    async def _written(self, answering: Answering, timeout_s: float, hearer: Hearer | None) -> None:
        """Returns when the reply is there; who hears it is told it word by word, now and then with a second try."""
        if hearer is None or not isinstance(answering.result, Reply):
            await asyncio.sleep(min(answering.delay_s, timeout_s))
            return
        hearer.begin(1, None)
        words = answering.result.text.split(" ")
        for place, word in enumerate(words):
            await asyncio.sleep(min(answering.delay_s, timeout_s) / len(words))
            hearer.said(f" {word}" if place else word)
            if place == 1 and len(words) > 3:
                hearer.begin(2, Failure(type="Unreachable", message="the reply broke off"))
                hearer.said(" ".join(words[:2]))

    async def aclose(self) -> None:
        return None


class WatchedCaller:
    """A caller, beside the ledger that sees whom it obeys."""

    def __init__(self, caller: Caller, process: str, ledger: Ledger) -> None:
        self._caller = caller
        self._process = process
        self._ledger = ledger

    async def call_models(self, holder: str, epoch: int, orders: list[Order], cancelled: list[str]) -> str:
        instance = await self._caller.call_models(holder, epoch, orders, cancelled)
        self._ledger.obeyed(self._process, holder, epoch)
        return instance

    async def poll(self, holder: str, epoch: int, seen: Seen, journalled: list[str], wait_s: float) -> Batch:
        return await self._caller.poll(holder, epoch, seen, journalled, wait_s)

    async def hear(self, holder: str, heard: dict[str, Known], wait_s: float) -> list[Piece]:
        return await self._caller.hear(holder, heard, wait_s)
