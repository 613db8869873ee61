"""The verbs in an attached Ray cluster: the service itself, without a server in between.

All that the clients know of the runtime stands in this file, and it is loaded only by who attaches.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeVar

from ditto.client.backend import JobPage
from ditto.client.coming_back import Patience, Tries, keyed, limit_s
from ditto.client.job_event import JobEvent
from ditto.domain import view
from ditto.domain.batch_lease import BatchLease
from ditto.domain.event_view import render_event
from ditto.domain.job import Job, JobState
from ditto.domain.remerging import parse_feedback, parse_remerge
from ditto.domain.request import Request
from ditto.domain.view import JobView
from ditto.errors import RateLimited, Unavailable
from ditto.runtime.service import ServicePort, Submitted

T = TypeVar("T")


async def attach(address: str | None) -> ClusterBackend:
    """Returns the verbs of the cluster at this address.

    Args:
        address: Ray's address; None: what `RAY_ADDRESS` names, or the cluster that runs on this machine, else a new one
            that ends with this process.

    Raises:
        ConfigurationError: There is no such cluster, or its settings are wrong.
    """
    from ditto.runtime.cluster import attach as attach_service  # loads Ray

    return ClusterBackend(await attach_service(address=address, running=True))


class ClusterBackend:
    """The service of a cluster.

    Args:
        patience: How long a service that is full, drains or cannot write is waited for.
    """

    def __init__(self, service: ServicePort, patience: Patience = Patience()) -> None:  # noqa: B008  # it is frozen
        self._service = service
        self._patience = patience

    async def ask(self, request: Request) -> JobView[Any]:
        job = await self._ended(keyed(request))
        failure = view.error(job)
        if failure is not None:
            raise failure
        return _view(job)

    async def submit(self, request: Request) -> JobView[Any]:
        return _view((await self._submitted(keyed(request), live=True)).job)

    async def begin(self, request: Request) -> JobView[Any]:
        asked, tries = keyed(request), Tries(self._patience, limit_s(request))
        return _view((await self._patiently(lambda: self._service.ask(asked), tries)).job)

    async def get(self, job_id: str) -> JobView[Any]:
        return _view(await self._patiently(lambda: self._service.get(job_id)))

    async def wait(self, job_id: str, timeout_s: float | None) -> JobView[Any]:
        tries = Tries(self._patience, timeout_s)
        return _view(await self._patiently(lambda: self._service.wait(job_id, tries.left_s()), tries))

    async def events(self, job_id: str, after: int) -> AsyncIterator[JobEvent]:
        async for told in self._service.events(job_id, after):
            yield JobEvent.of_wire(render_event(job_id, told))

    async def cancel(self, job_id: str) -> JobView[Any]:
        return _view(await self._patiently(lambda: self._service.cancel(job_id)))

    async def retry(self, job_id: str) -> JobView[Any]:
        return _view(await self._patiently(lambda: self._service.retry(job_id)))

    async def merge(self, job_id: str, body: dict[str, Any]) -> JobView[Any]:
        wanted = parse_remerge(body)
        return _view(await self._patiently(lambda: self._service.merge(job_id, wanted)))

    async def feedback(self, job_id: str, body: dict[str, Any]) -> JobView[Any]:
        said = parse_feedback(body)
        return _view(await self._patiently(lambda: self._service.feedback(job_id, said)))

    async def delete(self, job_id: str) -> None:
        await self._patiently(lambda: self._service.forget(job_id))

    async def list(
        self,
        *,
        state: JobState | None,
        needs_review: bool | None,
        metadata: Mapping[str, str],
        limit: int,
        cursor: str | None,
    ) -> JobPage:
        page = await self._patiently(
            lambda: self._service.list(
                state=state, needs_review=needs_review, metadata=metadata or None, limit=limit, cursor=cursor
            )
        )
        return JobPage(jobs=[_view(job) for job in page.jobs], cursor=page.cursor)

    async def hold_batch(self, name: str, epoch: int | None, length_s: float) -> int:
        asked = BatchLease(name=name, epoch=epoch, length=length_s * 1000)
        return await self._patiently(lambda: self._service.hold_batch(asked))

    async def close(self) -> None:
        await self._service.close()

    async def _ended(self, request: Request) -> Job:
        submitted = await self._submitted(request, live=False)
        if submitted.job.state.ended:
            return submitted.job
        try:
            return await self._patiently(lambda: self._service.wait(submitted.job.id))
        except asyncio.CancelledError:
            if submitted.created and request.on_disconnect == "cancel":
                await self._service.cancel(submitted.job.id)
            raise

    async def _submitted(self, request: Request, *, live: bool) -> Submitted:
        tries = Tries(self._patience, limit_s(request))
        return await self._patiently(lambda: self._service.submit(request, live=live), tries)

    async def _patiently(self, work: Callable[[], Awaitable[T]], tries: Tries | None = None) -> T:
        """Returns what the work returns, begun again while the service cannot do it now."""
        tries = tries or Tries(self._patience)
        while True:
            try:
                return await work()
            except (RateLimited, Unavailable) as error:
                await tries.after_refusal(error)


def _view(job: Job) -> JobView[Any]:
    return JobView[Any].model_validate(view.render(job))
