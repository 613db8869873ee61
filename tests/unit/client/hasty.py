"""A client's patience on a clock of its own: a pause takes no time, and is remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ditto.client.coming_back import Patience
from ditto.errors import ServiceError


class Hasty:
    """Gives patience whose pauses are over at once."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.pauses_s: list[float] = []
        self.told: list[ServiceError] = []
        self.tell: Callable[[ServiceError], None] = self.told.append

    def patience(self, luck: float = 0.0) -> Patience:
        return Patience(clock=lambda: self.now_s, sleep=self._sleep, luck=lambda: luck, told=self.tell)

    def pass_by(self, seconds: float) -> None:
        """Lets time pass without a pause."""
        self.now_s += seconds

    async def _sleep(self, seconds: float) -> None:
        self.pauses_s.append(seconds)
        self.now_s += seconds
        await asyncio.sleep(0)
