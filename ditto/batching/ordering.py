"""Rows in the order of the input where they cannot be put in order later: one that is ready waits for those before it.

No row is begun that is further ahead of the oldest one than the window: so much is held at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from ditto.domain.spec import JSON

WINDOW = 1024

Record = Mapping[str, JSON]


class InOrder:
    """Hands rows on in order.

    Args:
        write: Takes one row.
        window: How far ahead of the oldest a row may be.
    """

    def __init__(self, write: Callable[[Record], None], window: int = WINDOW) -> None:
        self._write = write
        self._window = window
        self._ready: dict[int, Record | None] = {}
        self._written = 0
        self._moved = asyncio.Condition()

    async def room(self, number: int) -> None:
        """Returns when row `number`, from 0, may be begun."""
        async with self._moved:
            await self._moved.wait_for(lambda: number < self._written + self._window)

    async def give(self, number: int, record: Record | None) -> None:
        """Takes a row that is ready; None: it is not to be written."""
        async with self._moved:
            self._ready[number] = record
            while self._written in self._ready:
                found = self._ready.pop(self._written)
                self._written += 1
                if found is not None:
                    self._write(found)
            self._moved.notify_all()
