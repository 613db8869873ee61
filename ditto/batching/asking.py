"""The one thing a batch needs of a service: ask, and have the job when it has ended. Two ways to do it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ditto.batching.wire import Wire
from ditto.domain import view
from ditto.domain.request import parse
from ditto.domain.spec import JSON
from ditto.runtime.service import ServicePort

_POLL_MS = 30_000


class Asker(Protocol):
    async def ask(self, body: Mapping[str, JSON]) -> dict[str, Any]:
        """Returns the job in the wire's spelling when it has ended, however it ended.

        Asking again with the same idempotency key goes on with the same job.

        Raises:
            ServiceError: There is no job that ended, and why.
        """
        ...


class ServiceAsker:
    """Asks the service of an attached cluster."""

    def __init__(self, service: ServicePort) -> None:
        self._service = service

    async def ask(self, body: Mapping[str, JSON]) -> dict[str, Any]:
        """Returns the job when it has ended, see `Asker`."""
        submitted = await self._service.ask(parse(body))
        return view.render(submitted.job)


class UrlAsker:
    """Asks a running service over HTTP: submits a job and polls it, so that no connection has to last as long."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def ask(self, body: Mapping[str, JSON]) -> dict[str, Any]:
        """Returns the job when it has ended, see `Asker`."""
        job: dict[str, Any] = await self._wire.post("/jobs", body)
        while job["endedAt"] is None:
            job = await self._wire.get(f"/jobs/{job['jobId']}", {"wait": _POLL_MS})
        return job
