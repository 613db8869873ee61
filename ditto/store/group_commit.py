"""Group commit: one thread writes, and what arrives while it writes shares the next transaction."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry(Generic[T, R]):
    item: T
    done: asyncio.Future[R]
    loop: asyncio.AbstractEventLoop


class GroupCommit(Generic[T, R]):
    """Hands items to `write` in batches on a thread of its own.

    Args:
        write: Called with one batch; returns a result or an exception for each item, in order.
        limit: Items in one batch at most.
    """

    def __init__(self, write: Callable[[list[T]], list[R | BaseException]], *, limit: int = 500) -> None:
        self._write = write
        self._limit = limit
        self._closed = False
        self._entries: queue.SimpleQueue[_Entry[T, R] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ditto-journal", daemon=True)
        self._thread.start()

    async def put(self, item: T) -> R:
        """Returns what `write` returned for this item, when its batch is written.

        Raises:
            RuntimeError: It has been closed.
        """
        if self._closed:
            raise RuntimeError("the writer has been closed")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[R] = loop.create_future()
        self._entries.put(_Entry(item=item, done=done, loop=loop))
        return await done

    async def close(self) -> None:
        """Returns when all that was put is written."""
        self._closed = True
        self._entries.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while (batch := self._next_batch()) is not None:
            try:
                results = self._write([entry.item for entry in batch])
            except Exception as error:  # noqa: BLE001  # it must reach the waiters, not end the thread unseen
                results = [error] * len(batch)
            _tell(batch, results)

    def _next_batch(self) -> list[_Entry[T, R]] | None:
        first = self._entries.get()
        if first is None:
            return None
        batch = [first]
        while len(batch) < self._limit:
            try:
                entry = self._entries.get_nowait()
            except queue.Empty:
                break
            if entry is None:
                self._entries.put(None)
                break
            batch.append(entry)
        return batch


def _tell(batch: list[_Entry[T, R]], results: list[R | BaseException]) -> None:
    """Gives each waiter its result, waking each event loop once."""
    told: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[R], R | BaseException]]] = {}
    for entry, result in zip(batch, results, strict=True):
        told.setdefault(entry.loop, []).append((entry.done, result))
    for loop, answers in told.items():
        with suppress(RuntimeError):  # that loop has been closed: nobody waits there any more
            loop.call_soon_threadsafe(_resolve, answers)


def _resolve(answers: list[tuple[asyncio.Future[R], R | BaseException]]) -> None:
    for done, result in answers:
        if done.done():
            continue
        if isinstance(result, BaseException):
            done.set_exception(result)
        else:
            done.set_result(result)
