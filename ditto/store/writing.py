"""How appends become rows: many of them in a few statements, and one by one where one of them does not fit.

A batch is written together by one statement for each table. The index row of a job is moved only from the number that
the writer expects, so a writer that has been overtaken is seen by a row that was not there to be moved; the primary key
of `events` says the same for a new job, and stands behind both. Then the batch is undone, and each append is written
again in a savepoint of its own: what fails there fails alone. So it is with any other error that does not say that the
database itself is away: whatever is wrong with one append is no other job's concern.

Rows are written in the order of holders, keys, jobs, events, usage, and sorted, so that two processes never wait for
each other. Who takes a job over from another holder locks that one's lease first: it is found run out, or renewed, by
both alike.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Dialect, bindparam, exists, func, insert, select, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, ProgrammingError
from sqlalchemy.sql.dml import Update

from ditto.domain import events as ev
from ditto.domain.events import Event, encode
from ditto.errors import AppendConflict, KeyTaken, StoreError
from ditto.store import access_rows, tables
from ditto.store.port import Append, Claim
from ditto.store.tables import events, holders, jobs, keys, labels, to_us
from ditto.version import VERSION

T = TypeVar("T")
Row = dict[str, Any]
log = logging.getLogger("ditto.store")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """An append as the tables take it.

    Attributes:
        job: The index row of a new job.
        moved: What changes in the index row of a known one.
    """

    append: Append
    events: list[Row]
    job: Row | None
    moved: Row | None
    labels: list[Row]
    keys: list[Row]
    usage: list[Row]

    @classmethod
    def of(cls, append: Append) -> Rows:
        """Returns the rows; what cannot be encoded fails here, and not in the transaction of many."""
        job_id, first = append.job_id, append.events[0]
        is_new = isinstance(first[1], ev.JobAccepted)
        return cls(
            append=append,
            events=_event_rows(append),
            job=tables.new_row(job_id, first, append.events[1:]) if is_new else None,
            moved=None if is_new else _moved(append),
            labels=_label_rows(job_id, *first),
            keys=[] if append.claim is None else [_key_row(job_id, append.claim)],
            usage=access_rows.usage_rows(append),
        )


class Overtaken(Exception):
    """One of a batch found another event than the one it was to follow."""


class _Prepared:
    """A statement in one database's spelling, compiled once."""

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self._text = str(compiled)
        self._order: Sequence[str] | None = compiled.positiontup

    def run(self, connection: Connection, rows: list[Row]) -> int:
        """Returns how many rows were written."""
        if not rows:
            return 0
        order = self._order
        given: list[Any] = rows if order is None else [tuple(row[name] for name in order) for row in rows]
        return connection.exec_driver_sql(self._text, given).rowcount


class Writing:
    """Writes appends to one kind of database."""

    def __init__(self, dialect: Dialect) -> None:
        self._insert_event = _Prepared(insert(events), dialect)
        self._insert_job = _Prepared(insert(jobs), dialect)
        self._insert_label = _Prepared(insert(labels), dialect)
        self._insert_key = _Prepared(insert(keys), dialect)
        self._add_usage = _Prepared(access_rows.adding(dialect), dialect)
        self._touch = _Prepared(_update("state", "judged_us"), dialect)
        change = _update("state", "holder", "deadline_us", replaced=("ended_us", "needs_review", "judged_us"))
        self._change = _Prepared(change, dialect)
        self._take_over = _Prepared(change.where(~_LIVES), dialect)

    def together(self, connection: Connection, batch: Sequence[Rows]) -> None:
        """Writes all of them; after an error the transaction has to be undone.

        Raises:
            Overtaken, or what the database or its driver raises: One of them cannot be written.
        """
        batch = sorted(batch, key=lambda rows: rows.append.job_id)
        _lock_leases(connection, [rows.append.job_id for rows in batch if rows.append.unheld_at is not None])
        self._insert_key.run(connection, sorted((row for rows in batch for row in rows.keys), key=_key))
        self._insert_job.run(connection, [rows.job for rows in batch if rows.job is not None])
        self._insert_label.run(connection, [row for rows in batch for row in rows.labels])
        moved = [rows.moved for rows in batch if rows.moved is not None]
        taken_over = [row for row in moved if "b_unheld_us" in row]
        changed = [row for row in moved if "b_holder" in row and "b_unheld_us" not in row]
        touched = [row for row in moved if "b_holder" not in row]
        written = self._touch.run(connection, touched) + self._change.run(connection, changed)
        if written + self._take_over.run(connection, taken_over) != len(moved):
            raise Overtaken
        self._insert_event.run(connection, [row for rows in batch for row in rows.events])
        self._add_usage.run(connection, access_rows.summed(row for rows in batch for row in rows.usage))

    def alone(self, connection: Connection, rows: Rows) -> StoreError | None:
        """Writes one of them, or nothing and returns why; None too where this very append was written before."""
        job_id = rows.append.job_id
        written = apart(connection, lambda: self.together(connection, [rows]), f"an event of job {job_id}")
        if isinstance(written, Refused):
            return _refusal(connection, rows.append)
        return written


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """What was to be written does not follow on what is there."""


def apart(connection: Connection, work: Callable[[], T], what: str) -> T | Refused | StoreError:
    """Does a part of a transaction such that its failure leaves the rest; returns what came of it.

    Raises:
        DBAPIError: It is the database that failed, and not this part.
    """
    connection.exec_driver_sql("SAVEPOINT apart")
    result: T | Refused | StoreError
    try:
        result = work()
    except Exception as error:  # whatever it is, it must not end the others' jobs
        if is_of_the_store(error):
            raise
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT apart")
        if isinstance(error, Overtaken | IntegrityError):
            result = Refused()
        elif isinstance(error, StoreError):
            result = error
        else:
            cause = type(error.orig if isinstance(error, DBAPIError) else error).__name__
            log.error("not written", extra={"what": what, "reason": cause})
            result = StoreError(f"{what} cannot be kept: {cause}")
    connection.exec_driver_sql("RELEASE SAVEPOINT apart")
    return result


def is_of_the_store(error: Exception) -> bool:
    """Tells whether an error says that the database fails, and not that something does not fit into it."""
    if not isinstance(error, DBAPIError) or (isinstance(error, IntegrityError | DataError)):
        return False
    if isinstance(error, ProgrammingError | InterfaceError):  # the driver's own have no state: nothing reached a server
        return error.connection_invalidated or getattr(error.orig, "sqlstate", None) is not None
    return True


def _refusal(connection: Connection, append: Append) -> StoreError | None:
    """Returns why nothing was written, None where it was this very append that had been written before."""
    at_place = select(events.c.append_id).where(events.c.job_id == append.job_id, events.c.seq == append.after + 1)
    if connection.execute(at_place).scalar() == append.id:
        return None
    if append.claim is not None:
        same = (keys.c.tenant == append.claim.tenant) & (keys.c.key == append.claim.key)
        taken = connection.execute(select(keys).where(same)).first()
        if taken is not None and taken.job_id != append.job_id:
            return KeyTaken(taken.job_id, taken.fingerprint)
    why = f"another writer has appended to job {append.job_id}, or event {append.after} is not there"
    return AppendConflict(why if append.unheld_at is None else f"{why}, or its holder lives")


def _label_rows(job_id: str, at: datetime, first: Event) -> list[Row]:
    if not isinstance(first, ev.JobAccepted):
        return []
    return tables.label_rows(job_id, to_us(at), first.spec.metadata, first.spec.tenant)


def _key_row(job_id: str, claim: Claim) -> Row:
    return {"tenant": claim.tenant, "key": claim.key, "job_id": job_id, "fingerprint": claim.fingerprint}


def _event_rows(append: Append) -> list[Row]:
    return [
        {
            "job_id": append.job_id,
            "seq": append.after + place,
            "append_id": append.id,
            "at_us": to_us(at),
            "kind": written.kind,
            "version": VERSION,
            "body": encode(written),
        }
        for place, (at, written) in enumerate(append.events, start=1)
    ]


def _moved(append: Append) -> Row:
    """Returns what the statements of `_update` take; only what changes more than the state names a holder."""
    changed: Row = {}
    for dated in append.events:
        changed |= tables.changes(dated)
    row = {
        "b_job_id": append.job_id,
        "b_after": append.after,
        "b_seq": append.after + len(append.events),
        "b_updated_us": changed["updated_us"],
        "b_state": changed.get("state"),
        "b_judged_us": changed.get("judged_us"),
    }
    if changed.keys() <= {"updated_us", "state", "judged_us"}:
        return row
    if append.unheld_at is not None:
        row["b_unheld_us"] = to_us(append.unheld_at)
    return row | {
        "b_holder": changed.get("holder"),
        "b_deadline_us": changed.get("deadline_us"),
        "b_ended_us": changed.get("ended_us"),
        "b_needs_review": changed.get("needs_review", False),
    }


_LIVES = exists().where(holders.c.name == jobs.c.holder, holders.c.expires_us >= bindparam("b_unheld_us"))


def _lock_leases(connection: Connection, job_ids: list[str]) -> None:
    """Has the leases of these jobs' holders stay as they are until the transaction ends."""
    if job_ids:
        of_these = select(jobs.c.holder).where(jobs.c.job_id.in_(job_ids))
        leases = select(holders.c.name).where(holders.c.name.in_(of_these)).order_by(holders.c.name)
        connection.execute(leases.with_for_update(read=True)).all()


def _update(*kept: str, replaced: tuple[str, ...] = ()) -> Update:
    """Returns the update of an index row; a column of `kept` keeps its value where None is given."""
    values: dict[str, Any] = {name: bindparam(f"b_{name}", type_=jobs.c[name].type) for name in ("seq", "updated_us")}
    for name in kept:
        values[name] = func.coalesce(bindparam(f"b_{name}", type_=jobs.c[name].type), jobs.c[name])
    values |= {name: bindparam(f"b_{name}", type_=jobs.c[name].type) for name in replaced}
    place = (jobs.c.job_id == bindparam("b_job_id")) & (jobs.c.seq == bindparam("b_after"))
    return update(jobs).where(place).values(values)


def _key(row: Row) -> tuple[str, str]:
    return row["tenant"], row["key"]
