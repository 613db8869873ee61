"""Whether a tenant may ask for more just now: by the minute as the keeper counts, the rest as the journal says.

Jobs at once and the ceilings of a day are looked up when a job is begun. A tenant that has such a limit begins one job
after the other in each process, so that each finds the one before counted; with several processes, as many jobs may be
begun beyond the limit as there are others.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from ditto.domain.tenants import Allowance, Tenant
from ditto.errors import RateLimited
from ditto.runtime.runner import Clock
from ditto.runtime.shares import Shares
from ditto.store.access import Access


class Admission:
    """Counts what tenants do."""

    def __init__(self, access: Access, shares: Shares, clock: Clock) -> None:
        self._access = access
        self._shares = shares
        self._clock = clock
        self._turns: dict[str, asyncio.Lock] = {}

    async def request(self, tenant: Tenant) -> None:
        """Counts a request.

        Raises:
            RateLimited: There were too many in a minute.
        """
        if tenant.allowance.requests_per_minute is not None:
            await self._count(tenant, "requests", tenant.allowance.requests_per_minute)

    @asynccontextmanager
    async def job(self, tenant: Tenant, calls: int) -> AsyncIterator[None]:
        """Has a job be begun in the block.

        Args:
            calls: So many models will be asked.

        Raises:
            RateLimited: One more would be too many.
        """
        allowance = tenant.allowance
        if not allowance.in_turn:
            await self._count_job(tenant)
            yield
            return
        async with self._turns.setdefault(tenant.name, asyncio.Lock()):
            if allowance.jobs_at_once is not None:
                await self._check_running(tenant.name, allowance.jobs_at_once)
            if allowance.metered:
                await self._check_day(tenant.name, allowance, calls)
            await self._count_job(tenant)
            yield

    async def _count_job(self, tenant: Tenant) -> None:
        if tenant.allowance.jobs_per_minute is not None:
            await self._count(tenant, "jobs", tenant.allowance.jobs_per_minute)

    async def _count(self, tenant: Tenant, what: str, limit: int) -> None:
        wait_s = await self._shares.take(f"{what} of {tenant.name}", limit)
        if wait_s > 0:
            raise _limited(f"above the limit of {limit} {what} a minute", wait_s)

    async def _check_running(self, tenant: str, limit: int) -> None:
        if await self._access.running(tenant) >= limit:
            raise RateLimited(f"above the limit of {limit} jobs at once: wait for the end of one")

    async def _check_day(self, tenant: str, allowance: Allowance, calls: int) -> None:
        now = self._clock()
        used = await self._access.used(tenant, now)
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        left_s = (midnight - now).total_seconds()
        if allowance.calls_per_day is not None and used.calls + calls > allowance.calls_per_day:
            said = (
                f"above the limit of {allowance.calls_per_day} calls a day: {used.calls} were made, {calls} more asked"
            )
            raise _limited(said, left_s)
        if allowance.tokens_per_day is not None and used.tokens >= allowance.tokens_per_day:
            said = f"above the limit of {allowance.tokens_per_day} tokens a day: {used.tokens} were used"
            raise _limited(said, left_s)


def _limited(message: str, wait_s: float) -> RateLimited:
    return RateLimited(message, {"retryAfter": math.ceil(wait_s * 1000)})
