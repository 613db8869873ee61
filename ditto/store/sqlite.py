"""The journal in one SQLite file that any number of processes on one machine share.

Write-ahead log, `synchronous=FULL`: an append that returned survives a power cut. The file's mode is 0600. A file that
is damaged, a later version's or something else's is refused by name, and not a byte of it is changed.

A removed row is overwritten (`secure_delete`), and its older copies go with the log. What still may stand is a copy in
the free space of a page out of which SQLite has moved the row before; so `purge` looks for the removed jobs' ids in the
bytes of the file, and where it finds one, writes the file anew.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Column, Connection, Engine, MetaData, String, Table, create_engine, delete, event, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from ditto.errors import ConfigurationError, StoreUnavailable
from ditto.store import folders, migrations, raw_bytes, tables
from ditto.store.journal import SqlJournal
from ditto.store.places import check_place

_BUSY_S = 3.0
"""How long a write waits for another process's."""
_PURGE_BUSY_S = 0.25
"""The same for the end of the log: writers wait meanwhile."""
_START_S = 15.0
_PAUSE_S = 0.05
_ROOM_BYTES = 2**20
_OPS_BETWEEN_LOOKS = 100_000

_WORDS = {
    "database or disk is full": "the disk is full",
    "attempt to write a readonly database": "it is read-only",
    "database is locked": "another process holds it locked",
    "database disk image is malformed": "the file is damaged; `ditto store check` says where",
}

_sought = Table("sought", MetaData(), Column("hexed_id", String, primary_key=True))
"""Removed jobs that `purge` has to look for; spelled such that it does not find them here."""


class SqliteJournal(SqlJournal):
    """A `Journal` on a local file.

    Args:
        path: Created with its folder where it is missing.

    Raises:
        ConfigurationError: The file is no journal, or a newer version's, or on a network file system.
        StoreUnavailable: The file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(SqliteDatabase(path))


class SqliteDatabase:
    """An opened file; arguments and errors are those of `SqliteJournal`."""

    begin = "BEGIN IMMEDIATE"
    begin_reading = ("BEGIN",)

    def __init__(self, path: Path) -> None:
        self._path = path
        check_place(path)
        _make(path)
        self.engine = _engine(path, _BUSY_S)
        try:
            with self.engine.connect() as connection:
                _prepare(connection, path)
        except DBAPIError as error:
            if isinstance(error.orig, sqlite3.OperationalError):
                raise self.unavailable(error) from error
            message = f"{path} is no journal of Ditto's, or damaged: {error.orig}; it was left untouched"
            raise ConfigurationError(message) from error

    def unavailable(self, error: DBAPIError) -> StoreUnavailable:
        said = str(error.orig)
        return StoreUnavailable(f"the journal {self._path} cannot be used: {_WORDS.get(said, said)}")

    def is_lost(self, error: DBAPIError) -> bool:
        return False

    def limit_queries(self, connection: Connection, limit_s: float) -> None:
        return  # a file is at hand

    def cut(self, connection: Connection) -> None:
        return  # likewise

    def check_room(self) -> None:
        try:
            free = shutil.disk_usage(self._path.parent).free
        except OSError as error:
            raise StoreUnavailable(f"the journal {self._path} cannot be used: {error.strerror}") from error
        if free < _ROOM_BYTES:
            raise StoreUnavailable(f"the journal {self._path} cannot be used: its disk has {free} bytes left")

    def removed(self, connection: Connection, job_ids: Sequence[str]) -> None:
        rows = [{"hexed_id": job_id.encode().hex()} for job_id in job_ids]
        connection.execute(insert(_sought).on_conflict_do_nothing(), rows)

    def purge(self) -> bool:
        engine = _engine(self._path, _PURGE_BUSY_S)
        with engine.connect() as connection:
            hexed = list(connection.execute(select(_sought.c.hexed_id)).scalars())
            if not hexed:
                return True
            if not _log_emptied(connection):
                return False
            if _holds_any(self._path, [bytes.fromhex(found) for found in hexed]):
                connection.exec_driver_sql("VACUUM")
            connection.execute(delete(_sought).where(_sought.c.hexed_id.in_(hexed)))
            return _log_emptied(connection)

    def faults(self) -> list[str]:
        with self.engine.connect() as connection:
            found = list(connection.exec_driver_sql("PRAGMA integrity_check").scalars())
        return [] if found == ["ok"] else [f"{self._path}: {line}" for line in found]

    def close(self) -> None:
        self.engine.dispose()


def refuse_damaged(path: Path, limit_s: float) -> None:
    """Reads a journal's pages for `limit_s` at most, without changing anything.

    Raises:
        ConfigurationError: They do not fit together.
    """
    if not path.is_file() or path.stat().st_size == 0:
        return
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
    until = time.monotonic() + limit_s
    connection.set_progress_handler(lambda: time.monotonic() > until, _OPS_BETWEEN_LOOKS)
    try:
        found = [line for (line,) in connection.execute("PRAGMA quick_check(3)")]
    except sqlite3.DatabaseError as error:
        if str(error) == "interrupted" or isinstance(error, sqlite3.OperationalError):
            return  # what can be read is in order; what cannot be reached just now is said where it is opened
        found = [str(error)]
    finally:
        connection.close()
    if found != ["ok"]:
        raise ConfigurationError(f"{path} is damaged and was left untouched: {'; '.join(found)}")


def _make(path: Path) -> None:
    """Creates the file with its folder where they are missing. What is in it, SQLite reads: see `raw_bytes`."""
    try:
        folders.make(path.parent)
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"the journal {path} cannot be used: {error.strerror}") from error


def _engine(path: Path, busy_s: float) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        isolation_level="AUTOCOMMIT",
        poolclass=NullPool,
        hide_parameters=True,  # they hold prompts and keys, and errors are logged
        connect_args={"timeout": busy_s, "check_same_thread": False},
    )
    event.listen(engine, "connect", _configure)
    return engine


def _configure(connection: Any, _record: Any) -> None:
    for pragma in ("synchronous=FULL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _prepare(connection: Connection, path: Path) -> None:
    """Brings the tables to this version; a file that is there already is only read, where it is not older."""
    connection.exec_driver_sql("BEGIN")  # another process may be making the tables
    version = _version(connection, path)
    connection.exec_driver_sql("COMMIT")
    if version == tables.SCHEMA_VERSION:
        return
    _use_log(connection)
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    version = _version(connection, path)  # another process may have been quicker
    if version == 0:
        tables.metadata.create_all(connection)
        _sought.create(connection)
    else:
        migrations.migrate(connection, version)
    connection.exec_driver_sql(f"PRAGMA user_version={tables.SCHEMA_VERSION}")
    connection.exec_driver_sql("COMMIT")


def _version(connection: Connection, path: Path) -> int:
    """Returns the schema's version, 0 for a file that is new."""
    version: int = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    if version > tables.SCHEMA_VERSION:
        raise ConfigurationError(
            f"{path} was written by a newer Ditto (schema {version}, this one knows {tables.SCHEMA_VERSION})"
        )
    found = set(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars())
    if found if version == 0 else not found >= {"events", "jobs", "keys", "holders"}:
        raise ConfigurationError(f"{path} is no journal of Ditto's; it was left untouched")
    return version


def _use_log(connection: Connection) -> None:
    """Switches the file to a write-ahead log; of several processes that do so at once, all but one are refused."""
    until = time.monotonic() + _START_S
    while True:
        try:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        except DBAPIError:
            if time.monotonic() > until:
                raise
            time.sleep(_PAUSE_S)
        else:
            return


def _log_emptied(connection: Connection) -> bool:
    busy: int = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
    return busy == 0


def _holds_any(path: Path, sought: Sequence[bytes]) -> bool:
    overlap = max(len(text) for text in sought)
    kept = b""
    for step in raw_bytes.steps(path):
        window = kept + step
        if any(text in window for text in sought):
            return True
        kept = window[-overlap:]
    return False
