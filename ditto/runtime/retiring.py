"""How holders of jobs go: when the service stops, and when another version of the code takes their place.

A holder that goes takes no new job; what runs may go on for a while; what is left then goes on elsewhere, or after the
next start, since the journal has it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence

from ditto.errors import DittoError
from ditto.runtime.placement import Directory

log = logging.getLogger("ditto.retiring")

LOOK_S = 0.25
_PATIENCE_S = 5.0


async def drain(directory: Directory, holders: Sequence[str], grace_s: float) -> int:
    """Drains these holders and lets go of their leases; returns how many jobs had not ended by then."""
    await asyncio.gather(*(_within(directory.host(name).drain()) for name in holders))
    loop = asyncio.get_running_loop()
    until = loop.time() + grace_s
    while True:
        left = sum(await asyncio.gather(*(_open_jobs(directory, name) for name in holders)))
        if left == 0 or loop.time() >= until:
            break
        await asyncio.sleep(LOOK_S)
    await asyncio.gather(*(_within(directory.host(name).close()) for name in holders))
    return left


async def _open_jobs(directory: Directory, name: str) -> int:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return (await directory.host(name).status()).open_jobs
    except (DittoError, TimeoutError):
        return 0


async def _within(going: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await going
    except (DittoError, TimeoutError) as error:
        log.warning("holder does not answer", extra={"reason": str(error)})
