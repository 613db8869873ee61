"""The journal in one SQLite file that any number of processes on one machine share.

Write-ahead log, `synchronous=FULL`: an append that returned survives a power cut. Each process writes through one
thread (see `group_commit`) and reads through another. The file's mode is 0600.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from sqlalchemy import (
    Connection,
    Engine,
    Text,
    case,
    cast,
    create_engine,
    delete,
    event,
    exists,
    func,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.pool import NullPool

from ditto.domain import events as ev
from ditto.domain.events import Recorded, decode, encode
from ditto.domain.job import JobState
from ditto.errors import (
    AppendConflict,
    ConfigurationError,
    JournalUnreadable,
    KeyTaken,
    StaleEpoch,
    StoreError,
    StoreUnavailable,
)
from ditto.store import folders, tables
from ditto.store.group_commit import GroupCommit
from ditto.store.port import Append, Filter, JobRow, RowPage
from ditto.store.tables import events, from_us, holders, jobs, keys, to_us
from ditto.version import VERSION

T = TypeVar("T")
_BUSY_MS = 30_000
_INSERT_EVENT = "INSERT INTO events (job_id, seq, append_id, at_us, kind, version, body) VALUES (?, ?, ?, ?, ?, ?, ?)"


class SqliteJournal:
    """A `Journal` on a local file.

    Args:
        path: Created with its folder where it is missing.

    Raises:
        ConfigurationError: The file is no journal, or a newer version's.
        StoreUnavailable: The file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine = _open(path)
        self._writer_connection: Connection | None = None
        self._writer: GroupCommit[_Write, Any] = GroupCommit(self._write)
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ditto-journal-reader")
        self._reader_connection: Connection | None = None

    async def append(self, append: Append) -> None:
        rows = _Rows.of(append)  # what cannot be encoded fails here, and not in the transaction of many
        await self._writer.put(
            _Write(run=lambda connection: _append(connection, rows), lost=lambda connection: _lost(connection, append))
        )

    async def read(self, job_id: str, after: int = 0) -> list[Recorded]:
        query = (
            select(events.c.seq, events.c.at_us, events.c.body)
            .where(events.c.job_id == job_id, events.c.seq > after)
            .order_by(events.c.seq)
        )
        rows = await self._query(lambda connection: connection.execute(query).all())
        return [_recorded(job_id, row) for row in rows]

    async def row(self, job_id: str) -> JobRow | None:
        found = await self._query(lambda connection: connection.execute(_rows().where(jobs.c.job_id == job_id)).first())
        return None if found is None else _row(found)

    async def keyed(self, key: str) -> tuple[str, str] | None:
        query = select(keys.c.job_id, keys.c.fingerprint).where(keys.c.key == key)
        found = await self._query(lambda connection: connection.execute(query).first())
        return None if found is None else (found.job_id, found.fingerprint)

    async def page(self, wanted: Filter, limit: int, cursor: str | None) -> RowPage:
        query = _rows().add_columns(jobs.c.created_us).order_by(jobs.c.created_us.desc(), jobs.c.job_id.desc())
        if wanted.state is not None:
            query = query.where(jobs.c.state == str(wanted.state))
        if wanted.needs_review is not None:
            query = query.where(jobs.c.needs_review == wanted.needs_review)
        for key, value in wanted.metadata.items():
            path = f"$.{_quoted(key)}"
            query = query.where(_json_text(path) == value)
        if cursor is not None:
            created_us, _, job_id = cursor.partition("-")
            to_us(from_us(int(created_us)))  # a number that is no moment raises here
            query = query.where(tuple_(jobs.c.created_us, jobs.c.job_id) < (int(created_us), job_id))
        rows = await self._query(lambda connection: connection.execute(query.limit(limit + 1)).all())
        shown = rows[:limit]
        more = f"{shown[-1].created_us}-{shown[-1].job_id}" if len(rows) > limit else None
        return RowPage(rows=tuple(_row(row) for row in shown), cursor=more)

    async def held(self, holder: str) -> list[JobRow]:
        query = _rows().where(jobs.c.holder == holder, jobs.c.open).order_by(jobs.c.created_us)
        rows = await self._query(lambda connection: connection.execute(query).all())
        return [_row(row) for row in rows]

    async def orphans(self, now: datetime, quiet_since: datetime) -> list[JobRow]:
        living = select(holders.c.name).where(holders.c.expires_us >= to_us(now))
        query = (
            _rows()
            .where(jobs.c.open, jobs.c.holder.not_in(living), jobs.c.updated_us < to_us(quiet_since))
            .order_by(jobs.c.created_us)
        )
        rows = await self._query(lambda connection: connection.execute(query).all())
        return [_row(row) for row in rows]

    async def begin_epoch(self, holder: str) -> int:
        statement = (
            upsert(holders)
            .values(name=holder, epoch=1, expires_us=0)
            .on_conflict_do_update(index_elements=["name"], set_={"epoch": holders.c.epoch + 1})
            .returning(holders.c.epoch)
        )
        epoch: int = await self._writer.put(_Write(run=lambda connection: connection.execute(statement).scalar_one()))
        return epoch

    async def renew(self, holder: str, epoch: int, until: datetime) -> None:
        statement = (
            update(holders).where(holders.c.name == holder, holders.c.epoch == epoch).values(expires_us=to_us(until))
        )
        renewed = await self._writer.put(_Write(run=lambda connection: connection.execute(statement).rowcount))
        if renewed == 0:
            raise StaleEpoch(f"{holder} has begun a later epoch than {epoch}")

    async def release(self, holder: str, epoch: int) -> None:
        statement = update(holders).where(holders.c.name == holder, holders.c.epoch == epoch).values(expires_us=0)
        await self._writer.put(_Write(run=lambda connection: connection.execute(statement).rowcount))

    async def forget(self, job_id: str) -> bool:
        forgotten: bool = await self._writer.put(_Write(run=lambda connection: _forget(connection, job_id)))
        return forgotten

    async def expire(self, before: datetime, limit: int) -> int:
        removed: int = await self._writer.put(_Write(run=lambda connection: _expire(connection, to_us(before), limit)))
        return removed

    async def purge(self) -> bool:
        return await self._query(lambda connection: _truncate_log(connection))

    async def job_ids(self, after: str, limit: int) -> list[str]:
        query = select(jobs.c.job_id).where(jobs.c.job_id > after).order_by(jobs.c.job_id).limit(limit)
        return await self._query(lambda connection: list(connection.execute(query).scalars()))

    async def check(self) -> None:
        statement = update(holders).where(holders.c.name == "").values(expires_us=0)
        await self._writer.put(_Write(run=lambda connection: connection.execute(statement).rowcount))

    async def close(self) -> None:
        await self._writer.close()
        await asyncio.to_thread(self._reader.shutdown)
        for connection in (self._writer_connection, self._reader_connection):
            if connection is not None:
                connection.close()
        self._engine.dispose()

    async def _query(self, query: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._run_query, query)

    def _run_query(self, query: Callable[[Connection], T]) -> T:
        try:
            if self._reader_connection is None:
                self._reader_connection = self._engine.connect()
            return query(self._reader_connection)
        except DatabaseError as error:
            if self._reader_connection is not None:
                self._reader_connection.close()
                self._reader_connection = None
            raise _unavailable(self._path, error) from error

    def _write(self, batch: list[_Write]) -> list[Any]:
        try:
            if self._writer_connection is None:
                self._writer_connection = self._engine.connect()
            return _committed(self._writer_connection, batch)
        except DatabaseError as error:
            if self._writer_connection is not None:
                self._writer_connection.close()
                self._writer_connection = None
            return [_unavailable(self._path, error)] * len(batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Write:
    """What the writer's thread is asked to do.

    Attributes:
        run: Writes and returns the answer.
        lost: What a broken constraint means: returns the answer or the error.
    """

    run: Callable[[Connection], Any]
    lost: Callable[[Connection], Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """An append as the tables take it: its events, the job's row if it is new, else what changes in it."""

    append: Append
    events: list[tuple[str, int, str, int, str, str, bytes]]
    new_row: dict[str, Any] | None
    changes: dict[str, Any] | None

    @classmethod
    def of(cls, append: Append) -> _Rows:
        at, first = append.events[0]
        rest = append.events[1:] if isinstance(first, ev.JobAccepted) else append.events
        return cls(
            append=append,
            events=[
                (append.job_id, append.after + place, append.id, to_us(at), written.kind, VERSION, encode(written))
                for place, (at, written) in enumerate(append.events, start=1)
            ],
            new_row=tables.new_row(append.job_id, at, first) if isinstance(first, ev.JobAccepted) else None,
            changes=tables.changes(rest) if rest else None,
        )


def _open(path: Path) -> Engine:
    try:
        folders.make(path.parent)
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"{path}: {error.strerror}") from error
    engine = create_engine(
        f"sqlite:///{path}",
        isolation_level="AUTOCOMMIT",
        poolclass=NullPool,
        connect_args={"timeout": _BUSY_MS / 1000, "check_same_thread": False},
    )
    event.listen(engine, "connect", _configure)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            _migrate(connection, path)
            connection.exec_driver_sql("COMMIT")
    except DatabaseError as error:
        if "not a database" in str(error.orig):
            raise ConfigurationError(f"{path} is no journal of Ditto's: {error.orig}; it was left untouched") from error
        raise _unavailable(path, error) from error
    return engine


def _configure(connection: Any, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", f"busy_timeout={_BUSY_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _migrate(connection: Connection, path: Path) -> None:
    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    if version > tables.SCHEMA_VERSION:
        raise ConfigurationError(
            f"{path} was written by a newer Ditto (schema {version}, this one knows {tables.SCHEMA_VERSION})"
        )
    if version == tables.SCHEMA_VERSION:
        return
    if version == 0:
        tables.metadata.create_all(connection)
    if version == 1:
        _add_versions_and_deadlines(connection)
    connection.exec_driver_sql(f"PRAGMA user_version={tables.SCHEMA_VERSION}")


def _add_versions_and_deadlines(connection: Connection) -> None:
    """Schema 1 to 2."""
    connection.exec_driver_sql("ALTER TABLE events ADD COLUMN version VARCHAR NOT NULL DEFAULT ''")
    connection.exec_driver_sql("ALTER TABLE jobs ADD COLUMN deadline_us BIGINT NOT NULL DEFAULT 0")
    connection.exec_driver_sql("ALTER TABLE jobs ADD COLUMN batch TEXT")
    for index in (*jobs.indexes, *keys.indexes):
        index.create(connection, checkfirst=True)
    accepted = connection.exec_driver_sql(
        "SELECT jobs.job_id, body, metadata FROM jobs JOIN events ON events.job_id = jobs.job_id AND seq = 1"
    )
    for job_id, body, metadata in accepted.all():
        deadline_at = datetime.fromisoformat(json.loads(body)["spec"]["deadline_at"])
        values = {"deadline_us": to_us(deadline_at), "batch": tables.batch(json.loads(metadata))}
        connection.execute(update(jobs).where(jobs.c.job_id == job_id).values(values))


def _committed(connection: Connection, batch: list[_Write]) -> list[Any]:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        results = [_in_savepoint(connection, item) for item in batch]
        connection.exec_driver_sql("COMMIT")
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise
    return results


def _in_savepoint(connection: Connection, item: _Write) -> Any:
    """Runs one item such that its failure undoes nothing but itself."""
    connection.exec_driver_sql("SAVEPOINT item")
    try:
        result = item.run(connection)
    except (IntegrityError, StoreError) as error:
        connection.exec_driver_sql("ROLLBACK TO item")
        connection.exec_driver_sql("RELEASE item")
        return error if isinstance(error, StoreError) or item.lost is None else item.lost(connection)
    connection.exec_driver_sql("RELEASE item")
    return result


def _append(connection: Connection, rows: _Rows) -> None:
    append = rows.append
    if append.after > 0:
        last = connection.exec_driver_sql("SELECT max(seq) FROM events WHERE job_id = ?", (append.job_id,)).scalar()
        if last is None or last < append.after:
            raise AppendConflict(f"job {append.job_id} has no event {append.after} to append to")
    connection.exec_driver_sql(_INSERT_EVENT, rows.events)
    if rows.new_row is not None:
        connection.execute(insert(jobs).values(rows.new_row))
    if append.claim is not None:
        _claim(connection, append)
    if rows.changes is not None:
        connection.execute(update(jobs).where(jobs.c.job_id == append.job_id).values(rows.changes))


def _claim(connection: Connection, append: Append) -> None:
    assert append.claim is not None
    taken = connection.execute(select(keys).where(keys.c.key == append.claim.key)).first()
    if taken is not None:
        raise KeyTaken(taken.job_id, taken.fingerprint)
    connection.execute(
        insert(keys).values(key=append.claim.key, job_id=append.job_id, fingerprint=append.claim.fingerprint)
    )


def _lost(connection: Connection, append: Append) -> AppendConflict | None:
    """Returns the conflict, or nothing where it was this very append that had been written before."""
    query = select(events.c.append_id).where(events.c.job_id == append.job_id, events.c.seq == append.after + 1)
    if connection.execute(query).scalar() == append.id:
        return None
    return AppendConflict(f"another writer has appended to job {append.job_id} after event {append.after}")


def _forget(connection: Connection, job_id: str) -> bool:
    if connection.execute(select(jobs.c.open).where(jobs.c.job_id == job_id)).scalar():
        return False
    for table in (events, keys, jobs):
        connection.execute(delete(table).where(table.c.job_id == job_id))
    return True


def _expire(connection: Connection, before_us: int, limit: int) -> int:
    kept = jobs.alias()
    unfinished = exists().where(kept.c.batch == jobs.c.batch, kept.c.open | (kept.c.updated_us >= before_us))
    query = select(jobs.c.job_id).where(~jobs.c.open, jobs.c.updated_us < before_us, ~unfinished)
    gone = connection.execute(query.order_by(jobs.c.updated_us, jobs.c.job_id).limit(limit)).scalars().all()
    return sum(_forget(connection, job_id) for job_id in gone)


def _truncate_log(connection: Connection) -> bool:
    busy: int = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
    return busy == 0


def _recorded(job_id: str, row: Any) -> Recorded:
    try:
        return Recorded(seq=row.seq, at=from_us(row.at_us), event=decode(row.body))
    except ValidationError as error:
        raise JournalUnreadable(f"event {row.seq} of job {job_id} is none that this version knows") from error


def _rows() -> Any:
    return select(jobs.c.job_id, jobs.c.state, jobs.c.holder, jobs.c.updated_us, jobs.c.deadline_us)


def _row(row: Any) -> JobRow:
    return JobRow(
        job_id=row.job_id,
        state=JobState(row.state),
        holder=row.holder,
        updated_at=from_us(row.updated_us),
        deadline_at=from_us(row.deadline_us),
    )


def _json_text(path: str) -> Any:
    kind = func.json_type(jobs.c.metadata, path)
    return case(
        (kind == "true", "true"), (kind == "false", "false"), else_=cast(func.json_extract(jobs.c.metadata, path), Text)
    )


def _quoted(key: str) -> str:
    return '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unavailable(path: Path, error: DatabaseError) -> StoreUnavailable:
    return StoreUnavailable(f"the journal {path} cannot be used: {error.orig}")
