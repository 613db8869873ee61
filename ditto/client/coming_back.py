"""When a client comes back to a service that is gone, full or draining, and when it gives up.

A service that has answered before is waited for: it is being started again. One that never has is probably not there.
One that says to come back later is waited for as long as the caller himself has time. Nothing is asked twice: every
question carries an idempotency key, the caller's or one of its own.
"""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import inf

from ditto.domain.request import Request
from ditto.errors import ServiceError

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
_SPREAD = 0.25
"""By so much at most a pause is lengthened, so that not all come back in the same instant."""


def _silently(error: ServiceError) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a client waits for its service.

    Attributes:
        known_s: For one that was there and is gone, or that says to come back later to a caller without a limit.
        unknown_s: For one that has never answered.
        told: Called with what is the matter when a wait begins.
    """

    known_s: float = 60.0
    unknown_s: float = 2.0
    told: Callable[[ServiceError], None] = _silently
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    luck: Callable[[], float] = random.random


class Tries:
    """The tries of one request.

    Args:
        limit_s: The caller's own, for all tries together.

    Attributes:
        lost: A try before may have arrived, and its answer was lost.
    """

    def __init__(self, patience: Patience, limit_s: float | None = None) -> None:
        self.lost = False
        self._patience = patience
        self._limited = limit_s is not None
        self._ends_at = inf if limit_s is None else patience.clock() + limit_s
        self._failing_since: float | None = None
        self._pause_s = _FIRST_PAUSE_S

    def left_s(self) -> float | None:
        """Returns how much of the caller's time is left, None where he has set no limit."""
        return max(0.0, self._ends_at - self._patience.clock()) if self._limited else None

    def succeeded(self) -> None:
        """Notes that the service is there."""
        self._failing_since = None
        self._pause_s = _FIRST_PAUSE_S

    async def after_loss(self, error: ServiceError, *, known: bool) -> None:
        """Returns when it is time to look again for a service that did not answer.

        Raises:
            ServiceError: `error`: it has been gone for too long.
        """
        self.lost = True
        patience_s = self._patience.known_s if known else self._patience.unknown_s
        await self._pause(error, min(self._since() + patience_s, self._ends_at), 0.0, told=known)

    async def after_refusal(self, error: ServiceError, after_s: float = 0.0) -> None:
        """Returns when it is time to ask again a service that said to come back later.

        Args:
            after_s: What it asked for.

        Raises:
            ServiceError: `error`: the caller's time would be over by then.
        """
        until = self._ends_at if self._limited else self._since() + self._patience.known_s
        await self._pause(error, until, after_s, told=True)

    def _since(self) -> float:
        if self._failing_since is None:
            self._failing_since = self._patience.clock()
        return self._failing_since

    async def _pause(self, error: ServiceError, until: float, after_s: float, *, told: bool) -> None:
        pause_s = max(after_s, self._pause_s) * (1 + _SPREAD * self._patience.luck())
        if self._patience.clock() + pause_s > until:
            raise error
        if told and self._pause_s == _FIRST_PAUSE_S:
            self._patience.told(error)
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        await self._patience.sleep(pause_s)


def keyed(request: Request) -> Request:
    """Returns the request with an idempotency key."""
    if request.idempotency_key is not None:
        return request
    return request.model_copy(update={"idempotency_key": uuid.uuid4().hex})


def limit_s(request: Request) -> float | None:
    """Returns how much time the caller of this question has given to it."""
    return None if request.deadline is None else request.deadline / 1000
