"""Ends a process that answers no more, so that Ray begins it again.

A process that dies is begun again by itself; one that is frozen is not, and would hold its jobs, or its models' calls,
until somebody thaws it. Its successor goes on with them, and a thawed copy finds that it has been replaced.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from ditto.errors import DittoError
from ditto.runtime.placement import Directory

log = logging.getLogger("ditto.watchdog")

LOOK_S = 5.0
PATIENCE_S = 5.0
MISSES = 2


class Watchdog:
    """Watches hosts, callers and the jobs' own actors.

    Args:
        names: Returns those that are watched now; only one that has answered before can be found to be silent.
    """

    def __init__(self, directory: Directory, names: Callable[[], Sequence[str]]) -> None:
        self._directory = directory
        self._names = names
        self._missed: dict[str, int] = {}

    async def watch(self) -> None:
        """Looks after them, again and again."""
        while True:
            await asyncio.sleep(LOOK_S)
            names = self._names()
            self._missed = {name: missed for name, missed in self._missed.items() if name in names}
            await asyncio.gather(*(self._look(name) for name in names))

    async def _look(self, name: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._directory.ping(name)
        except TimeoutError:
            if name in self._missed:
                self._missed[name] += 1
        except DittoError:
            self._missed.pop(name, None)  # it is not there: Ray begins it again, or nobody has needed it yet
        else:
            self._missed[name] = 0
        if self._missed.get(name, 0) >= MISSES:
            log.warning("actor ended that answers no more", extra={"actor": name})
            del self._missed[name]
            self._directory.restart(name)
