"""The journal in memory: for tests of what builds on one. It forgets everything with its process."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from ditto.domain import events as ev
from ditto.domain.access_keys import AccessKey
from ditto.domain.events import Event, Recorded
from ditto.domain.job import Completed, Job, JobState, fold
from ditto.domain.skills.sheet import NOTHING
from ditto.domain.tenants import DEFAULT, Allowance
from ditto.errors import AppendConflict, KeyTaken, StaleEpoch
from ditto.store.access import Register, Usage
from ditto.store.access_rows import usage_rows
from ditto.store.port import Append, Filter, JobRow, Learned, RowPage
from ditto.store.tables import batch_of, day_of, text_of

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Lease:
    epoch: int = 0
    until: datetime = _LONG_AGO


@dataclass
class MemoryJournal:
    """A `Journal` that keeps everything in dictionaries."""

    _records: dict[str, list[tuple[str, Recorded]]] = field(default_factory=dict)
    _keys: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    _leases: dict[str, _Lease] = field(default_factory=dict)
    _learned: Learned = field(default_factory=lambda: Learned(skills=NOTHING, since=_LONG_AGO))
    _access_keys: dict[str, AccessKey] = field(default_factory=dict)
    _allowances: dict[str, Allowance] = field(default_factory=dict)
    _usage: list[dict[str, Any]] = field(default_factory=list)
    commits: int = 0

    @property
    def access(self) -> MemoryJournal:
        return self

    async def append(self, append: Append) -> None:
        written = self._records.get(append.job_id, [])
        if len(written) > append.after and written[append.after][0] == append.id:
            return
        if len(written) != append.after:
            raise AppendConflict(f"another writer has appended to job {append.job_id} after event {append.after}")
        if append.unheld_at is not None:
            holder = self._job(append.job_id).holder
            if self._leases.get(holder, _Lease()).until >= append.unheld_at:
                raise AppendConflict(f"job {append.job_id} is held by {holder}, which lives")
        if append.claim is not None:
            key = (append.claim.tenant, append.claim.key)
            taken = self._keys.get(key)
            if taken is not None:
                raise KeyTaken(*taken)
            self._keys[key] = (append.job_id, append.claim.fingerprint)
        self._records[append.job_id] = [*written, *_numbered(append)]
        self._usage.extend(usage_rows(append))
        self.commits += 1

    async def read(self, job_id: str, after: int = 0, limit: int | None = None) -> list[Recorded]:
        found = self._records.get(job_id, [])[after:]
        return [record for _, record in found[:limit]]

    async def row(self, job_id: str) -> JobRow | None:
        return _row(self._job(job_id)) if job_id in self._records else None

    async def keyed(self, key: str, tenant: str = DEFAULT) -> tuple[str, str] | None:
        return self._keys.get((tenant, key))

    async def page(self, wanted: Filter, limit: int, cursor: str | None) -> RowPage:
        jobs = sorted(self._jobs(), key=lambda job: (job.accepted_at, job.id), reverse=True)
        found = [job for job in jobs if _matches(job, wanted)]
        start = next((place for place, job in enumerate(found, 1) if job.id == cursor), 0)
        shown = found[start : start + limit]
        more = shown[-1].id if len(found) > start + limit else None
        return RowPage(rows=tuple(_row(job) for job in shown), cursor=more)

    async def held(self, holder: str) -> list[JobRow]:
        return [_row(job) for job in self._jobs() if job.holder == holder and not job.state.ended]

    async def orphans(self, now: datetime, quiet_since: datetime) -> list[JobRow]:
        rows = [_row(job) for job in self._jobs() if not job.state.ended and job.updated_at < quiet_since]
        return [row for row in rows if self._leases.get(row.holder, _Lease()).until < now]

    async def begin_epoch(self, holder: str) -> int:
        lease = self._leases.setdefault(holder, _Lease())
        lease.epoch += 1
        return lease.epoch

    async def claim(self, holder: str, now: datetime, until: datetime) -> int | None:
        lease = self._leases.setdefault(holder, _Lease())
        if lease.until >= now:
            return None
        lease.epoch += 1
        lease.until = until
        return lease.epoch

    async def renew(self, holder: str, epoch: int, until: datetime) -> None:
        lease = self._leases.setdefault(holder, _Lease())
        if lease.epoch != epoch:
            raise StaleEpoch(f"{holder} has begun a later epoch than {epoch}")
        lease.until = until

    async def release(self, holder: str, epoch: int) -> None:
        lease = self._leases.get(holder)
        if lease is not None and lease.epoch == epoch:
            lease.until = _LONG_AGO

    async def forget(self, job_id: str) -> bool:
        if job_id not in self._records:
            return True
        if not self._job(job_id).state.ended:
            return False
        self._remove(job_id)
        return True

    async def expire(self, before: datetime, limit: int) -> int:
        jobs = self._jobs()
        kept = {_batch(job) for job in jobs if not _over(job, before)} - {None}
        gone = sorted((job for job in jobs if _over(job, before) and _batch(job) not in kept), key=_end)[:limit]
        for job in gone:
            self._remove(job.id)
        return len(gone)

    async def purge(self) -> bool:
        return True

    async def job_ids(self, after: str, limit: int) -> list[str]:
        return sorted(job_id for job_id in self._records if job_id > after)[:limit]

    async def completed(self, since: datetime, limit: int) -> list[tuple[datetime, str]]:
        jobs = [(job.ended_at, job.id) for job in self._jobs() if job.state is JobState.COMPLETE]
        return sorted((at, job_id) for at, job_id in jobs if at is not None and at > since)[-limit:]

    async def judged(self, since: datetime, limit: int) -> list[tuple[datetime, str]]:
        judged = [job.id for job in self._jobs() if job.feedback is not None]
        said = [(record.at, job_id) for job_id in judged for record in await self.read(job_id) if _judges(record)]
        last = {job_id: at for at, job_id in sorted(said)}
        return sorted((at, job_id) for job_id, at in last.items() if at > since)[-limit:]

    async def learned(self) -> Learned:
        return self._learned

    async def learn(self, learned: Learned) -> None:
        if learned.skills.version <= self._learned.skills.version:
            raise AppendConflict(f"skills of version {learned.skills.version} or later are there already")
        self._learned = learned

    async def register(self) -> Register:
        keys = sorted(self._access_keys.values(), key=lambda key: (key.created_at, key.id))
        return Register(keys=tuple(keys), allowances=dict(self._allowances))

    async def add(self, key: AccessKey) -> None:
        self._access_keys[key.id] = key

    async def revoke(self, key_id: str, at: datetime) -> bool:
        key = self._access_keys.get(key_id)
        if key is not None and key.revoked_at is None:
            self._access_keys[key_id] = replace(key, revoked_at=at)
        return key is not None

    async def allow(self, tenant: str, allowance: Allowance) -> None:
        self._allowances[tenant] = allowance

    async def running(self, tenant: str) -> int:
        return sum(job.spec.tenant == tenant and not job.state.ended for job in self._jobs())

    async def used(self, tenant: str, at: datetime) -> Usage:
        rows = [row for row in self._usage if (row["tenant"], row["day"]) == (tenant, day_of(at))]
        return Usage(calls=sum(row["calls"] for row in rows), tokens=sum(row["tokens"] for row in rows))

    async def check(self) -> None:
        return

    async def close(self) -> None:
        return None

    def _job(self, job_id: str) -> Job:
        return fold(job_id, [record for _, record in self._records[job_id]])

    def _remove(self, job_id: str) -> None:
        del self._records[job_id]
        self._keys = {key: named for key, named in self._keys.items() if named[0] != job_id}

    def _jobs(self) -> list[Job]:
        return sorted((self._job(job_id) for job_id in self._records), key=lambda job: job.accepted_at)


def _numbered(append: Append) -> list[tuple[str, Recorded]]:
    def stored(event: Event) -> Event:
        return ev.decode(ev.encode(event))

    return [
        (append.id, Recorded(seq=append.after + place, at=at, event=stored(event)))
        for place, (at, event) in enumerate(append.events, start=1)
    ]


def _matches(job: Job, wanted: Filter) -> bool:
    if job.spec.tenant != wanted.tenant:
        return False
    if wanted.state is not None and job.state is not wanted.state:
        return False
    if wanted.needs_review is not None:
        review = isinstance(job.outcome, Completed) and job.outcome.verdict.needs_review
        if review is not wanted.needs_review:
            return False
    return all(
        key in job.spec.metadata and text_of(job.spec.metadata[key]) == value for key, value in wanted.metadata.items()
    )


def _judges(record: Recorded) -> bool:
    return isinstance(record.event, ev.FeedbackGiven)


def _over(job: Job, before: datetime) -> bool:
    return job.ended_at is not None and job.ended_at < before


def _end(job: Job) -> tuple[datetime, str]:
    assert job.ended_at is not None
    return job.ended_at, job.id


def _batch(job: Job) -> str | None:
    return batch_of(job.spec)


def _row(job: Job) -> JobRow:
    return JobRow(
        job_id=job.id,
        state=job.state,
        holder=job.holder,
        updated_at=job.updated_at,
        deadline_at=job.spec.deadline_at,
        tenant=job.spec.tenant,
    )
