"""The journal's contract: what any store of jobs must do, and what it raises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ditto.domain.events import Event, Recorded
from ditto.domain.job import JobState
from ditto.domain.skills.sheet import Skills
from ditto.domain.tenants import DEFAULT
from ditto.store.access import Access


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An idempotency key that a new job takes with its acceptance, and what makes a request the same."""

    key: str
    fingerprint: str
    tenant: str = DEFAULT


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """Events for one job's journal; all of them are written or none.

    Attributes:
        id: The append's own id: the same append again succeeds, its answer may have been lost.
        after: The number of the job's last event as the writer knows it; 0 for a new job.
        events: With the moment of each (aware UTC).
        claim: Only with `job.accepted`.
        payer: The tenant for whom the calls and tokens of these events are counted; None: nobody.
        unheld_at: Only with `job.adopted`: where the job's holder until then has a lease at this moment (aware UTC), it
            lives, and the append conflicts.
    """

    job_id: str
    id: str
    after: int
    events: tuple[tuple[datetime, Event], ...]
    claim: Claim | None = None
    payer: str | None = None
    unheld_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """What the index of jobs knows without reading a journal."""

    job_id: str
    state: JobState
    holder: str
    updated_at: datetime
    deadline_at: datetime
    tenant: str = DEFAULT


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which jobs of a tenant are listed; metadata is compared as text."""

    tenant: str = DEFAULT
    state: JobState | None = None
    needs_review: bool | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """The skills that jobs are given, and since when jobs are learned from."""

    skills: Skills
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPage:
    """Jobs, newest first, and where the next page begins."""

    rows: tuple[JobRow, ...]
    cursor: str | None


class Journal(Protocol):
    """Every method may raise `StoreUnavailable`. Any number of processes may share one store.

    Attributes:
        commits: So many transactions this process has written.
    """

    commits: int

    @property
    def access(self) -> Access:
        """Who may use the service, and what tenants have used of it."""
        ...

    async def append(self, append: Append) -> None:
        """Returns when the events are durable.

        Raises:
            AppendConflict: Another writer has written at that place.
            KeyTaken: The claim's key already names another job; nothing was written.
        """
        ...

    async def read(self, job_id: str, after: int = 0, limit: int | None = None) -> list[Recorded]:
        """Returns a job's events behind number `after`, in order, the first `limit`; none for an unknown job."""
        ...

    async def row(self, job_id: str) -> JobRow | None: ...

    async def keyed(self, key: str, tenant: str = DEFAULT) -> tuple[str, str] | None:
        """Returns the job and the fingerprint that a tenant's idempotency key names."""
        ...

    async def page(self, wanted: Filter, limit: int, cursor: str | None) -> RowPage: ...

    async def held(self, holder: str) -> list[JobRow]:
        """Returns the jobs that this holder has not finished, oldest first."""
        ...

    async def orphans(self, now: datetime, quiet_since: datetime) -> list[JobRow]:
        """Returns unfinished jobs whose holder's lease has run out and to which nothing happened since."""
        ...

    async def begin_epoch(self, holder: str) -> int:
        """Returns the holder's next epoch, from 1, and remembers it."""
        ...

    async def claim(self, holder: str, now: datetime, until: datetime) -> int | None:
        """Returns the holder's next epoch, which begins with a lease; None while another epoch's has not run out."""
        ...

    async def renew(self, holder: str, epoch: int, until: datetime) -> None:
        """Extends a holder's lease.

        Raises:
            StaleEpoch: A later instance of this holder has begun.
        """
        ...

    async def release(self, holder: str, epoch: int) -> None:
        """Ends a holder's lease at once: whoever sweeps may take its jobs. Does nothing for an earlier epoch."""
        ...

    async def forget(self, job_id: str) -> bool:
        """Removes a job that has ended: its events, its row, its key. Returns False, and does nothing, while it runs.

        An unknown job is forgotten already. The bytes may stay in the store until `purge`.
        """
        ...

    async def expire(self, before: datetime, limit: int) -> int:
        """Removes at most `limit` jobs that ended before that moment, the oldest first; returns how many.

        The jobs of one batch (`metadata.batch`) go when all of them ended before it: one that still grows is spared.
        """
        ...

    async def purge(self) -> bool:
        """Overwrites what was forgotten, as far as the store can; returns False where it must be tried again."""
        ...

    async def job_ids(self, after: str, limit: int) -> list[str]:
        """Returns ids of jobs behind `after` (\"\" for the first), in their own order: a walk over the whole store."""
        ...

    async def completed(self, since: datetime, limit: int) -> list[tuple[datetime, str]]:
        """Returns the latest `limit` jobs that are complete and ended after that moment, by it, the oldest first."""
        ...

    async def judged(self, since: datetime, limit: int) -> list[tuple[datetime, str]]:
        """Returns the latest `limit` complete jobs that were given feedback after it, by that moment, oldest first."""
        ...

    async def learned(self) -> Learned:
        """Returns the newest skills, version 0 where nothing was learned yet."""
        ...

    async def learn(self, learned: Learned) -> None:
        """Keeps skills of a later version than any before, which go.

        Raises:
            AppendConflict: There are skills of this version or a later one: another process has learned.
        """
        ...

    async def check(self) -> None:
        """Returns when the store could be written just now."""
        ...

    async def close(self) -> None: ...
