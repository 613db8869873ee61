"""A disk that is full or read-only, and a file that another process locks: a clear error, and then it goes on."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing

import pytest

from ditto.errors import StoreUnavailable
from ditto.store import sqlite
from ditto.store.port import Claim
from ditto.store.sqlite import SqliteJournal
from tests.integration.appends import STARTED, acceptance, more
from tests.integration.file_systems import mounted, remount, unprivileged
from tests.unit.domain.jobs import at


async def fill(journal: SqliteJournal) -> list[str]:
    """Appends until the store says no, and returns the jobs that it has promised."""
    promised = []
    for n in range(10_000):
        try:
            await journal.append(acceptance(f"full{n}", system="x" * 20_000))
        except StoreUnavailable:
            return promised
        promised.append(f"full{n}")
    raise AssertionError("the disk is never full")


async def test_a_full_disk_is_said_and_when_there_is_room_again_it_goes_on(tmp_path):
    with mounted(tmp_path / "small", "-o", "size=6m") as disk:
        ballast = disk / "ballast"
        ballast.write_bytes(b"\0" * 2 * 2**20)
        journal = SqliteJournal(disk / "journal.db")
        promised = await fill(journal)

        with pytest.raises(StoreUnavailable, match=r"journal\.db cannot be used: the disk is full"):
            await journal.append(acceptance("more", system="x" * 200_000))
        with pytest.raises(StoreUnavailable, match=r"journal\.db cannot be used: its disk has \d+ bytes left"):
            await journal.check()
        assert [len(await journal.read(job_id)) for job_id in promised] == [1] * len(promised)
        assert await journal.read("more") == []

        ballast.unlink()
        await journal.check()
        await journal.append(acceptance("more", system="x" * 200_000))
        assert sorted(await journal.job_ids("", 10_000)) == sorted([*promised, "more"])
        await journal.close()


async def test_on_a_full_disk_a_journal_that_is_opened_says_so(tmp_path):
    full = pytest.raises(StoreUnavailable, match=r"journal\.db cannot be used: the disk is full")
    with mounted(tmp_path / "small", "-o", "size=64k") as disk, full:
        SqliteJournal(disk / "journal.db")


async def test_a_read_only_disk_is_said_and_a_journal_opens_there_when_it_is_not_any_more(tmp_path):
    with mounted(tmp_path / "disk") as disk:
        journal = SqliteJournal(disk / "journal.db")
        await journal.append(acceptance())
        await journal.close()
        remount(disk, "ro")
        with pytest.raises(StoreUnavailable, match=r"journal\.db cannot be used: Read-only file system"):
            SqliteJournal(disk / "journal.db")
        remount(disk, "rw")
        journal = SqliteJournal(disk / "journal.db")
        assert len(await journal.read("j1")) == 1
        await journal.close()


async def test_a_file_without_the_right_to_write_is_said_and_when_it_has_it_again_it_goes_on():
    with unprivileged() as folder:
        path = folder / "journal.db"
        first = SqliteJournal(path)
        await first.append(acceptance())
        for file in folder.iterdir():
            file.chmod(0o400)

        journal = SqliteJournal(path)
        assert len(await journal.read("j1")) == 1
        for attempt in (journal.append(more(STARTED)), journal.check()):
            with pytest.raises(StoreUnavailable, match=r"journal\.db cannot be used: it is read-only"):
                await attempt

        for file in folder.iterdir():
            file.chmod(0o600)
        await journal.append(more(STARTED))
        await journal.check()
        assert len(await journal.read("j1")) == 2
        await journal.close()
        await first.close()


async def test_a_file_that_cannot_be_read_is_said():
    with unprivileged() as folder:
        path = folder / "journal.db"
        await SqliteJournal(path).close()
        path.chmod(0)
        with pytest.raises(StoreUnavailable, match=re.escape(f"{path} cannot be used: ")):
            SqliteJournal(path)


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(sqlite, "_BUSY_S", 0.05)


async def test_a_locked_file_is_said_is_still_read_and_goes_on_when_it_is_free(tmp_path, impatient):
    path = tmp_path / "journal.db"
    journal = SqliteJournal(path)
    await journal.append(acceptance())
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for attempt in (journal.append(more(STARTED)), journal.check(), journal.renew("host:0", 1, at(9))):
            with pytest.raises(StoreUnavailable, match=r"journal\.db cannot be used: another process holds it locked"):
                await attempt
        opened = SqliteJournal(path)
        assert len(await opened.read("j1")) == 1
        await opened.close()
    await journal.append(more(STARTED))
    assert len(await journal.read("j1")) == 2
    await journal.close()


async def test_a_lock_of_a_moment_is_waited_for(tmp_path):
    path = tmp_path / "journal.db"
    journal = SqliteJournal(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(journal.append(acceptance()))
        done, _ = await asyncio.wait([waiting], timeout=0.05)
        assert not done
        other.execute("COMMIT")
    await waiting
    await journal.close()


async def test_what_is_logged_of_an_error_that_nobody_foresaw_holds_nothing_of_what_was_to_be_written(
    tmp_path, monkeypatch, caplog
):
    def stumble(*arguments):
        raise RuntimeError("stumbled")

    journal = SqliteJournal(tmp_path / "journal.db")
    claim = Claim(key="secret", fingerprint="f")
    await journal.append(acceptance(claim=claim))
    monkeypatch.setattr(journal, "_alone", stumble)
    with pytest.raises(StoreUnavailable):
        await journal.append(acceptance("j2", claim=claim))
    assert "stumbled" in caplog.text
    assert "secret" not in caplog.text
    await journal.close()


async def test_an_error_that_nobody_foresaw_counts_as_the_store_being_away(tmp_path, monkeypatch):
    journal = SqliteJournal(tmp_path / "journal.db")
    with monkeypatch.context() as broken:
        broken.setattr(journal._database, "begin", None)
        with pytest.raises(StoreUnavailable, match="the log says more"):
            await journal.append(acceptance())
    await journal.append(acceptance())
    assert len(await journal.read("j1")) == 1
    await journal.close()
