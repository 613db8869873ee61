"""What a database must bring for a journal to live in it: everything in which one differs from another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from ditto.errors import StoreUnavailable


class Database(Protocol):
    """An opened database whose tables are of this version.

    Connections of the engine are in autocommit mode: a transaction is begun by `begin` or `begin_reading`.

    Attributes:
        engine: Its dialect decides how statements are spelled.
        begin: Begins a transaction that writes.
        begin_reading: Begin a transaction that sees the store as it stands at its first query, for as long as it likes.
    """

    @property
    def engine(self) -> Engine: ...

    @property
    def begin(self) -> str: ...

    @property
    def begin_reading(self) -> tuple[str, ...]: ...

    def unavailable(self, error: DBAPIError) -> StoreUnavailable:
        """Returns the error that says what happened to which store; never a password."""
        ...

    def is_lost(self, error: DBAPIError) -> bool:
        """Tells whether the connection was at fault, so that another one may do."""
        ...

    def limit_queries(self, connection: Connection, limit_s: float) -> None:
        """Has the database end every query of this connection that takes longer."""
        ...

    def cut(self, connection: Connection) -> None:
        """Ends a connection from which nothing comes, from another thread than the one that waits for it."""
        ...

    def check_room(self) -> None:
        """Raises `StoreUnavailable` where it is known without writing that too little could be written."""
        ...

    def removed(self, connection: Connection, job_ids: Sequence[str]) -> None:
        """Notes, in the transaction that removes them, whose texts `purge` has to overwrite."""
        ...

    def purge(self) -> bool:
        """Overwrites what was removed, as far as the database can; returns False where it must be tried again."""
        ...

    def faults(self) -> list[str]:
        """Returns what the database itself finds wrong with its files; reads all of them."""
        ...

    def close(self) -> None: ...
