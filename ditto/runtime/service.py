"""The service that every door shares: submit, ask, get, wait, events, cancel, list."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from ditto.domain.events import Recorded
from ditto.domain.job import Job, JobState
from ditto.domain.request import Request


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
    """What the doors need of the service."""

    async def submit(self, request: Request) -> Submitted:
        """Returns the job once its acceptance is durable."""
        ...

    async def ask(self, request: Request) -> Submitted:
        """Returns the job when it has ended, however it ended."""
        ...

    async def get(self, job_id: str) -> Job:
        """Returns the job as it stands.

        Raises:
            NotFound: No such job.
        """
        ...

    async def wait(self, job_id: str, timeout_s: float | None = None) -> Job:
        """Returns the job when it has ended, or as it stands after `timeout_s`."""
        ...

    def events(self, job_id: str, after: int = 0) -> AsyncIterator[Recorded]:
        """Yields the journalled events after number `after`, as they come, until the job has ended."""
        ...

    async def cancel(self, job_id: str) -> Job:
        """Stops the job and returns it; harmless on one that has ended."""
        ...

    async def list(
        self,
        *,
        state: JobState | None = None,
        needs_review: bool | None = None,
        metadata: Mapping[str, str] | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page:
        """Returns jobs, newest first."""
        ...

    async def ready(self) -> None:
        """Returns when the service can take jobs.

        Raises:
            Unavailable: It cannot; the message says why.
        """
        ...

    async def close(self) -> None: ...
