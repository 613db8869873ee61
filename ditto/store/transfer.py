"""A whole store as lines of JSON: out of one, and into another.

The first line says what this is, the last how much it was, so that a file that was cut off is known. Between them stand
the holders' epochs, what was learned of the models, the tenants with the hashes of their keys and what they have used,
and for each job its events in order and the keys that name it. An event's own JSON goes over as it is, also one that
only a later version knows. What is written is one state of the store, whatever goes on meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Table, delete, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from ditto.domain.events import Recorded, decode
from ditto.domain.job import fold
from ditto.errors import IllegalMove, StoreError
from ditto.store import tables
from ditto.store.database import Database
from ditto.store.tables import events, from_us, holders, jobs, keys, labels, skills, to_us
from ditto.version import VERSION

FORMAT = 1
_PAGE_JOBS = 500
_GROUP_JOBS = 200
_GROUP_BYTES = 8 * 2**20

_OF_TENANTS = {table.name: table for table in (tables.tenants, tables.access_keys, tables.usage)}

_KEEP_EPOCH = text(
    "INSERT INTO holders (name, epoch, expires_us) VALUES (:name, :epoch, 0) ON CONFLICT (name) "
    "DO UPDATE SET epoch = CASE WHEN holders.epoch < :epoch THEN :epoch ELSE holders.epoch END"
)


@dataclass(slots=True)
class Counted:
    """How much went over.

    Attributes:
        known: Jobs that were there already.
        unfinished: Jobs that a service on this store will go on with.
        faults: What could not go over, a line each.
    """

    jobs: int = 0
    events: int = 0
    keys: int = 0
    known: int = 0
    unfinished: int = 0
    faults: list[str] = field(default_factory=list)


def export_store(database: Database, write: Callable[[bytes], object]) -> Counted:
    """Writes the whole store, and returns how much it was.

    Args:
        write: Gets one line at a time, its end included.

    Raises:
        StoreUnavailable: The store cannot be read.
    """
    counted = Counted()
    try:
        with database.engine.connect() as connection:
            for statement in database.begin_reading:
                connection.exec_driver_sql(statement)
            for line in _lines(connection, counted):
                write(line + b"\n")
    except DBAPIError as error:
        raise database.unavailable(error) from error
    return counted


def import_store(database: Database, lines: Iterable[bytes]) -> Counted:
    """Writes what `export_store` has written into a store, and returns how much was new.

    What is there already and equal is passed over, so a second time does nothing. Jobs are written in groups: after an
    error those before it stay.

    Raises:
        StoreError: A line cannot be understood, or contradicts what is there; the message begins with its number.
        StoreUnavailable: The store cannot be written.
    """
    counted = Counted()
    try:
        with database.engine.connect() as connection:
            for group in _groups(_parts(lines)):
                connection.exec_driver_sql(database.begin)
                for part in group:
                    part.put(connection, counted)
                connection.exec_driver_sql("COMMIT")
    except DBAPIError as error:
        raise database.unavailable(error) from error
    return counted


def _lines(connection: Connection, counted: Counted) -> Iterator[bytes]:
    yield _line({"ditto": "journal", "format": FORMAT, "version": VERSION})
    for row in connection.execute(select(holders).where(holders.c.name != "").order_by(holders.c.name)).all():
        yield _line({"holder": row.name, "epoch": row.epoch})
    for row in connection.execute(select(skills).order_by(skills.c.version)).all():
        since = from_us(row.since_us).isoformat(timespec="microseconds")
        yield _line({"skills": row.version, "since": since})[:-1] + b', "learned": ' + bytes(row.body) + b"}"
    for name, table in _OF_TENANTS.items():
        for row in connection.execute(select(table).order_by(*table.primary_key)).all():
            yield _line({"table": name, "row": dict(row._mapping)})
    after = ""
    while page := _page(connection, after):
        for job_id in page:
            yield from _job_lines(connection, job_id, counted)
        after = page[-1]
    yield _line({"end": {"jobs": counted.jobs, "events": counted.events, "keys": counted.keys}})


def _page(connection: Connection, after: str) -> list[str]:
    query = select(jobs.c.job_id).where(jobs.c.job_id > after).order_by(jobs.c.job_id).limit(_PAGE_JOBS)
    return list(connection.execute(query).scalars())


def _job_lines(connection: Connection, job_id: str, counted: Counted) -> list[bytes]:
    """Returns the lines of one job, none where one of its events is no JSON."""
    written = []
    for row in connection.execute(select(events).where(events.c.job_id == job_id).order_by(events.c.seq)):
        try:
            json.loads(row.body)
        except ValueError:
            counted.faults.append(f"event {row.seq} of job {job_id} is no JSON; the job was left out")
            return []
        at = from_us(row.at_us).isoformat(timespec="microseconds")
        head = {"job": job_id, "seq": row.seq, "at": at, "append": row.append_id, "version": row.version}
        written.append(_line(head)[:-1] + b', "event": ' + bytes(row.body) + b"}")
    counted.events += len(written)
    for row in connection.execute(select(keys).where(keys.c.job_id == job_id).order_by(keys.c.key)):
        written.append(_line({"key": row.key, "job": job_id, "fingerprint": row.fingerprint}))
        counted.keys += 1
    counted.jobs += 1
    return written


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Holder:
    name: str
    epoch: int
    size: int = 0

    def put(self, connection: Connection, counted: Counted) -> None:
        connection.execute(_KEEP_EPOCH, {"name": self.name, "epoch": self.epoch})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Learned:
    row: dict[str, Any]
    size: int = 0

    def put(self, connection: Connection, counted: Counted) -> None:
        there = connection.execute(select(func.max(skills.c.version))).scalar()
        if there is None or there < self.row["version"]:
            connection.execute(delete(skills))
            connection.execute(insert(skills), self.row)


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfTenants:
    """A row of one of the tables of tenants; one that is there already stays."""

    table: Table
    row: dict[str, Any]
    size: int = 0

    def put(self, connection: Connection, counted: Counted) -> None:
        same = (column == self.row[column.name] for column in self.table.primary_key)
        if connection.execute(select(self.table).where(*same)).first() is None:
            connection.execute(insert(self.table), self.row)


@dataclass(slots=True, kw_only=True)
class _Job:
    """The lines of one job.

    Attributes:
        line: The number of its first one.
        size: Bytes.
    """

    job_id: str
    line: int
    size: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    keys: list[dict[str, Any]] = field(default_factory=list)

    def put(self, connection: Connection, counted: Counted) -> None:
        found = connection.execute(select(events).where(events.c.job_id == self.job_id).order_by(events.c.seq)).all()
        if found:
            self._compare(connection, [dict(row._mapping) for row in found])
            counted.known += 1
            return
        records = self._records()
        try:
            job = fold(self.job_id, records)
        except IllegalMove as error:
            raise self._wrong(f"its events do not follow from one another: {error}") from error
        dated = [(record.at, record.event) for record in records]
        tenant = job.spec.tenant
        rows = tables.label_rows(self.job_id, to_us(job.accepted_at), job.spec.metadata, tenant)
        own_keys = [{**row, "tenant": tenant} for row in self.keys]
        if any(connection.execute(_same_key(row)).first() is not None for row in own_keys):
            raise self._wrong("one of its keys names another job in this store")
        for table, values in ((keys, own_keys), (labels, rows), (events, self.events)):
            if values:
                connection.execute(insert(table), values)
        connection.execute(insert(jobs), tables.new_row(self.job_id, dated[0], dated[1:]))
        counted.jobs += 1
        counted.events += len(self.events)
        counted.keys += len(self.keys)
        counted.unfinished += not job.state.ended

    def _records(self) -> list[Recorded]:
        records = []
        for row in self.events:
            try:
                event = decode(row["body"])
            except ValidationError as error:
                author = f"version {row['version']}" if row["version"] else "an early version"
                raise self._wrong(
                    f"its event {row['seq']}, written by {author}, is none that this version knows"
                ) from error
            records.append(Recorded(seq=row["seq"], at=from_us(row["at_us"]), event=event))
        return records

    def _compare(self, connection: Connection, found: list[dict[str, Any]]) -> None:
        """Raises `StoreError` where the store has this job otherwise."""
        query = select(keys.c.key, keys.c.job_id, keys.c.fingerprint).where(keys.c.job_id == self.job_id)
        known = [dict(row._mapping) for row in connection.execute(query)]
        if [_comparable(row) for row in found] != [_comparable(row) for row in self.events]:
            raise self._wrong("the store has it already, with other events")
        if sorted(known, key=_key_of) != sorted(self.keys, key=_key_of):
            raise self._wrong("the store has it already, under other keys")

    def _wrong(self, what: str) -> StoreError:
        return StoreError(f"line {self.line}: job {self.job_id}: {what}")


_Part = _Holder | _Learned | _OfTenants | _Job


def _comparable(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"body": json.loads(row["body"])}


def _key_of(row: dict[str, Any]) -> str:
    key: str = row["key"]
    return key


def _same_key(row: dict[str, Any]) -> Any:
    return select(keys.c.key).where(keys.c.tenant == row["tenant"], keys.c.key == row["key"])


def _groups(parts: Iterable[_Part]) -> Iterator[list[_Part]]:
    """Yields the parts in groups that one transaction writes."""
    group: list[_Part] = []
    size = 0
    for part in parts:
        group.append(part)
        size += part.size
        if len(group) >= _GROUP_JOBS or size >= _GROUP_BYTES:
            yield group
            group, size = [], 0
    yield group


def _parts(lines: Iterable[bytes]) -> Iterator[_Part]:
    """Yields holders and whole jobs, in the order of the lines.

    Raises:
        StoreError: A line is not what may stand there, or the last one is missing.
    """
    job: _Job | None = None
    jobs_read, ended = 0, False
    for number, line in enumerate(lines, start=1):
        value = _parsed(number, line)
        if number == 1:
            _check_first(value)
            continue
        if ended:
            raise StoreError(f"line {number}: it stands behind the end")
        try:
            match value:
                case {"job": str(job_id), "seq": int()}:
                    if job is None or job.job_id != job_id:
                        if job is not None:
                            yield job
                        job = _Job(job_id=job_id, line=number)
                        jobs_read += 1
                    job.events.append(_event(value))
                    job.size += len(line)
                case {"key": str(key), "job": str(job_id), "fingerprint": str(fingerprint)}:
                    if job is None or job.job_id != job_id:
                        raise StoreError(f"line {number}: the key stands apart from its job")
                    job.keys.append({"key": key, "job_id": job_id, "fingerprint": fingerprint})
                case {"holder": str(name), "epoch": int(epoch)}:
                    yield _Holder(name=name, epoch=epoch)
                case {"table": str(name), "row": dict(row)} if name in _OF_TENANTS:
                    yield _of_tenants(_OF_TENANTS[name], row)
                case {"skills": int(), "since": str(), "learned": dict()}:
                    yield _learned(value)
                case {"end": {"jobs": int(count)}}:
                    if count != jobs_read:
                        raise StoreError(f"line {number}: of {count} jobs {jobs_read} are here")
                    ended = True
                case _:
                    raise StoreError(f"line {number}: it is no line of an export")
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(f"line {number}: it is no whole event: {type(error).__name__} {error}") from error
    if job is not None:
        yield job
    if not ended:
        raise StoreError("the end is missing: the export was cut off")


def _parsed(number: int, line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise StoreError(f"line {number}: it is no JSON") from error


def _check_first(value: Any) -> None:
    match value:
        case {"ditto": "journal", "format": int(number)} if number == FORMAT:
            return
        case {"ditto": "journal", "format": number}:
            raise StoreError(f"line 1: the export has the format {number}, and this version knows {FORMAT}")
        case _:
            raise StoreError("line 1: it does not begin as an export of a Ditto store does")


def _of_tenants(table: Table, row: dict[str, Any]) -> _OfTenants:
    return _OfTenants(table=table, row={column.name: row[column.name] for column in table.columns})


def _learned(value: dict[str, Any]) -> _Learned:
    since_us = to_us(datetime.fromisoformat(value["since"]).astimezone(UTC))
    return _Learned(row={"version": value["skills"], "since_us": since_us, "body": _json(value["learned"])})


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _event(value: dict[str, Any]) -> dict[str, Any]:
    at = datetime.fromisoformat(value["at"]).astimezone(UTC)
    kind = value["event"]["kind"]
    return {
        "job_id": value["job"],
        "seq": value["seq"],
        "append_id": str(value["append"]),
        "at_us": to_us(at),
        "kind": str(kind),
        "version": str(value["version"]),
        "body": _json(value["event"]),
    }
