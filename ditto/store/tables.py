"""The tables of the journal, and how the index of jobs follows from the events.

`events` is the truth. `jobs` and `labels` are an index of it, written in the same transaction. SQLite keeps `events`
and `keys`, where prompts and replies stand, as tables with row ids: such a table grows at its end and nothing in it is
moved by what is written later, so that overwriting a row leaves no older copy of its text in some other page.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

from ditto.domain import events as ev
from ditto.domain.events import Event
from ditto.domain.job import JobState
from ditto.domain.spec import JSON, JobSpec
from ditto.domain.tenants import DEFAULT

SCHEMA_VERSION = 5
metadata = MetaData()

_NAME = String().with_variant(String(collation="C"), "postgresql")
"""Compared by its bytes in every database, so that an order is the same everywhere."""

events = Table(
    "events",
    metadata,
    Column("job_id", _NAME, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("append_id", String, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("version", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""The primary key is the fence: of two writers at one place, one loses. `version` is that of the code that wrote."""

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", _NAME, primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("holder", _NAME, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
    Column("deadline_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger),
    Column("needs_review", Boolean, nullable=False),
    Column("batch", String),
    Column("judged_us", BigInteger),
    Column("tenant", _NAME, nullable=False, server_default=DEFAULT),
    sqlite_with_rowid=False,
)
"""`seq` is the last event's number, `ended_us` is there once the job has ended, `batch` is a `label`, `judged_us` is
the moment of the last feedback on its result."""

Index("jobs_newest", jobs.c.tenant, jobs.c.created_us.desc(), jobs.c.job_id.desc())
_open, _ended = jobs.c.ended_us.is_(None), jobs.c.ended_us.is_not(None)
_batched, _judged = jobs.c.batch.is_not(None), jobs.c.judged_us.is_not(None)
Index("jobs_open", jobs.c.holder, sqlite_where=_open)
Index("jobs_running", jobs.c.tenant, sqlite_where=_open)
Index("jobs_ended", jobs.c.ended_us, sqlite_where=_ended)
Index("jobs_judged", jobs.c.judged_us, sqlite_where=_judged)
Index("jobs_batch", jobs.c.batch, jobs.c.ended_us, sqlite_where=_batched)

labels = Table(
    "labels",
    metadata,
    Column("label", _NAME, primary_key=True),
    Column("created_us", BigInteger, primary_key=True),
    Column("job_id", _NAME, primary_key=True),
    sqlite_with_rowid=False,
)
"""The metadata by which jobs are found, see `label`; those with one label stand in the order of their creation."""

Index("labels_job", labels.c.job_id)

keys = Table(
    "keys",
    metadata,
    Column("tenant", _NAME, primary_key=True, server_default=DEFAULT),
    Column("key", _NAME, primary_key=True),
    Column("job_id", _NAME, nullable=False),
    Column("fingerprint", Text, nullable=False),
)
"""Idempotency keys: each names a job of its tenant's. Processes of an older version, until they end, name no tenant."""
Index("keys_job", keys.c.job_id)

holders = Table(
    "holders",
    metadata,
    Column("name", _NAME, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
)

skills = Table(
    "skills",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("since_us", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""What was learned of the models: the newest version alone."""

tenants = Table("tenants", metadata, Column("name", _NAME, primary_key=True), Column("allowance", Text, nullable=False))
"""What each tenant may do, as JSON."""

access_keys = Table(
    "access_keys",
    metadata,
    Column("id", _NAME, primary_key=True),
    Column("tenant", _NAME, nullable=False),
    Column("digest", String, nullable=False),
    Column("label", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("revoked_us", BigInteger),
)
"""The keys of tenants, each as its hash. A revoked one stays: where there was a key, one is needed."""

usage = Table(
    "usage",
    metadata,
    Column("tenant", _NAME, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("calls", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
)
"""What metered tenants have used on a day (since 1970, UTC), in parts, so that processes do not wait for each other."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENDED: dict[type[Event], JobState] = {
    ev.JobCompleted: JobState.COMPLETE,
    ev.JobFailed: JobState.ERROR,
    ev.JobCancelled: JobState.CANCELLED,
}

Dated = tuple[datetime, Event]


def to_us(at: datetime) -> int:
    """Returns whole microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def from_us(us: int) -> datetime:
    """Returns the moment, aware UTC."""
    return _EPOCH + timedelta(microseconds=us)


def text_of(value: JSON) -> str:
    """Returns a value of the metadata as it is compared: a text as it is, anything else as its JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def label(key: str, value: str, tenant: str = DEFAULT) -> str:
    """Returns what stands for this pair in the index: of one length, a tenant's own, and no text of a request's."""
    owner = [] if tenant == DEFAULT else [tenant]
    return hashlib.sha256(json.dumps([*owner, key, value]).encode()).hexdigest()[:32]


def label_rows(job_id: str, created_us: int, given: Mapping[str, JSON], tenant: str = DEFAULT) -> list[dict[str, Any]]:
    """Returns the rows of `labels` of a job with this metadata."""
    return [
        {"label": label(key, text_of(value), tenant), "created_us": created_us, "job_id": job_id}
        for key, value in given.items()
    ]


def batch_of(spec: JobSpec) -> str | None:
    """Returns the label of the batch that a job belongs to, None where it belongs to none."""
    batch = spec.metadata.get("batch")
    return None if batch is None else label("batch", text_of(batch), spec.tenant)


def day_of(at: datetime) -> int:
    """Returns whole days since 1970, UTC."""
    return (at - _EPOCH) // timedelta(days=1)


def new_row(job_id: str, accepted: Dated, rest: Iterable[Dated]) -> dict[str, Any]:
    """Returns the index row of a job that begins with these events."""
    at, event = accepted
    assert isinstance(event, ev.JobAccepted)
    row: dict[str, Any] = {
        "job_id": job_id,
        "seq": 1,
        "state": str(JobState.PENDING),
        "holder": event.holder,
        "created_us": to_us(at),
        "updated_us": to_us(at),
        "deadline_us": to_us(event.spec.deadline_at),
        "ended_us": None,
        "needs_review": False,
        "batch": batch_of(event.spec),
        "judged_us": None,
        "tenant": event.spec.tenant,
    }
    for dated in rest:
        row |= changes(dated)
        row["seq"] += 1
    return row


def changes(dated: Dated) -> dict[str, Any]:
    """Returns the columns of the index row that this event changes, but for its number."""
    at, event = dated
    changed: dict[str, Any] = {"updated_us": to_us(at)}
    match event:
        case ev.JobAdopted(holder=holder):
            changed["holder"] = holder
        case ev.JobRetried():
            changed |= {"holder": event.holder, "deadline_us": to_us(event.deadline_at)}
            changed |= {"state": str(JobState.RUNNING), "ended_us": None, "needs_review": False, "judged_us": None}
        case ev.CallStarted() | ev.DeadlinePassed():
            changed["state"] = str(JobState.RUNNING)
        case ev.JobCompleted(verdict=verdict):
            changed["needs_review"] = verdict.needs_review
        case ev.FeedbackGiven():
            changed["judged_us"] = to_us(at)
    if type(event) in _ENDED:
        changed |= {"state": str(_ENDED[type(event)]), "ended_us": to_us(at)}
    return changed
