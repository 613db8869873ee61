"""Callers and models for tests of what holds jobs: in memory, told when to answer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Mapping
from typing import TypeVar

from ditto.domain.events import Failure, Reply
from ditto.errors import HolderGone
from ditto.providers.port import NOBODYS, Hearer, ModelRequest, Whose
from ditto.runtime.caller import Caller
from ditto.runtime.drafts import Known, Piece
from ditto.runtime.orders import Batch, Order, Seen

T = TypeVar("T")


class CannedModels:
    """Answers by the model's name; a name without an answer waits until `release` gives one.

    Attributes:
        hearers: Who hears a model write, by its name; it says what a test says to it.
    """

    def __init__(self, answers: Mapping[str, Reply | Failure]) -> None:
        self.asked: Counter[str] = Counter()
        self.cancelled: Counter[str] = Counter()
        self.hearers: dict[str, Hearer] = {}
        self._answers = {name: _known(answer) for name, answer in answers.items()}

    async def ask(
        self,
        provider: str,
        name: str,
        request: ModelRequest,
        *,
        timeout_s: float,
        max_retries: int,
        hearer: Hearer | None = None,
        whose: Whose = NOBODYS,
    ) -> Reply | Failure:
        self.asked[name] += 1
        if hearer is not None:
            hearer.begin(1, None)
            self.hearers[name] = hearer
        try:
            return await asyncio.shield(self._answer(name))
        except asyncio.CancelledError:
            self.cancelled[name] += 1
            raise

    def release(self, name: str, answer: Reply | Failure) -> None:
        self._answer(name).set_result(answer)

    async def aclose(self) -> None:
        return None

    def _answer(self, name: str) -> asyncio.Future[Reply | Failure]:
        return self._answers.setdefault(name, asyncio.get_running_loop().create_future())


class KillableCaller:
    """A `CallerPort` whose process can die and come back as another instance."""

    def __init__(self, models: CannedModels, *, keep_s: float = 600.0) -> None:
        self.models = models
        self._keep_s = keep_s
        self._instances = 0
        self._caller: Caller | None = None
        self.start()

    @property
    def caller(self) -> Caller:
        if self._caller is None:
            raise HolderGone("the caller is dead")
        return self._caller

    def start(self) -> None:
        self._instances += 1
        self._caller = Caller("caller:0", f"instance {self._instances}", self.models, keep_s=self._keep_s)

    async def kill(self) -> None:
        caller, self._caller = self.caller, None
        await caller.close()

    async def call_models(self, holder: str, epoch: int, orders: list[Order], cancelled: list[str]) -> str:
        return await self.caller.call_models(holder, epoch, orders, cancelled)

    async def poll(self, holder: str, epoch: int, seen: Seen, journalled: list[str], wait_s: float) -> Batch:
        return await self._while_alive(self.caller.poll(holder, epoch, seen, journalled, wait_s))

    async def hear(self, holder: str, heard: dict[str, Known], wait_s: float) -> list[Piece]:
        return await self._while_alive(self.caller.hear(holder, heard, wait_s))

    async def _while_alive(self, work: Coroutine[None, None, T]) -> T:
        caller = self.caller
        waiting = asyncio.ensure_future(work)
        try:
            while not waiting.done():
                await asyncio.wait([waiting], timeout=0.01)
                if self._caller is not caller:
                    raise HolderGone("the caller died")
            return waiting.result()
        finally:  # who polled may have gone first
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)


def _known(answer: Reply | Failure) -> asyncio.Future[Reply | Failure]:
    future: asyncio.Future[Reply | Failure] = asyncio.get_running_loop().create_future()
    future.set_result(answer)
    return future
