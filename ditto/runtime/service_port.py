"""What every door needs of the service, and what it gets: an accepted job, a page of jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ditto.domain.batch_lease import BatchLease
from ditto.domain.events import FeedbackGiven, Recorded
from ditto.domain.job import Job, JobState
from ditto.domain.live import Live
from ditto.domain.remerging import Remerge
from ditto.domain.request import Request
from ditto.domain.tenants import Tenant
from ditto.tally import Counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """An accepted job. `created` is False where the idempotency key already named it."""

    job: Job
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Jobs, newest first; `cursor` asks for the next page, None on the last one."""

    jobs: tuple[Job, ...]
    cursor: str | None


class ServicePort(Protocol):
    """What the doors need of the service, as one tenant sees it. Every method may raise `Unavailable`.

    A job of another tenant's is none that there is.
    """

    @property
    def tenant(self) -> Tenant: ...

    async def admit(self, shown: str | None) -> ServicePort:
        """Returns the service as the tenant sees it for whom what a request shows as its key opens, None without one.

        Raises:
            Unauthorized: It opens for nobody.
            RateLimited: The tenant has asked too often.
        """
        ...

    async def submit(self, request: Request, *, live: bool = False) -> Submitted: ...

    async def ask(self, request: Request) -> Submitted: ...

    async def get(self, job_id: str) -> Job: ...

    async def wait(self, job_id: str, timeout_s: float | None = None) -> Job: ...

    def events(self, job_id: str, after: int = 0) -> AsyncIterator[Recorded | Live]: ...

    async def cancel(self, job_id: str) -> Job: ...

    async def retry(self, job_id: str) -> Job: ...

    async def forget(self, job_id: str) -> None: ...

    async def merge(self, job_id: str, wanted: Remerge) -> Job: ...

    async def feedback(self, job_id: str, said: FeedbackGiven) -> Job: ...

    async def hold_batch(self, asked: BatchLease) -> int: ...

    async def list(
        self,
        *,
        state: JobState | None = None,
        needs_review: bool | None = None,
        metadata: Mapping[str, str] | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page: ...

    async def ready(self) -> None: ...

    async def counted(self) -> Sequence[Counted]: ...

    async def close(self) -> None: ...
