"""A thread that takes one item after the other from where that may block for ever, such as a pipe nobody writes to.

Nobody waits for this thread: it ends with the process, as those of an executor would not.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from contextlib import suppress
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")

_PATIENCE_S = 1.0


class Hand(Generic[T]):
    """Takes items of a generator, which it closes unless an item is being waited for."""

    def __init__(self, items: Generator[T]) -> None:
        self._items = items
        self._asked: SimpleQueue[tuple[asyncio.AbstractEventLoop, asyncio.Future[T | None]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def take(self) -> T | None:
        """Returns the next item, None behind the last; raises what the generator raises."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="ditto-batch-reader", daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        taken: asyncio.Future[T | None] = loop.create_future()
        self._asked.put((loop, taken))
        return await taken

    def close(self) -> None:
        """Ends the thread, or leaves it where it waits."""
        if self._thread is None:
            self._items.close()
        else:
            self._asked.put(None)
            self._thread.join(_PATIENCE_S)

    def _work(self) -> None:
        while (asked := self._asked.get()) is not None:
            loop, taken = asked
            try:
                item, error = next(self._items, None), None
            except BaseException as raised:  # noqa: BLE001  # it is raised where the item was asked for
                item, error = None, raised
            with suppress(RuntimeError):  # the loop may have ended meanwhile
                loop.call_soon_threadsafe(_hand_over, taken, item, error)
        self._items.close()


def _hand_over(taken: asyncio.Future[T | None], item: T | None, error: BaseException | None) -> None:
    if taken.cancelled():
        return
    if error is not None:
        taken.set_exception(error)
    else:
        taken.set_result(item)
