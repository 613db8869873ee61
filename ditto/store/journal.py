"""The journal in an SQL database: one implementation for SQLite and PostgreSQL.

Each process writes through one thread, which commits in groups (see `group_commit`), and reads through another. The
writer's connection is dropped after an error and made anew at the next write, so that what was away comes back by
itself. What nobody has foreseen counts as the store being away, unless it is one append's own: see `writing`.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from pydantic import ValidationError
from sqlalchemy import Connection, exists, select, text, tuple_, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ditto.domain.events import Recorded, decode
from ditto.domain.job import JobState
from ditto.domain.tenants import DEFAULT
from ditto.errors import AppendConflict, JournalUnreadable, StaleEpoch, StoreUnavailable
from ditto.store import book, removing
from ditto.store.access_rows import SqlAccess
from ditto.store.database import Database
from ditto.store.group_commit import GroupCommit
from ditto.store.port import Append, Filter, JobRow, Learned, RowPage
from ditto.store.tables import events, from_us, holders, jobs, keys, label, labels, to_us
from ditto.store.writing import Refused, Rows, Writing, apart, is_of_the_store

T = TypeVar("T")
log = logging.getLogger("ditto.store")

QUERY_S = 10.0
"""How long the database may take for a query."""
READ_S = 15.0
"""How long a read may take with all that it waits for; a database that is silent for so long is away."""
WRITE_S = 30.0
"""How long a batch of writes may take; then another connection finds out what has become of it."""
_PROBE = ""
"""The holder's name under which `check` writes."""

_NEXT_EPOCH = text(
    "INSERT INTO holders (name, epoch, expires_us) VALUES (:name, 1, 0) "
    "ON CONFLICT (name) DO UPDATE SET epoch = holders.epoch + 1 RETURNING epoch"
)
_CLAIMED_EPOCH = text(
    "INSERT INTO holders (name, epoch, expires_us) VALUES (:name, 1, :until_us) "
    "ON CONFLICT (name) DO UPDATE SET epoch = holders.epoch + 1, expires_us = :until_us "
    "WHERE holders.expires_us < :now_us RETURNING epoch"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Write:
    """Anything but an append that the writer's thread is asked to do."""

    run: Callable[[Connection], Any]


class SqlJournal:
    """A `Journal` in an opened database, which it closes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writing = Writing(database.engine.dialect)
        self._writer_connection: Connection | None = None
        self._writer: GroupCommit[Rows | _Write, Any] = GroupCommit(self._write)
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ditto-journal-reader")
        self._reader_connection: Connection | None = None
        self.access = SqlAccess(self._query, lambda run: self._put(_Write(run=run)))
        self.commits = 0
        self._reading_since_s = self._writing_since_s = math.inf

    async def append(self, append: Append) -> None:
        await self._put(Rows.of(append))

    async def read(self, job_id: str, after: int = 0, limit: int | None = None) -> list[Recorded]:
        query = (
            select(events.c.seq, events.c.at_us, events.c.version, events.c.body)
            .where(events.c.job_id == job_id, events.c.seq > after)
            .order_by(events.c.seq)
            .limit(limit)
        )
        rows = await self._query(lambda connection: connection.execute(query).all())
        return [recorded(job_id, row) for row in rows]

    async def row(self, job_id: str) -> JobRow | None:
        found = await self._query(lambda connection: connection.execute(_rows().where(jobs.c.job_id == job_id)).first())
        return None if found is None else _row(found)

    async def keyed(self, key: str, tenant: str = DEFAULT) -> tuple[str, str] | None:
        query = select(keys.c.job_id, keys.c.fingerprint).where(keys.c.tenant == tenant, keys.c.key == key)
        found = await self._query(lambda connection: connection.execute(query).first())
        return None if found is None else (found.job_id, found.fingerprint)

    async def page(self, wanted: Filter, limit: int, cursor: str | None) -> RowPage:
        query = _listed(wanted, cursor)
        rows = await self._query(lambda connection: connection.execute(query.limit(limit + 1)).all())
        shown = rows[:limit]
        more = f"{shown[-1].created_us}-{shown[-1].job_id}" if len(rows) > limit else None
        return RowPage(rows=tuple(_known(shown)), cursor=more)

    async def held(self, holder: str) -> list[JobRow]:
        query = _rows().where(jobs.c.holder == holder, jobs.c.ended_us.is_(None)).order_by(jobs.c.created_us)
        return list(_known(await self._query(lambda connection: connection.execute(query).all())))

    async def orphans(self, now: datetime, quiet_since: datetime) -> list[JobRow]:
        living = select(holders.c.name).where(holders.c.expires_us >= to_us(now))
        query = (
            _rows()
            .add_columns(jobs.c.created_us)
            .where(jobs.c.ended_us.is_(None), jobs.c.holder.not_in(living), jobs.c.updated_us < to_us(quiet_since))
        )
        rows = await self._query(lambda connection: connection.execute(query).all())
        # Ordered here: for the sake of an order SQLite would read every job there ever was, and not the open ones.
        return list(_known(sorted(rows, key=lambda row: (row.created_us, row.job_id))))

    async def begin_epoch(self, holder: str) -> int:
        epoch: int = await self._put(
            _Write(run=lambda connection: connection.execute(_NEXT_EPOCH, {"name": holder}).scalar_one())
        )
        return epoch

    async def claim(self, holder: str, now: datetime, until: datetime) -> int | None:
        given = {"name": holder, "now_us": to_us(now), "until_us": to_us(until)}
        epoch: int | None = await self._put(
            _Write(run=lambda connection: connection.execute(_CLAIMED_EPOCH, given).scalar_one_or_none())
        )
        return epoch

    async def renew(self, holder: str, epoch: int, until: datetime) -> None:
        if not await self._put(_Write(run=lambda connection: _lease(connection, holder, epoch, to_us(until)))):
            raise StaleEpoch(f"{holder} has begun a later epoch than {epoch}")

    async def release(self, holder: str, epoch: int) -> None:
        await self._put(_Write(run=lambda connection: _lease(connection, holder, epoch, 0)))

    async def forget(self, job_id: str) -> bool:
        def run(connection: Connection) -> bool:
            found = select(jobs.c.ended_us).where(jobs.c.job_id == job_id).with_for_update()
            row = connection.execute(found).first()
            if row is None or row.ended_us is None:
                return row is None
            removing.remove(connection, [job_id])
            self._database.removed(connection, [job_id])
            return True

        forgotten: bool = await self._put(_Write(run=run))
        return forgotten

    async def expire(self, before: datetime, limit: int) -> int:
        gone = await self._query(lambda connection: removing.expired(connection, to_us(before), limit))
        if not gone:
            return 0
        removed: int = await self._put(_Write(run=lambda connection: removing.expire(connection, to_us(before), gone)))
        return removed

    async def purge(self) -> bool:
        return await asyncio.to_thread(self._purge)

    async def job_ids(self, after: str, limit: int) -> list[str]:
        query = select(jobs.c.job_id).where(jobs.c.job_id > after).order_by(jobs.c.job_id).limit(limit)
        return await self._query(lambda connection: list(connection.execute(query).scalars()))

    async def completed(self, since: datetime, limit: int) -> list[tuple[datetime, str]]:
        query = (
            select(jobs.c.ended_us, jobs.c.job_id)
            .where(jobs.c.ended_us > to_us(since), jobs.c.state == str(JobState.COMPLETE))
            .order_by(jobs.c.ended_us.desc())
            .limit(limit)
        )
        rows = await self._query(lambda connection: connection.execute(query).all())
        return [(from_us(row.ended_us), row.job_id) for row in reversed(rows)]

    async def judged(self, since: datetime, limit: int) -> list[tuple[datetime, str]]:
        query = (
            select(jobs.c.judged_us, jobs.c.job_id)
            .where(jobs.c.judged_us > to_us(since), jobs.c.state == str(JobState.COMPLETE))
            .order_by(jobs.c.judged_us.desc())
            .limit(limit)
        )
        rows = await self._query(lambda connection: connection.execute(query).all())
        return [(from_us(row.judged_us), row.job_id) for row in reversed(rows)]

    async def learned(self) -> Learned:
        return await self._query(book.newest)

    async def learn(self, learned: Learned) -> None:
        if not await self._put(_Write(run=lambda connection: book.keep(connection, learned))):
            raise AppendConflict(f"skills of version {learned.skills.version} or later are there already")

    async def check(self) -> None:
        self._database.check_room()
        await self._put(_Write(run=lambda connection: connection.execute(_NEXT_EPOCH, {"name": _PROBE}).scalar_one()))

    async def close(self) -> None:
        await self._writer.close()
        await asyncio.to_thread(self._reader.shutdown)
        for connection in (self._writer_connection, self._reader_connection):
            if connection is not None:
                connection.close()
        self._database.close()

    def _purge(self) -> bool:
        try:
            return self._database.purge()
        except DBAPIError as error:
            raise self._database.unavailable(error) from error

    async def _put(self, item: Rows | _Write) -> Any:
        loop = asyncio.get_running_loop()
        looking = loop.call_later(WRITE_S, lambda: look())

        def look() -> None:
            nonlocal looking
            self._cut_if_silent(self._writer_connection, self._writing_since_s, WRITE_S)
            looking = loop.call_later(WRITE_S, look)

        try:
            return await self._writer.put(item)
        finally:
            looking.cancel()

    def _cut_if_silent(self, connection: Connection | None, since_s: float, limit_s: float) -> None:
        if connection is not None and time.monotonic() - since_s >= limit_s / 2:
            self._database.cut(connection)

    async def _query(self, query: Callable[[Connection], T]) -> T:
        try:
            async with asyncio.timeout(READ_S):
                return await asyncio.get_running_loop().run_in_executor(self._reader, self._run_query, query)
        except TimeoutError:
            self._cut_if_silent(self._reader_connection, self._reading_since_s, READ_S)
            raise StoreUnavailable(f"the journal has not answered for {READ_S:.0f} seconds") from None

    def _run_query(self, query: Callable[[Connection], T]) -> T:
        self._reading_since_s = time.monotonic()
        try:
            return self._on_reader(query)
        except DBAPIError as error:
            if not self._database.is_lost(error):
                raise self._database.unavailable(error) from error
        self._reading_since_s = time.monotonic()
        try:
            return self._on_reader(query)
        except DBAPIError as error:
            raise self._database.unavailable(error) from error

    def _on_reader(self, query: Callable[[Connection], T]) -> T:
        try:
            if self._reader_connection is None:
                self._reader_connection = self._database.engine.connect()
                self._database.limit_queries(self._reader_connection, QUERY_S)
            return query(self._reader_connection)
        except DBAPIError:
            if self._reader_connection is not None:
                self._reader_connection.close()
                self._reader_connection = None
            raise

    def _write(self, batch: list[Rows | _Write]) -> list[Any]:
        """Returns the answer or the error of each.

        After the loss of a connection it is tried once more: what was committed all the same is found to be written.
        """
        self._writing_since_s = time.monotonic()
        try:
            return self._on_writer(batch)
        except Exception as error:  # noqa: BLE001  # every waiter must hear of it, and the thread live on
            if not isinstance(error, DBAPIError) or not self._database.is_lost(error):
                return [self._away(error)] * len(batch)
        self._writing_since_s = time.monotonic()
        try:
            return self._on_writer(batch)
        except Exception as error:  # noqa: BLE001  # likewise
            return [self._away(error)] * len(batch)

    def _away(self, error: Exception) -> StoreUnavailable:
        if isinstance(error, DBAPIError):
            return self._database.unavailable(error)
        log.error("the journal stumbled", exc_info=error)
        return StoreUnavailable(f"the journal cannot be used: {type(error).__name__}; the log says more")

    def _on_writer(self, batch: list[Rows | _Write]) -> list[Any]:
        try:
            if self._writer_connection is None:
                self._writer_connection = self._database.engine.connect()
            connection = self._writer_connection
            try:
                return self._committed(connection, lambda: self._together(connection, batch))
            except Exception as error:  # one of them may be at fault
                if is_of_the_store(error):
                    raise
                return self._committed(connection, lambda: [self._alone(connection, item) for item in batch])
        except Exception:  # raised on
            self._drop_writer()
            raise

    def _drop_writer(self) -> None:
        connection, self._writer_connection = self._writer_connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):  # it may be gone already
                connection.close()

    def _committed(self, connection: Connection, work: Callable[[], list[Any]]) -> list[Any]:
        connection.exec_driver_sql(self._database.begin)
        try:
            results = work()
            connection.exec_driver_sql("COMMIT")
        except BaseException:  # raised on
            with suppress(SQLAlchemyError):  # the database may have undone it by itself, or be gone
                connection.exec_driver_sql("ROLLBACK")
            raise
        self.commits += 1
        return results

    def _together(self, connection: Connection, batch: list[Rows | _Write]) -> list[Any]:
        results = [item.run(connection) if isinstance(item, _Write) else None for item in batch]
        self._writing.together(connection, [item for item in batch if isinstance(item, Rows)])
        return results

    def _alone(self, connection: Connection, item: Rows | _Write) -> Any:
        if isinstance(item, Rows):
            return self._writing.alone(connection, item)
        done = apart(connection, lambda: item.run(connection), "a change")
        if isinstance(done, Refused):
            return StoreUnavailable("another process has changed the same at the same time")
        return done


def recorded(job_id: str, row: Any) -> Recorded:
    """Returns the event in a row of `events`.

    Raises:
        JournalUnreadable: It is none that this version knows.
    """
    try:
        return Recorded(seq=row.seq, at=from_us(row.at_us), event=decode(row.body))
    except ValidationError as error:
        author = f"version {row.version}" if row.version else "an early version"
        raise JournalUnreadable(
            f"event {row.seq} of job {job_id}, written by {author}, is none that this version knows"
        ) from error


def _listed(wanted: Filter, cursor: str | None) -> Any:
    """Returns the query for jobs, newest first; where a label is wanted, its own order leads to them.

    A label is one tenant's, so it leads to no other's jobs.
    """
    sought = [label(key, value, wanted.tenant) for key, value in wanted.metadata.items()]
    place = (labels.c.created_us, labels.c.job_id) if sought else (jobs.c.created_us, jobs.c.job_id)
    query = _rows().add_columns(jobs.c.created_us).order_by(*(column.desc() for column in place))
    if sought:
        query = query.join(labels, labels.c.job_id == jobs.c.job_id).where(labels.c.label == sought[0])
    else:
        query = query.where(jobs.c.tenant == wanted.tenant)
    for more in sought[1:]:
        other = labels.alias()
        query = query.where(exists().where(other.c.label == more, other.c.job_id == jobs.c.job_id))
    if wanted.state is not None:
        query = query.where(jobs.c.state == str(wanted.state))
    if wanted.needs_review is not None:
        query = query.where(jobs.c.needs_review == wanted.needs_review)
    if cursor is not None:
        created_us, _, job_id = cursor.partition("-")
        to_us(from_us(int(created_us)))  # a number that is no moment raises here
        query = query.where(tuple_(*place) < (int(created_us), job_id))
    return query


def _lease(connection: Connection, holder: str, epoch: int, until_us: int) -> int:
    lease = update(holders).where(holders.c.name == holder, holders.c.epoch == epoch).values(expires_us=until_us)
    return connection.execute(lease).rowcount


def _rows() -> Any:
    shown = ("job_id", "state", "holder", "updated_us", "deadline_us", "tenant")
    return select(*(jobs.c[name] for name in shown))


def _known(rows: Iterable[Any]) -> Iterable[JobRow]:
    """Yields the rows whose state this version knows: what a later one wrote holds no other job up."""
    return (_row(row) for row in rows if row.state in _STATES)


_STATES = frozenset(str(state) for state in JobState)


def _row(row: Any) -> JobRow:
    if row.state not in _STATES:
        raise JournalUnreadable(f"job {row.job_id} is in the state {row.state!r}, which this version does not know")
    return JobRow(
        job_id=row.job_id,
        state=JobState(row.state),
        holder=row.holder,
        updated_at=from_us(row.updated_us),
        deadline_at=from_us(row.deadline_us),
        tenant=row.tenant,
    )
