"""The journals that keep one contract, each empty."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ditto.settings.stores import PostgresAddress, Store
from ditto.store.memory import MemoryJournal
from ditto.store.opening import open_journal
from ditto.store.port import Journal


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Where a journal may be: a file that is not there yet, or an empty database."""
    if request.param == "sqlite":
        return tmp_path / "data" / "journal.db"
    return PostgresAddress(request.getfixturevalue("postgres").new_database())


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    opened: Journal
    match request.param:
        case "memory":
            opened = MemoryJournal()
        case "sqlite":
            opened = open_journal(tmp_path / "journal.db")
        case _:
            opened = open_journal(PostgresAddress(request.getfixturevalue("postgres").new_database()))
    yield opened
    await opened.close()
