"""A handle on one job, wherever it runs and whether or not it has ended."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from ditto.client.backend import Backend
from ditto.client.job_event import JobEvent
from ditto.client.typed_result import TypedResult
from ditto.domain.view import JobView

T = TypeVar("T")


class AsyncJob(Generic[T]):
    """One job.

    Attributes:
        id: Names the job, also as the actor `job:<id>`.
    """

    def __init__(self, job_id: str, backend: Backend, result: TypedResult[T]) -> None:
        self.id = job_id
        self._backend = backend
        self._result = result

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r})"

    async def state(self) -> JobView[T]:
        """Returns the job as it stands.

        Raises:
            NotFound: There is no such job.
            ResultInvalid: It is complete, and the result type's own validators refuse the result.
        """
        return self._result.read(await self._backend.get(self.id))

    async def wait(self, timeout_s: float | None = None) -> JobView[T]:
        """Returns the job when it has ended, however it ended, or as it stands after `timeout_s`.

        Raises:
            NotFound: There is no such job.
            ResultInvalid: It is complete, and the result type's own validators refuse the result.
        """
        return self._result.read(await self._backend.wait(self.id, timeout_s))

    def events(self, after: int = 0) -> AsyncIterator[JobEvent]:
        """Yields the events after number `after` as they come, until the job has ended.

        Replies come as `CallDelta` while they are written. After a lost connection no number and no word comes twice.
        """
        return self._backend.events(self.id, after)

    async def cancel(self) -> JobView[T]:
        """Stops the job and returns it; harmless on one that has ended."""
        return self._result.read(await self._backend.cancel(self.id))

    async def retry(self) -> JobView[T]:
        """Has the models that failed asked again and returns the job, which then runs; the replies that came stay.

        A complete job of which no model failed is returned as it is.

        Raises:
            Conflict: It runs, or was cancelled.
            RateLimited: The service is full.
        """
        return self._result.read(await self._backend.retry(self.id))

    async def delete(self) -> None:
        """Has the service forget the job, its journal and its result; its idempotency key is free again.

        Raises:
            NotFound: There is no such job.
            Conflict: It has not ended.
        """
        await self._backend.delete(self.id)
