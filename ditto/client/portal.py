"""An event loop on a thread of its own, for callers that block."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from typing import TypeVar, cast

from anyio.from_thread import start_blocking_portal

T = TypeVar("T")

_END = object()


class Portal:
    """Runs coroutines from a thread without a loop. The loop's thread ends with the process if it is not closed."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._portal = self._stack.enter_context(start_blocking_portal("asyncio", name="ditto"))
        self._open = True

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Returns what the work returns; an interrupt in the meantime cancels it."""
        future = self._portal.start_task_soon(work)
        try:
            return future.result()
        except BaseException:  # raised on; an interrupt too must end the work on the other thread
            future.cancel()
            raise

    def iterate(self, items: AsyncIterator[T]) -> Iterator[T]:
        """Yields the items as they come."""

        async def following() -> object:
            return await anext(items, _END)

        async def ended() -> None:
            close = getattr(items, "aclose", None)
            if close is not None:
                await close()

        try:
            while (item := self.run(following)) is not _END:
                yield cast(T, item)
        finally:
            self.run(ended)

    @property
    def open(self) -> bool:
        """Whether the loop still runs."""
        return self._open

    def close(self) -> None:
        """Ends the loop; harmless when it has ended."""
        self._open = False
        self._stack.close()
