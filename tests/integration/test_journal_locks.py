"""Whatever a process does with its journal, no other process may believe that it was the last one to use the file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ditto.domain import events as ev
from ditto.store.port import Append
from ditto.store.sqlite import SqliteJournal
from tests.unit.domain.jobs import at, spec

COME_AND_GO = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT count(*) FROM events").fetchone()
connection.close()
"""


def acceptance(job_id: str) -> Append:
    event = ev.JobAccepted(spec=spec("a"), holder="host:0")
    return Append(job_id=job_id, id="accept", after=0, events=((at(0), event),))


def come_and_go(path: Path) -> None:
    """Opens the file in another process and closes it again: the last one to do so removes the log."""
    subprocess.run([sys.executable, "-c", COME_AND_GO, str(path)], check=True)


async def opened_again(journal: SqliteJournal, path: Path) -> None:
    await SqliteJournal(path).close()


async def purged(journal: SqliteJournal, path: Path) -> None:
    cancelled = Append(job_id="j1", id="cancel", after=1, events=((at(1), ev.JobCancelled()),))
    await journal.append(cancelled)
    assert await journal.forget("j1")
    assert await journal.purge()


@pytest.mark.parametrize("act", [opened_again, purged])
async def test_a_process_keeps_its_locks_on_the_file_until_it_closes_its_journal(act, tmp_path):
    path = tmp_path / "journal.db"
    journal = SqliteJournal(path)
    await journal.append(acceptance("j1"))

    await act(journal, path)
    come_and_go(path)
    await journal.append(acceptance("j2"))

    seen = SqliteJournal(path)
    assert len(await seen.read("j2")) == 1
    assert path.with_name("journal.db-wal").exists()
    await seen.close()
    await journal.close()
