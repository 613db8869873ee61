"""How a command reaches jobs: a running service, a Ray cluster, or the store alone."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ulid import ULID

from ditto import settings as configuration
from ditto.cli.ending import complain
from ditto.cli.options import Where
from ditto.client.async_client import API_KEY_ENV
from ditto.client.backend import Backend, JobPage
from ditto.client.coming_back import Patience
from ditto.client.http_backend import HttpBackend
from ditto.domain import view
from ditto.domain.job import Job, JobState, fold
from ditto.domain.remerging import parse_feedback, parse_remerge
from ditto.domain.request import Request
from ditto.domain.tenants import DEFAULT
from ditto.domain.view import JobView
from ditto.errors import BadRequest, ConfigurationError, Conflict, NotFound, ServiceError
from ditto.runtime.afterwards import Afterwards
from ditto.runtime.learning import forget_skills
from ditto.runtime.runner import utc_now
from ditto.settings import Settings
from ditto.store.port import Filter, Journal, Learned

_LISTENS_S = 5.0
PAGE = 200
"""The most jobs that a service lists at once."""


def check_where(where: Where) -> None:
    """Raises `BadRequest` where the options name two services."""
    if where.url is not None and where.address is not None:
        raise BadRequest("", [{"path": "url", "message": "give --url or --address, not both"}])


def own_settings(where: Where) -> Settings | None:
    """Returns the settings that this command itself brings; None where those of a service or a cluster count.

    Raises:
        ConfigurationError: They are wrong.
    """
    elsewhere = where.url or where.address or os.environ.get("RAY_ADDRESS")
    return None if elsewhere and where.config is None else configuration.load(where.config)


def prepare(where: Where) -> None:
    """Joins or starts the Ray cluster that the options name, if they name one, from the main thread.

    Ray sets signal handlers, which works nowhere else, and lets its processes end with the thread that began them.

    Raises:
        ConfigurationError: There is no such cluster.
    """
    if where.url is None:
        from ditto.runtime.cluster import join  # loads Ray

        _check_listens(where.address or os.environ.get("RAY_ADDRESS", ""))
        join(where.address, verbose=where.verbose)


def _check_listens(address: str) -> None:
    """Raises `ConfigurationError` where nothing listens at a host and port: Ray itself tries for minutes."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or "//" in host:
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_LISTENS_S).close()
    except (OSError, OverflowError) as error:
        raise ConfigurationError(f"there is no Ray cluster at {address}: {error}") from error


@asynccontextmanager
async def opened(
    where: Where, *, warm: bool = False, told: Callable[[ServiceError], None] | None = None
) -> AsyncIterator[Backend]:
    """Yields the service that the options name, see `prepare`.

    Args:
        warm: One question will be asked.
        told: Called with the reason each time something has to wait for the service.

    Raises:
        ConfigurationError: There is no such service, or the settings are wrong.
    """
    check_where(where)
    backend: Backend
    if where.url is not None:
        api_key = os.environ.get(API_KEY_ENV) or None
        backend = HttpBackend(where.url, api_key=api_key, patience=Patience(told=_say_once(told)))
    else:
        from ditto.client.cluster_backend import ClusterBackend
        from ditto.runtime.cluster import attach  # loads Ray

        settings = own_settings(where)
        service = await attach(settings, address=where.address, warm=warm, verbose=where.verbose)
        backend = ClusterBackend(service, Patience(told=_say_once(told)))
    try:
        yield backend
    finally:
        await backend.close()


def _say_once(told: Callable[[ServiceError], None] | None) -> Callable[[ServiceError], None]:
    """Returns what says on stderr why the command waits, each reason once, whatever numbers stand in it."""
    said: set[str] = set()

    def say(error: ServiceError) -> None:
        if told is not None:
            told(error)
        reason = re.sub(r"\d+", "", error.message)
        if reason not in said:
            said.add(reason)
            complain(f"{error.message}; waiting")

    return say


class Stored:
    """The jobs in a store, read without any service.

    Args:
        tenant: Whose jobs are listed.
    """

    def __init__(self, journal: Journal, tenant: str) -> None:
        self._journal = journal
        self._tenant = tenant

    async def get(self, job_id: str) -> JobView[Any]:
        """Returns the job as it stands.

        Raises:
            NotFound: There is no such job.
        """
        return _view(await self._job(job_id))

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
        wanted = Filter(tenant=self._tenant, state=state, needs_review=needs_review, metadata=metadata)
        page = await self._journal.page(wanted, limit, cursor)
        return JobPage(jobs=[await self.get(row.job_id) for row in page.rows], cursor=page.cursor)

    async def delete(self, job_id: str) -> None:
        """Forgets a job that has ended, and has the store overwrite it.

        Raises:
            NotFound: There is no such job.
            Conflict: It has not ended.
        """
        row = await self._journal.row(job_id)
        if row is None:
            raise NotFound(f"there is no job {job_id} in this store")
        if not await self._journal.forget(job_id):
            raise Conflict(f"job {job_id} is {row.state}: cancel it first, or wait for its end", None, job_id)
        await self._journal.purge()

    async def merge(self, job_id: str, body: dict[str, Any]) -> JobView[Any]:
        """Merges a complete job's replies anew; `body` as the wire has it."""
        wanted, learned = parse_remerge(body), await self._journal.learned()
        return _view(await self._afterwards().merge(await self._job(job_id), wanted, learned.skills))

    async def feedback(self, job_id: str, body: dict[str, Any]) -> JobView[Any]:
        """Keeps what is said of a complete job's result; `body` as the wire has it."""
        return _view(await self._afterwards().say(await self._job(job_id), parse_feedback(body)))

    async def learned(self, *, forget: bool) -> Learned:
        """Returns what the store's jobs have taught; with `forget`, after it was forgotten."""
        if forget:
            await forget_skills(self._journal, utc_now())
        return await self._journal.learned()

    async def is_orphan(self, job_id: str, now: datetime) -> bool:
        """Tells whether the job waits for a holder that nobody has seen for as long as its lease."""
        return any(row.job_id == job_id for row in await self._journal.orphans(now, now))

    def _afterwards(self) -> Afterwards:
        return Afterwards(self._journal, read=self._job, new_id=lambda: str(ULID()), clock=utc_now)

    async def _job(self, job_id: str) -> Job:
        records = await self._journal.read(job_id)
        if not records:
            raise NotFound(f"there is no job {job_id} in this store")
        return fold(job_id, records)


@asynccontextmanager
async def stored(where: Where, tenant: str = DEFAULT) -> AsyncIterator[Stored]:
    """Yields the store that the settings name, a tenant's jobs to be listed.

    Raises:
        NotFound: There is none yet.
    """
    from ditto.store.opening import open_journal

    store = configuration.load(where.config).store
    if isinstance(store, Path) and not store.is_file():
        raise NotFound(f"there is no store yet at {store}")
    journal = open_journal(store)
    try:
        yield Stored(journal, tenant)
    finally:
        await journal.close()


def wire(job: JobView[Any]) -> dict[str, Any]:
    """Returns the job as the wire shows it, as decoded JSON."""
    shown: dict[str, Any] = job.model_dump(mode="json", by_alias=True)
    moments = {"createdAt": job.created_at, "endedAt": job.ended_at}
    return shown | {name: None if at is None else _moment(at) for name, at in moments.items()}


def panel(settings: Settings, request: Request) -> list[str]:
    """Returns the models that the request asks under these settings; no service has to run for that.

    Raises:
        BadRequest: What it names is not known.
    """
    from ditto.settings.resolving import resolve

    return [call.model for call in resolve(request, settings, datetime.now(UTC)).calls]


def _view(job: Job) -> JobView[Any]:
    return JobView[Any].model_validate(view.render(job))


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
