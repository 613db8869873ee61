"""Accepted jobs whose turn has not come: their ids and deadlines, and who waits for them to begin.

What they are asked stays in the journal, so that ten thousand of them take little memory.
"""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass, field
from datetime import datetime

_SLACK = 100


@dataclass(slots=True)
class WaitingRoom:
    """Jobs in the order in which they came. One that is called is here until it has gone."""

    _queue: dict[str, datetime] = field(default_factory=dict)
    _deadlines: list[tuple[datetime, str]] = field(default_factory=list)
    _called: set[str] = field(default_factory=set)
    _gone: dict[str, asyncio.Event] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._queue) + len(self._called)

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._queue or job_id in self._called

    def add(self, job_id: str, deadline_at: datetime) -> None:
        if job_id not in self:
            self._queue[job_id] = deadline_at
            if len(self._deadlines) > 2 * len(self._queue) + _SLACK:  # most of them have gone before their deadline
                self._deadlines = [(at, waiting) for waiting, at in self._queue.items()]
                heapq.heapify(self._deadlines)
                return
            heapq.heappush(self._deadlines, (deadline_at, job_id))

    def waits(self) -> bool:
        """Tells whether a job is here that has not been called."""
        return bool(self._queue)

    def call(self) -> str:
        """Calls the job that has waited longest and returns it."""
        job_id = next(iter(self._queue))
        self.call_out(job_id)
        return job_id

    def call_out(self, job_id: str) -> bool:
        """Calls a job out of its turn; returns False where it is not here or called already."""
        if self._queue.pop(job_id, None) is None:
            return False
        self._called.add(job_id)
        return True

    def overdue(self, now: datetime) -> list[str]:
        """Returns the jobs whose deadline has passed, each once."""
        found = []
        while self._deadlines and (self._deadlines[0][0] <= now or self._deadlines[0][1] not in self._queue):
            _, job_id = heapq.heappop(self._deadlines)
            if job_id in self._queue:
                found.append(job_id)
        return found

    def leave(self, job_id: str) -> None:
        """Notes that the job is here no longer, and wakes who waits for that."""
        self._queue.pop(job_id, None)
        self._called.discard(job_id)
        gone = self._gone.pop(job_id, None)
        if gone is not None:
            gone.set()

    async def until_gone(self, job_id: str, wait_s: float) -> None:
        """Returns when the job is here no longer, or after `wait_s`."""
        if job_id not in self:
            return
        gone = self._gone.setdefault(job_id, asyncio.Event())
        try:
            async with asyncio.timeout(wait_s):
                await gone.wait()
        except TimeoutError:
            return

    def clear(self) -> None:
        """Sends everybody away."""
        for job_id in [*self._queue, *self._called]:
            self.leave(job_id)
