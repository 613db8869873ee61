"""Opening the journal that the settings name."""

from __future__ import annotations

from pathlib import Path

from ditto.settings.stores import Store
from ditto.store.database import Database
from ditto.store.journal import SqlJournal
from ditto.store.sqlite import SqliteDatabase, refuse_damaged

_LOOK_S = 2.0


def open_journal(store: Store) -> SqlJournal:
    """Returns the journal, begun where there is none yet.

    Raises:
        ConfigurationError: It cannot be used as it is; the message names it.
        StoreUnavailable: It cannot be reached just now.
    """
    return SqlJournal(open_database(store))


def open_database(store: Store) -> Database:
    """Returns the database of a journal; see `open_journal`."""
    if isinstance(store, Path):
        return SqliteDatabase(store)
    from ditto.store.postgres import PostgresDatabase  # heavy, and most have no such store

    return PostgresDatabase(store)


def look_at(store: Store) -> None:
    """Reads a file that is there for a short while: a damaged one is refused before anything is begun.

    Raises:
        ConfigurationError: It is damaged; the message names it.
    """
    if isinstance(store, Path):
        refuse_damaged(store, _LOOK_S)
