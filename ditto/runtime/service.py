"""The service that every door shares: submit, ask, get, wait, events, cancel, retry, forget, list.

It holds nothing: it places jobs, asks their holders, and reads the journal for all that has ended. When a holder is
gone it waits for the journal to name the next one, so that whoever waits for a job does not see the death. A tenant
sees it as if there were no other: a job of another's is answered as one that there is not, after the same look.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Self

from ditto.domain.batch_lease import BatchLease
from ditto.domain.events import FeedbackGiven, Recorded
from ditto.domain.job import ENDS, Job, JobState, fold
from ditto.domain.live import Live
from ditto.domain.remerging import Remerge
from ditto.domain.request import Request, differing
from ditto.domain.spec import Placement
from ditto.domain.tenants import OPERATOR, Tenant
from ditto.errors import (
    BadRequest,
    Conflict,
    HolderGone,
    IdempotencyMismatch,
    IllegalMove,
    InternalError,
    JournalUnreadable,
    KeyTaken,
    NotFound,
    StoreUnavailable,
    Unavailable,
)
from ditto.runtime.admission import Admission
from ditto.runtime.afterwards import Afterwards
from ditto.runtime.batch_leases import BatchLeases
from ditto.runtime.belonging import Owners
from ditto.runtime.doorkeeper import Doorkeeper
from ditto.runtime.following import PAGE, News, Reader
from ditto.runtime.handing_over import ACCEPT_S, HandingOver
from ditto.runtime.learning import Book
from ditto.runtime.listening import heard
from ditto.runtime.placement import Placer
from ditto.runtime.runner import Clock, utc_now
from ditto.runtime.service_port import Page, ServicePort, Submitted
from ditto.settings import Settings
from ditto.settings.resolving import resolve
from ditto.store.port import Claim, Filter, JobRow, Journal
from ditto.tally import Counted

__all__ = ["Page", "Service", "ServicePort", "Submitted"]

log = logging.getLogger("ditto.service")
PAUSE_S = 0.2
POLL_S = 30.0
TRIES = 5
_BATCH = "batch"
"""Is in the metadata of a batch's jobs."""


async def _always() -> None:
    return None


class Service:
    """The service of one process.

    Args:
        check: Raises `Unavailable` where the cluster cannot take jobs.
        count: Returns what each actor has counted.
        closing: Called once by `close`.
        doorkeeper: Knows for whom a key opens.
        admission: Counts what tenants do.
        new_id: Mints the ids of appends.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        journal: Journal,
        placer: Placer,
        check: Callable[[], Awaitable[None]],
        count: Callable[[], Awaitable[Sequence[Counted]]],
        closing: Callable[[], Awaitable[None]],
        doorkeeper: Doorkeeper,
        admission: Admission,
        new_id: Callable[[], str],
        clock: Clock = utc_now,
    ) -> None:
        self.settings = settings
        self._journal = journal
        self._placer = placer
        self._handing_over = HandingOver(journal, placer)
        self._check = check
        self._count = count
        self._closing = closing
        self._book = Book(journal)
        self._afterwards = Afterwards(journal, read=self.get, new_id=new_id, clock=clock)
        self._clock = clock
        self._doorkeeper = doorkeeper
        self._admission = admission
        self._tenant: Tenant | None = None
        self._still_admitted: Callable[[], Awaitable[object]] = _always
        self._owners = Owners()

    @property
    def tenant(self) -> Tenant:
        return self._tenant or OPERATOR

    async def admit(self, shown: str | None) -> Self:
        """Returns the service as the tenant sees it for whom this key opens; see `ServicePort.admit`."""
        tenant = await self._doorkeeper.admit(shown)
        await self._admission.request(tenant)
        seen = copy.copy(self)
        seen._tenant = tenant
        seen._still_admitted = partial(self._doorkeeper.admit, shown)
        return seen

    async def submit(self, request: Request, *, live: bool = False) -> Submitted:
        """Returns the job once its acceptance is durable.

        Args:
            live: Whether its replies are to be followed while they are written; of a batch's jobs they never are.

        Raises:
            BadRequest: Nothing was begun.
            Forbidden: The tenant may not ask a model.
            RateLimited: The tenant has as much as it may, or the service is full.
            IdempotencyMismatch: The key was used with another request.
            Unavailable: The journal cannot be written, or no holder be begun; nothing was begun.
        """
        return await self._submitted(request, 0.0, live=live)

    async def ask(self, request: Request) -> Submitted:
        """Returns the job when it has ended, however it ended. Raises as `submit` does."""
        submitted = await self._submitted(request, POLL_S, live=False)
        if submitted.job.state.ended:
            return submitted
        return Submitted(job=await self.wait(submitted.job.id), created=submitted.created)

    async def _submitted(self, request: Request, wait_s: float, *, live: bool) -> Submitted:
        """Returns the accepted job; one that is new, and ends within `wait_s`, as it ended."""
        for _ in range(TRIES):
            with suppress(NotFound):  # the key's job was deleted at this very moment, so the key is free again
                return await self._placed(request, wait_s, live=live)
        raise Unavailable("the idempotency key names a job that is not there; `ditto store check` says more")

    async def _placed(self, request: Request, wait_s: float, *, live: bool) -> Submitted:
        key, tenant = request.idempotency_key, self.tenant
        claim = None if key is None else Claim(key=key, fingerprint=request.fingerprint(), tenant=tenant.name)
        try:
            if claim is not None and (taken := await self._journal.keyed(claim.key, claim.tenant)) is not None:
                raise KeyTaken(*taken)  # before its models are looked up: these settings may not know them any more
            spec = resolve(request, self.settings, self._clock(), await self._book.skills(), tenant)
            if live and _BATCH not in spec.metadata:
                spec = replace(spec, live=True)
            async with self._admission.job(tenant, len(spec.calls)):
                until_end_s = 0.0 if tenant.allowance.in_turn else wait_s  # the next one waits for this one's beginning
                job = await self._handing_over.accepted(spec, claim, request.placement or Placement.AUTO, until_end_s)
        except KeyTaken as taken_key:
            return await self._known(request, taken_key)
        except (HolderGone, StoreUnavailable) as error:
            raise Unavailable(str(error)) from error
        self._owners.note(job.id, tenant.name)
        return Submitted(job=job, created=True)

    async def get(self, job_id: str) -> Job:
        """Returns the job as it stands.

        Raises:
            NotFound: There is no such job.
        """
        await self._check_own(job_id)
        records = await self._read(job_id)
        if not records:
            raise NotFound(f"there is no job {job_id}")
        return fold(job_id, records)

    async def wait(self, job_id: str, timeout_s: float | None = None) -> Job:
        """Returns the job when it has ended, or as it stands after `timeout_s`.

        Raises:
            NotFound: There is no such job.
        """
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            left_s = POLL_S if until is None else max(0.0, min(POLL_S, until - time.monotonic()))
            try:
                row = await self._row(job_id)
                if row.state.ended or left_s == 0:
                    job = await self.get(job_id)  # it may have been retried since
                else:
                    job = await heard(self._placer.holding(row.holder).wait(job_id, left_s), left_s)
            except (HolderGone, StoreUnavailable, Unavailable):
                if left_s == 0:
                    raise
                await asyncio.sleep(min(PAUSE_S, left_s))
            else:
                if job.state.ended or left_s == 0:
                    return job

    async def events(self, job_id: str, after: int = 0) -> AsyncIterator[Recorded | Live]:
        """Yields the journalled events behind number `after` as they come, until the job has ended.

        Between them comes what is told of a running job and not kept, as it then stands.

        Raises:
            NotFound: There is no such job.
            Unauthorized: The key that opened has been revoked meanwhile.
        """
        reader = Reader(after, self._clock)
        while True:
            ended, news = False, News()
            try:
                row = await self._row(job_id)
                if row.state.ended:
                    records = await self._read(job_id, reader.after, PAGE)
                    last = not records or type(records[-1].event) in ENDS  # it may have been retried since
                    ended = last and len(records) < PAGE
                    news = News(records=records)
                else:
                    holder = self._placer.holding(row.holder)
                    news = await heard(holder.follow(job_id, reader.place(), POLL_S), POLL_S)
            except (HolderGone, StoreUnavailable, Unavailable):
                await asyncio.sleep(PAUSE_S)
                with suppress(Unavailable):  # a stream outlives a restart of the store
                    await self._check_own(job_id)
                    news = News(records=await self._read(job_id, reader.after, PAGE))
            await self._still_admitted()
            for told in reader.told(news):
                yield told
            if ended:
                return

    async def cancel(self, job_id: str) -> Job:
        """Stops the job and returns it; harmless on one that has ended.

        Raises:
            NotFound: There is no such job.
        """
        while True:
            row = await self._row(job_id)
            if row.state.ended:
                return await self.get(job_id)
            try:
                return await heard(self._placer.holding(row.holder).cancel(job_id), POLL_S)
            except (HolderGone, StoreUnavailable):
                await asyncio.sleep(PAUSE_S)

    async def retry(self, job_id: str) -> Job:
        """Has the failed models of a job that has ended asked again, and returns the job as it then stands.

        The replies that came are kept. A complete job of which no model has failed is returned as it is.

        Raises:
            NotFound: There is no such job.
            Conflict: The job runs, or was cancelled.
            RateLimited: The tenant has as much as it may, or the service is full.
        """
        for _ in range(TRIES):
            before = await self.get(job_id)
            try:
                async with self._admission.job(self.tenant, len(before.failures())):
                    return await heard(self._placer.shared().retry(job_id), ACCEPT_S)
            except HolderGone:
                await asyncio.sleep(PAUSE_S)
                after = await self.get(job_id)
                if after.retries > before.retries:
                    return after
            except StoreUnavailable as error:
                raise Unavailable(str(error)) from error
        raise Unavailable("no holder of jobs can be reached")

    async def forget(self, job_id: str) -> None:
        """Removes a job that has ended: its journal, its result, its key.

        Raises:
            NotFound: There is no such job.
            Conflict: The job has not ended.
        """
        row = await self._row(job_id)
        try:
            forgotten = await self._journal.forget(job_id)
        except StoreUnavailable as error:
            raise Unavailable(str(error)) from error
        if not forgotten:
            raise Conflict(f"job {job_id} is {row.state}: cancel it first, or wait for its end", None, job_id)

    async def merge(self, job_id: str, wanted: Remerge) -> Job:
        """Merges the replies of a complete job anew and returns it; no model is asked, its own verdict stays.

        Raises:
            NotFound: There is no such job.
            Conflict: It is not complete, or no reply satisfies the schema.
            BadRequest: A weight names no model of the job.
        """
        return await self._afterwards.merge(await self.get(job_id), wanted, await self._book.skills())

    async def feedback(self, job_id: str, said: FeedbackGiven) -> Job:
        """Keeps what somebody who knows says of a complete job's result, and returns the job.

        Raises:
            NotFound: There is no such job.
            Conflict: It is not complete.
        """
        return await self._afterwards.say(await self.get(job_id), said)

    async def hold_batch(self, asked: BatchLease) -> int:
        """Returns the epoch of a batch's lease; see `BatchLeases.hold`."""
        return await BatchLeases(self._journal, self.tenant.name, self._clock).hold(asked)

    async def list(
        self,
        *,
        state: JobState | None = None,
        needs_review: bool | None = None,
        metadata: Mapping[str, str] | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page:
        """Returns jobs, newest first.

        Raises:
            BadRequest: The cursor is none of ours.
        """
        wanted = Filter(tenant=self.tenant.name, state=state, needs_review=needs_review, metadata=metadata or {})
        try:
            page = await self._journal.page(wanted, limit, cursor)
        except (ValueError, OverflowError):
            message = "is none that a list of jobs has given"
            raise BadRequest("the request is wrong", [{"path": "cursor", "message": message}]) from None
        except StoreUnavailable as error:
            raise Unavailable(str(error)) from error
        jobs = [job for row in page.rows if (job := await self._listed(row)) is not None]
        return Page(jobs=tuple(jobs), cursor=page.cursor)

    async def ready(self) -> None:
        """Returns when the service can take jobs.

        Raises:
            Unavailable: It cannot; the message says why.
        """
        await self._check()

    async def counted(self) -> Sequence[Counted]:
        """Returns what each actor has counted; of one that does not answer, that it does not."""
        return await self._count()

    async def close(self) -> None:
        """Lets go of the cluster; jobs go on."""
        await self._closing()

    async def _known(self, request: Request, taken: KeyTaken) -> Submitted:
        if taken.fingerprint != request.fingerprint():
            raise IdempotencyMismatch(
                f"the idempotency key was used with another request, that of job {taken.job_id}",
                differing(taken.fingerprint, request.fingerprint()),
                taken.job_id,
            )
        self._owners.note(taken.job_id, self.tenant.name)
        return Submitted(job=await self.get(taken.job_id), created=False)

    async def _listed(self, row: JobRow) -> Job | None:
        """Returns the job, None where it has gone meanwhile or cannot be read: that hides no other."""
        self._owners.note(row.job_id, row.tenant)
        try:
            return await self.get(row.job_id)
        except (NotFound, IllegalMove, InternalError) as error:
            log.warning("job not listed", extra={"job_id": row.job_id, "reason": str(error)})
            return None

    async def _read(self, job_id: str, after: int = 0, limit: int | None = None) -> Sequence[Recorded]:
        try:
            return await self._journal.read(job_id, after, limit)
        except StoreUnavailable as error:
            raise Unavailable(str(error)) from error
        except JournalUnreadable as error:
            raise InternalError(str(error), None, job_id) from error

    async def _check_own(self, job_id: str) -> None:
        """Raises `NotFound` where there is no such job, or it is another tenant's."""
        if self._tenant is not None and not self._owners.knows(job_id, self._tenant.name):
            await self._row(job_id)

    async def _row(self, job_id: str) -> JobRow:
        try:
            row = await self._journal.row(job_id)
        except StoreUnavailable as error:
            raise Unavailable(str(error)) from error
        if row is None or (self._tenant is not None and row.tenant != self._tenant.name):
            raise NotFound(f"there is no job {job_id}")
        self._owners.note(job_id, row.tenant)
        return row
