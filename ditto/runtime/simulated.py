"""Models of which the simulated ones are started when the first of them is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ditto.domain.events import Failure, Reply
from ditto.errors import DittoError
from ditto.providers.port import NOBODYS, Hearer, ModelRequest, Whose
from ditto.runtime.caller import Asks
from ditto.settings import SIMULATED


class SimulatedOnDemand:
    """Asks models.

    Args:
        models: All but the simulated ones.
        start: Starts the simulated ones, or finds them; called again after it has failed.
    """

    def __init__(self, models: Asks, start: Callable[[], Awaitable[Asks]]) -> None:
        self._models = models
        self._start = start
        self._started: asyncio.Future[Asks] | None = None

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
        models = self._models
        if provider == SIMULATED:
            try:
                async with asyncio.timeout(timeout_s):
                    models = await asyncio.shield(self._starting())
            except (DittoError, TimeoutError) as error:
                return Failure(type="Unreachable", message=str(error) or "the simulated models do not start in time")
        return await models.ask(
            provider, name, request, timeout_s=timeout_s, max_retries=max_retries, hearer=hearer, whose=whose
        )

    async def aclose(self) -> None:
        await self._models.aclose()

    def _starting(self) -> asyncio.Future[Asks]:
        failed = self._started is not None and self._started.done() and self._started.exception() is not None
        if self._started is None or failed:
            self._started = asyncio.ensure_future(self._start())
        return self._started
