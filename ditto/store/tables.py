"""The tables of the journal, and what an event changes in the index of jobs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text, text

from ditto.domain import events as ev
from ditto.domain.events import Event
from ditto.domain.job import JobState

SCHEMA_VERSION = 2
metadata = MetaData()

events = Table(
    "events",
    metadata,
    Column("job_id", String, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("append_id", String, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("version", String, nullable=False, server_default=""),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""The truth. The primary key is the fence: of two writers at one place, one loses."""

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("holder", String, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("needs_review", Boolean, nullable=False),
    Column("metadata", Text, nullable=False),
    Column("deadline_us", BigInteger, nullable=False, server_default="0"),
    Column("batch", Text),
    sqlite_with_rowid=False,
)
"""An index of the truth, written in the same transaction."""

Index("jobs_newest", jobs.c.created_us.desc(), jobs.c.job_id.desc())
Index("jobs_open", jobs.c.holder, sqlite_where=text("open"), postgresql_where=text("open"))

Index("jobs_ended", jobs.c.updated_us, sqlite_where=text("NOT open"), postgresql_where=text("NOT open"))
Index("jobs_batch", jobs.c.batch, sqlite_where=text("batch IS NOT NULL"), postgresql_where=text("batch IS NOT NULL"))

keys = Table(
    "keys",
    metadata,
    Column("key", String, primary_key=True),
    Column("job_id", String, nullable=False),
    Column("fingerprint", Text, nullable=False),
)
Index("keys_job", keys.c.job_id)

holders = Table(
    "holders",
    metadata,
    Column("name", String, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENDED: dict[type[Event], JobState] = {
    ev.JobCompleted: JobState.COMPLETE,
    ev.JobFailed: JobState.ERROR,
    ev.JobCancelled: JobState.CANCELLED,
}


def to_us(at: datetime) -> int:
    """Returns whole microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def from_us(us: int) -> datetime:
    """Returns the moment, aware UTC."""
    return _EPOCH + timedelta(microseconds=us)


def new_row(job_id: str, at: datetime, event: ev.JobAccepted) -> dict[str, Any]:
    """Returns the index row of a job that has just been accepted."""
    return {
        "job_id": job_id,
        "state": str(JobState.PENDING),
        "holder": event.holder,
        "created_us": to_us(at),
        "updated_us": to_us(at),
        "open": True,
        "needs_review": False,
        "metadata": json.dumps(event.spec.metadata, ensure_ascii=False),
        "deadline_us": to_us(event.spec.deadline_at),
        "batch": batch(event.spec.metadata),
    }


def batch(metadata: dict[str, Any]) -> str | None:
    """Returns the batch to which a job belongs, as text."""
    named = metadata.get("batch")
    return named if named is None or isinstance(named, str) else json.dumps(named)


def changes(written: tuple[tuple[datetime, Event], ...]) -> dict[str, Any]:
    """Returns the columns of the index row that these events change."""
    changed: dict[str, Any] = {"updated_us": to_us(written[-1][0])}
    for _, event in written:
        match event:
            case ev.JobAdopted(holder=holder):
                changed["holder"] = holder
            case ev.JobRetried():
                changed |= {"holder": event.holder, "deadline_us": to_us(event.deadline_at)}
                changed |= {"state": str(JobState.RUNNING), "open": True, "needs_review": False}
            case ev.CallStarted() | ev.DeadlinePassed():
                changed["state"] = str(JobState.RUNNING)
            case ev.JobCompleted(verdict=verdict):
                changed["needs_review"] = verdict.needs_review
        if type(event) in _ENDED:
            changed["state"] = str(_ENDED[type(event)])
            changed["open"] = False
    return changed
