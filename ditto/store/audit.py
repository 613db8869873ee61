"""Whether a store is in order: the files of its database, each journal, and the index against what they fold to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Table, exists, select
from sqlalchemy.exc import DBAPIError

from ditto.domain.events import FeedbackGiven
from ditto.domain.job import Completed, Job, fold
from ditto.errors import IllegalMove, JournalUnreadable
from ditto.store.database import Database
from ditto.store.journal import recorded
from ditto.store.tables import batch_of, events, jobs, keys, label_rows, labels, to_us

_PAGE_JOBS = 200


class Audit:
    """Looks at a store, which may be in use; `jobs` counts those that were looked at so far."""

    def __init__(self, database: Database) -> None:
        self.jobs = 0
        self._database = database

    def faults(self) -> Iterator[str]:
        """Yields what is wrong, a line each.

        Raises:
            StoreUnavailable: The store cannot be read.
        """
        try:
            yield from self._database.faults()
            yield from self._strays()
            after = ""
            while page := self._page(after):
                for found in page.values():
                    yield from found
                self.jobs += len(page)
                after = list(page)[-1]
        except DBAPIError as error:
            raise self._database.unavailable(error) from error

    def _page(self, after: str) -> dict[str, list[str]]:
        """Returns what is wrong with the next jobs, all of them seen at one moment."""
        with self._database.engine.connect() as connection:
            self._begin(connection)
            query = select(jobs).where(jobs.c.job_id > after).order_by(jobs.c.job_id).limit(_PAGE_JOBS)
            return {row.job_id: list(_job_faults(connection, row)) for row in connection.execute(query).all()}

    def _strays(self) -> Iterator[str]:
        with self._database.engine.connect() as connection:
            self._begin(connection)
            for table in (events, keys, labels):
                for job_id in connection.execute(_without_job(table)).scalars():
                    yield f"job {job_id} is not in the index, but in the table {table.name}"

    def _begin(self, connection: Connection) -> None:
        for statement in self._database.begin_reading:
            connection.exec_driver_sql(statement)


def _without_job(table: Table) -> Any:
    known = exists().where(jobs.c.job_id == table.c.job_id)
    return select(table.c.job_id).where(~known).distinct()


def _job_faults(connection: Connection, row: Any) -> Iterator[str]:
    query = select(events).where(events.c.job_id == row.job_id).order_by(events.c.seq)
    try:
        records = [recorded(row.job_id, found) for found in connection.execute(query)]
        job = fold(row.job_id, records)
    except JournalUnreadable as error:
        yield str(error)
        return
    except IllegalMove as error:
        yield f"job {row.job_id} does not fold: {error}"
        return
    said = [to_us(record.at) for record in records if isinstance(record.event, FeedbackGiven)]
    for column, value in (_expected(job) | {"judged_us": None if job.feedback is None else said[-1]}).items():
        found = getattr(row, column)
        if found != value:
            yield f"job {job.id}: the index has {column} {found!r}, its events say {value!r}"
    found = connection.execute(select(labels).where(labels.c.job_id == job.id))
    wanted = label_rows(job.id, to_us(job.accepted_at), job.spec.metadata, job.spec.tenant)
    if {tuple(row) for row in found} != {tuple(row.values()) for row in wanted}:
        yield f"job {job.id}: it cannot be found by its metadata"
    for tenant in connection.execute(select(keys.c.tenant).where(keys.c.job_id == job.id)).scalars():
        if tenant != job.spec.tenant:
            yield f"job {job.id}: one of its keys is tenant {tenant}'s, and the job {job.spec.tenant}'s"


def _expected(job: Job) -> dict[str, Any]:
    """Returns what the index has to say of a job."""
    return {
        "seq": job.seq,
        "state": str(job.state),
        "holder": job.holder,
        "created_us": to_us(job.accepted_at),
        "updated_us": to_us(job.updated_at),
        "deadline_us": to_us(job.spec.deadline_at),
        "ended_us": None if job.ended_at is None else to_us(job.ended_at),
        "needs_review": isinstance(job.outcome, Completed) and job.outcome.verdict.needs_review,
        "batch": batch_of(job.spec),
        "tenant": job.spec.tenant,
    }
