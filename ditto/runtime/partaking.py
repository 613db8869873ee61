"""A caller keeps up with its shares: while it asks models it tells the keeper every second what it needs of the limits.

What it is to give up it gives up at once, and says so at once, so that others may have it. Without a keeper it goes on
with what it has, for a while; then it falls back to the share with which it began, because a keeper that it does not
reach may have given its part away. While it asks nothing it holds no more than that first share, and says so only now
and then, for a new keeper.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from ditto.errors import DittoError
from ditto.providers.limits.gates import Gates
from ditto.providers.limits.sharing import Report, Told
from ditto.providers.limits.stake import Stake

log = logging.getLogger("ditto.partaking")

TELL_S = 1.0
IDLE_TELL_S = 10.0
ALONE_S = 20.0
PATIENCE_S = 5.0

Deal = Callable[[Report], Awaitable[Told]]


class Partaker:
    """One caller's side.

    Args:
        stake: What this caller has; the same that the gates know.
        deal: Tells the keeper, and returns what it says. May raise `DittoError` where it is not there.
    """

    def __init__(self, gates: Gates, stake: Stake, deal: Deal, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._gates = gates
        self._stake = stake
        self._deal = deal
        self._clock = clock
        self._heard = 0
        self._heard_at = clock()

    async def keep_up(self) -> None:
        """Reports for as long as it runs; waits where there is nothing to report."""
        while True:
            try:
                async with asyncio.timeout(IDLE_TELL_S):
                    await self._stake.stirred.wait()
            except TimeoutError:
                pass  # nothing is asked: that is told as well
            if not await self.tell():
                await self._stake.pause(TELL_S)

    async def tell(self) -> bool:
        """Reports once; returns whether there is more to say at once: that something was given up."""
        needs, refused = self._gates.needs(), self._stake.refusals()
        try:
            async with asyncio.timeout(PATIENCE_S):
                told = await self._deal(Report(needs=needs, refused=refused, heard=self._heard))
        except (DittoError, TimeoutError) as error:
            log.warning("no shares of the limits", extra={"reason": str(error)})
            if self._clock() - self._heard_at > ALONE_S:
                self._gates.take(self._stake.first())
            return False
        self._heard, self._heard_at = told.heard, self._clock()
        for model, seconds in told.refused.items():
            self._gates.slow_down(model, seconds)
        return self._gates.take(told.shares)
