"""How holders of jobs go: when the service stops, and when another version of the code takes their place.

A holder that goes takes no new job; what runs may go on for a while; what is left then goes on elsewhere, or after the
next start, since the journal has it. A holder that says nothing may be busy or frozen, so the journal is asked for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence

from ditto.errors import DittoError, StoreError
from ditto.runtime.placement import Directory
from ditto.store.port import Journal

log = logging.getLogger("ditto.retiring")

LOOK_S = 0.25
_PATIENCE_S = 5.0


async def drain(directory: Directory, journal: Journal, holders: Sequence[str], grace_s: float) -> int:
    """Drains these holders and lets go of their leases; returns how many jobs had not ended by then."""
    loop = asyncio.get_running_loop()
    until = loop.time() + grace_s
    await asyncio.gather(*(_within(directory.host(name).drain()) for name in holders))
    while True:
        counted = await asyncio.gather(*(_open_jobs(directory, journal, name) for name in holders))
        if not any(counted) or loop.time() >= until:
            break
        await asyncio.sleep(LOOK_S)
    await asyncio.gather(*(_within(directory.host(name).close()) for name in holders))
    try:
        return await left(journal, holders)
    except StoreError as error:
        log.warning("jobs counted before their holders closed", extra={"reason": str(error)})
        return sum(counted)


async def left(journal: Journal, holders: Sequence[str]) -> int:
    """Returns how many jobs of these holders have not ended.

    Raises:
        StoreUnavailable: The journal cannot say.
    """
    return sum([len(await journal.held(name)) for name in holders])


async def _open_jobs(directory: Directory, journal: Journal, name: str) -> int:
    """Returns how many jobs this holder has; where neither it nor the journal can say, one at least."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return (await directory.host(name).status()).open_jobs
    except (DittoError, TimeoutError):
        pass  # it is away, or frozen with all that it holds
    try:
        return await left(journal, [name])
    except StoreError:
        return 1


async def _within(going: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await going
    except (DittoError, TimeoutError) as error:
        log.warning("holder does not answer", extra={"reason": str(error)})
