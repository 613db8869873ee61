"""A blocking handle on one job: each verb runs its asynchronous twin on the client's event loop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from ditto.client.async_job import AsyncJob
from ditto.client.job_event import JobEvent
from ditto.client.portal import Portal
from ditto.domain.view import JobView

T = TypeVar("T")


class Job(Generic[T]):
    """One job.

    Attributes:
        id: Names the job, also as the actor `job:<id>`.
    """

    def __init__(self, job: AsyncJob[T], portal: Portal) -> None:
        self.id = job.id
        self._job = job
        self._portal = portal

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r})"

    def state(self) -> JobView[T]:
        """Returns the job as it stands.

        Raises:
            NotFound: There is no such job.
            ResultInvalid: It is complete, and the result type's own validators refuse the result.
        """
        return self._portal.run(self._job.state)

    def wait(self, timeout_s: float | None = None) -> JobView[T]:
        """Returns the job when it has ended, however it ended, or as it stands after `timeout_s`.

        Raises:
            NotFound: There is no such job.
            ResultInvalid: It is complete, and the result type's own validators refuse the result.
        """
        return self._portal.run(lambda: self._job.wait(timeout_s))

    def events(self, after: int = 0) -> Iterator[JobEvent]:
        """Yields the events after number `after` as they come, until the job has ended.

        Replies come as `CallDelta` while they are written. After a lost connection no number and no word comes twice.
        """
        return self._portal.iterate(self._job.events(after))

    def cancel(self) -> JobView[T]:
        """Stops the job and returns it; harmless on one that has ended."""
        return self._portal.run(self._job.cancel)

    def retry(self) -> JobView[T]:
        """Has the models that failed asked again and returns the job, which then runs; the replies that came stay.

        A complete job of which no model failed is returned as it is.

        Raises:
            Conflict: It runs, or was cancelled.
            RateLimited: The service is full.
        """
        return self._portal.run(self._job.retry)

    def delete(self) -> None:
        """Has the service forget the job, its journal and its result; its idempotency key is free again.

        Raises:
            NotFound: There is no such job.
            Conflict: It has not ended.
        """
        self._portal.run(self._job.delete)
