"""Whether this process has slept: it was frozen, and others may have taken it for dead and gone on without it.

What was sent to it meanwhile still lies in its queues and runs when it wakes, though the senders have long given it to
somebody else. A beat that comes late shows the sleep; until the next one comes in time a process refuses what is new.
"""

from __future__ import annotations

import asyncio

BEAT_S = 1.0
SLEPT_S = 2.5
"""A beat so late shows a sleep; nobody is taken for dead sooner."""


class Wakefulness:
    """Beats from now on; needs a running loop."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._beat_at_s = loop.time()
        self._slept = False
        self._beating = loop.create_task(self._beat())

    def drowsy(self) -> bool:
        """Tells whether this process has slept and not beaten in time since."""
        return self._slept or self._late(asyncio.get_running_loop().time())

    async def close(self) -> None:
        self._beating.cancel()
        await asyncio.gather(self._beating, return_exceptions=True)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            now_s = asyncio.get_running_loop().time()
            self._slept = self._late(now_s)
            self._beat_at_s = now_s

    def _late(self, now_s: float) -> bool:
        return now_s - self._beat_at_s > SLEPT_S
