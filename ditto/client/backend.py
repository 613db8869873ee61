"""What a client needs of whatever is behind it: a server at a URL, or the service of a cluster."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from ditto.client.job_event import JobEvent
from ditto.domain.job import JobState
from ditto.domain.request import Request
from ditto.domain.view import JobView


class JobPage(BaseModel):
    """Jobs, newest first; `cursor` asks for the next page, None on the last one."""

    model_config = ConfigDict(frozen=True)

    jobs: list[JobView[Any]]
    cursor: str | None = None


class Backend(Protocol):
    """The verbs, with results as decoded JSON."""

    async def ask(self, request: Request) -> JobView[Any]:
        """Returns the completed job.

        Raises:
            JobError, DeadlineExceeded, JobCancelled: It ended otherwise.
        """
        ...

    async def submit(self, request: Request) -> JobView[Any]:
        """Returns the accepted job."""
        ...

    async def begin(self, request: Request) -> JobView[Any]:
        """Returns the accepted job, or where that costs less the ended one, however it ended; nobody follows it."""
        ...

    async def get(self, job_id: str) -> JobView[Any]:
        """Returns the job as it stands."""
        ...

    async def wait(self, job_id: str, timeout_s: float | None) -> JobView[Any]:
        """Returns the job when it has ended, however it ended, or as it stands after `timeout_s`."""
        ...

    def events(self, job_id: str, after: int) -> AsyncIterator[JobEvent]:
        """Yields the events after number `after` as they come, until the job has ended."""
        ...

    async def cancel(self, job_id: str) -> JobView[Any]:
        """Stops the job and returns it."""
        ...

    async def retry(self, job_id: str) -> JobView[Any]:
        """Has the failed models of a job that has ended asked again, and returns it as it then stands."""
        ...

    async def merge(self, job_id: str, body: dict[str, Any]) -> JobView[Any]:
        """Merges a complete job's replies anew; `body` as the wire has it."""
        ...

    async def feedback(self, job_id: str, body: dict[str, Any]) -> JobView[Any]:
        """Keeps what is said of a complete job's result; `body` as the wire has it."""
        ...

    async def delete(self, job_id: str) -> None:
        """Forgets a job that has ended."""
        ...

    async def list(
        self,
        *,
        state: JobState | None,
        needs_review: bool | None,
        metadata: Mapping[str, str],
        limit: int,
        cursor: str | None,
    ) -> JobPage:
        """Returns jobs, newest first."""
        ...

    async def hold_batch(self, name: str, epoch: int | None, length_s: float) -> int:
        """Returns the epoch of the right to run a batch: taken where `epoch` is None, else kept, or ended by length 0.

        Raises:
            Conflict: Another process has it.
        """
        ...

    async def close(self) -> None: ...
