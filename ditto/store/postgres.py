"""The journal in a PostgreSQL database that processes on many machines share.

Its tables stand in the schema `ditto`. A connection that is lost is made anew; what it was about to write is written
again, and found to be there if it had been committed. A session never asks for less than a commit that is on disk, and
one whose process is frozen in the middle of a transaction is ended by the server, so that nobody waits for it long.
A server that is frozen itself holds nobody for ever: a connection from which nothing comes is cut by who reads.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.pool import NullPool

from ditto.errors import ConfigurationError, StoreUnavailable
from ditto.settings.stores import PostgresAddress
from ditto.store import migrations, tables
from ditto.store.journal import SqlJournal

_CONNECTING: dict[str, Any] = {
    "application_name": "ditto",
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "target_session_attrs": "read-write",
}
"""What the address does not say itself; seconds, the last milliseconds."""

_SESSION = (
    "SET search_path TO ditto",
    "SET lock_timeout TO '4s'",
    "SET idle_in_transaction_session_timeout TO '10s'",
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
)
_KNOWN = """SELECT 1 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = 'ditto' AND relname = 'schema_version'"""
"""A query, and not `to_regclass`: that may still answer what it knew before the lock was waited for."""
_MIGRATION_LOCK = 0x64_69_74_74_6F

# Said here: where the tables said it, every process on a file would load PostgreSQL's dialect too.
for _index in tables.jobs.indexes:
    _index.dialect_options["postgresql"]["where"] = _index.dialect_options["sqlite"]["where"]
tables.jobs.dialect_options["postgresql"]["with"] = {"fillfactor": 70}


class PostgresJournal(SqlJournal):
    """A `Journal` in a PostgreSQL database.

    Raises:
        ConfigurationError: The address cannot be understood, the database is not fit, or a newer version's.
        StoreUnavailable: The server cannot be reached.
    """

    def __init__(self, address: PostgresAddress) -> None:
        super().__init__(PostgresDatabase(address))


class PostgresDatabase:
    """An opened database; arguments and errors are those of `PostgresJournal`."""

    begin = "BEGIN"
    begin_reading = (
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        "SET LOCAL idle_in_transaction_session_timeout TO 0",
    )

    def __init__(self, address: PostgresAddress) -> None:
        self._address = address
        self.engine = _engine(address)
        try:
            with self.engine.connect() as connection:
                _prepare(connection, address)
        except ProgrammingError as error:
            raise ConfigurationError(f"{address}: {self._said(error)}") from None
        except DBAPIError as error:
            raise self.unavailable(error) from None

    def unavailable(self, error: DBAPIError) -> StoreUnavailable:
        return StoreUnavailable(f"the journal {self._address} cannot be used: {self._said(error)}")

    def is_lost(self, error: DBAPIError) -> bool:
        return error.connection_invalidated

    def limit_queries(self, connection: Connection, limit_s: float) -> None:
        connection.exec_driver_sql(f"SET statement_timeout TO '{limit_s * 1000:.0f}ms'")

    def cut(self, connection: Connection) -> None:
        with suppress(Exception):  # it may be gone at this very moment
            number = connection.connection.dbapi_connection.fileno()  # type: ignore[union-attr]  # psycopg's has one
            with socket.socket(fileno=os.dup(number)) as line:
                line.shutdown(socket.SHUT_RDWR)

    def check_room(self) -> None:
        return  # its server says so when it is written to

    def removed(self, connection: Connection, job_ids: Sequence[str]) -> None:
        return  # the server's own vacuum frees what was removed

    def purge(self) -> bool:
        return True

    def faults(self) -> list[str]:
        return []

    def close(self) -> None:
        self.engine.dispose()

    def _said(self, error: DBAPIError) -> str:
        return self._address.hidden_in(" ".join(str(error.orig).split()))


def _engine(address: PostgresAddress) -> Engine:
    try:
        import psycopg
    except ImportError as error:
        message = "a store in PostgreSQL needs the extra: pip install 'ditto-llm[postgres]'"
        raise ConfigurationError(message) from error
    try:
        given = psycopg.conninfo.conninfo_to_dict(address.secret)
    except psycopg.Error:
        message = f"{address} is no address of a database; percent-encode the special signs in user and password"
        raise ConfigurationError(message) from None  # its words may hold the password

    def connected() -> Any:
        connection = psycopg.connect(**{**_CONNECTING, **given})
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            connection.close()
            raise ConfigurationError(f"{address}: the database's encoding is {encoding}, and has to be UTF8")
        return connection

    engine = create_engine(
        "postgresql+psycopg://",
        creator=connected,
        isolation_level="AUTOCOMMIT",
        poolclass=NullPool,
        hide_parameters=True,  # they hold prompts and keys, and errors are logged
        use_native_hstore=False,
    )
    event.listen(engine, "connect", _configure)
    return engine


def _configure(connection: Any, _record: Any) -> None:
    connection.autocommit = True
    for statement in _SESSION:
        connection.execute(statement)


def _prepare(connection: Connection, address: PostgresAddress) -> None:
    """Brings the tables to this version, once for all the processes that begin at the same time."""
    if _version(connection, address) == tables.SCHEMA_VERSION:
        return
    connection.exec_driver_sql("BEGIN")
    connection.exec_driver_sql("SET LOCAL lock_timeout TO '60s'")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
    version = _version(connection, address)
    if version == 0:
        if connection.exec_driver_sql("SELECT 1 FROM pg_namespace WHERE nspname = 'ditto'").first() is None:
            connection.exec_driver_sql("CREATE SCHEMA ditto")
        tables.metadata.create_all(connection)
        connection.exec_driver_sql("CREATE TABLE schema_version (version INTEGER NOT NULL)")
        connection.exec_driver_sql(f"INSERT INTO schema_version VALUES ({tables.SCHEMA_VERSION})")
    else:
        migrations.migrate(connection, version)
        connection.exec_driver_sql(f"UPDATE schema_version SET version = {tables.SCHEMA_VERSION}")
    connection.exec_driver_sql("COMMIT")


def _version(connection: Connection, address: PostgresAddress) -> int:
    """Returns the schema's version, 0 where there is none yet."""
    if connection.exec_driver_sql(_KNOWN).first() is None:
        return 0
    version: int = connection.exec_driver_sql("SELECT version FROM ditto.schema_version").scalar_one()
    if version > tables.SCHEMA_VERSION:
        raise ConfigurationError(
            f"{address} was written by a newer Ditto (schema {version}, this one knows {tables.SCHEMA_VERSION})"
        )
    return version
