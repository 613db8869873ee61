"""The verbs in an attached Ray cluster: the service itself, without a server in between.

All that the clients know of the runtime stands in this file, and it is loaded only by who attaches.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from ditto.client.backend import JobPage
from ditto.client.job_event import JobEvent
from ditto.domain import view
from ditto.domain.event_view import render_event
from ditto.domain.job import Job, JobState
from ditto.domain.request import Request
from ditto.domain.view import JobView
from ditto.runtime.service import ServicePort


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
    """The service of a cluster."""

    def __init__(self, service: ServicePort) -> None:
        self._service = service

    async def ask(self, request: Request) -> JobView[Any]:
        job = await self._ended(request)
        failure = view.error(job)
        if failure is not None:
            raise failure
        return _view(job)

    async def submit(self, request: Request) -> JobView[Any]:
        return _view((await self._service.submit(request)).job)

    async def get(self, job_id: str) -> JobView[Any]:
        return _view(await self._service.get(job_id))

    async def wait(self, job_id: str, timeout_s: float | None) -> JobView[Any]:
        return _view(await self._service.wait(job_id, timeout_s))

    async def events(self, job_id: str, after: int) -> AsyncIterator[JobEvent]:
        async for recorded in self._service.events(job_id, after):
            yield JobEvent.of_wire(render_event(job_id, recorded))

    async def cancel(self, job_id: str) -> JobView[Any]:
        return _view(await self._service.cancel(job_id))

    async def list(
        self,
        *,
        state: JobState | None,
        needs_review: bool | None,
        metadata: Mapping[str, str],
        limit: int,
        cursor: str | None,
    ) -> JobPage:
        page = await self._service.list(
            state=state, needs_review=needs_review, metadata=metadata or None, limit=limit, cursor=cursor
        )
        return JobPage(jobs=[_view(job) for job in page.jobs], cursor=page.cursor)

    async def close(self) -> None:
        await self._service.close()

    async def _ended(self, request: Request) -> Job:
        if request.on_disconnect != "cancel":
            return (await self._service.ask(request)).job
        submitted = await self._service.submit(request)
        try:
            return await self._service.wait(submitted.job.id)
        except asyncio.CancelledError:
            if submitted.created:
                await self._service.cancel(submitted.job.id)
            raise


def _view(job: Job) -> JobView[Any]:
    return JobView[Any].model_validate(view.render(job))
