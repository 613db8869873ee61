"""Two batches on one output at the same time, on this machine or another: the second finds out, says so and stops.

The store gives one process at a time the right to run a batch, for a few seconds from now, again and again. A process
that died has it until it runs out: the next one waits for that, or goes on at once where this machine knows that it is
dead, because it held a lock here that the kernel has taken back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from ditto.errors import Conflict, RateLimited, Unavailable

LENGTH_S = 10.0
_LOOK_S = 0.5
_MARGIN_S = 2.0
_GIVING_BACK_S = 2.0


class LeasePort(Protocol):
    """What holding needs of a service."""

    async def hold_batch(self, name: str, epoch: int | None, length_s: float) -> int: ...


class Noted(Protocol):
    """Where the epoch is noted while it is held, for who comes after a kill."""

    noted: str

    def note(self, text: str) -> None: ...


@asynccontextmanager
async def held(
    service: LeasePort,
    name: str,
    lock: Noted,
    *,
    length_s: float = LENGTH_S,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[None]:
    """Holds a batch.

    Args:
        name: What only one may write.
        lock: This machine's own lock on it.

    Raises:
        Conflict: Another process has it, or has taken it over.
    """
    epoch = await _begun(service, name, lock, length_s, clock, sleep)
    lock.note(str(epoch))
    try:
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(_keep(service, name, epoch, length_s, sleep))
            yield
            keeping.cancel()
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    finally:
        with suppress(Conflict, RateLimited, Unavailable, TimeoutError):  # else it runs out by itself
            async with asyncio.timeout(_GIVING_BACK_S):
                await service.hold_batch(name, epoch, 0.0)
            lock.note("")


async def _begun(
    service: LeasePort,
    name: str,
    lock: Noted,
    length_s: float,
    clock: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
) -> int:
    if lock.noted.isdecimal():
        try:
            return await service.hold_batch(name, int(lock.noted), length_s)
        except Conflict:
            pass  # somebody else had it since
    until_s = clock() + length_s + _MARGIN_S
    while True:
        try:
            return await service.hold_batch(name, None, length_s)
        except Conflict:
            if clock() > until_s:
                raise Conflict(f"another batch writes {name} at this moment") from None
        await sleep(_LOOK_S)


async def _keep(
    service: LeasePort, name: str, epoch: int, length_s: float, sleep: Callable[[float], Awaitable[None]]
) -> None:
    while True:
        await sleep(length_s / 3)
        try:
            await service.hold_batch(name, epoch, length_s)
        except (RateLimited, Unavailable):
            continue  # the service is away; who comes back within the length of the lease still has it
