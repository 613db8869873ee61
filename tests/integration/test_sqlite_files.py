"""The file of a journal: whose it is, what is refused and left as it was, and what is gone from it when it is gone."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import stat
import subprocess
from contextlib import closing

import pytest

from ditto.errors import ConfigurationError, StoreUnavailable
from ditto.store import sqlite
from ditto.store.journal import _Write
from ditto.store.opening import look_at
from ditto.store.port import Claim
from ditto.store.sqlite import SqliteJournal
from tests.integration.appends import acceptance, life
from tests.unit.domain.jobs import at

PAGE = 4096
SEVENTH = f"01JOB{7:021}"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "journal.db"


async def filled(path, jobs=30, repeat=150):
    """Fills a journal and closes it."""
    journal = SqliteJournal(path)
    for n in range(jobs):
        for append in life(f"01JOB{n:021}", second=n, system=f"text of {n}; " * repeat):
            await journal.append(append)
    await journal.close()


async def test_the_file_and_its_log_belong_to_their_user_alone(path):
    journal = SqliteJournal(path)
    await journal.append(acceptance())
    assert stat.S_IMODE(os.stat(path.parent).st_mode) == 0o700
    assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {
        "journal.db": 0o600,
        "journal.db-wal": 0o600,
        "journal.db-shm": 0o600,
    }
    await journal.close()


async def test_each_commit_is_synced_and_deleting_overwrites(path):
    journal = SqliteJournal(path)
    pragmas = ("journal_mode", "synchronous", "secure_delete")
    for ask in (journal._query, lambda query: journal._writer.put(_Write(run=query))):
        assert [await ask(lambda it, p=pragma: it.exec_driver_sql(f"PRAGMA {p}").scalar()) for pragma in pragmas] == [
            "wal",
            2,
            1,
        ]
    await journal.close()


def test_a_file_that_is_no_journal_is_refused_by_name_and_left_alone(path):
    path.parent.mkdir()
    path.write_bytes(b"this is a letter to my aunt" * 100)
    with pytest.raises(ConfigurationError, match=r"journal\.db is no journal of Ditto's"):
        SqliteJournal(path)
    assert path.read_bytes() == b"this is a letter to my aunt" * 100


@pytest.mark.parametrize("version", [0, 1, 2])
def test_another_programs_database_is_refused_by_name_and_left_alone(path, version):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE events (what)")
        connection.execute(f"PRAGMA user_version={version}")
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match=r"journal\.db is no journal of Ditto's"):
        SqliteJournal(path)
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="file"):
        SqliteJournal(tmp_path / "file" / "journal.db")


def begun(path):
    """Opens a journal as a service does when it starts."""
    look_at(path)
    return SqliteJournal(path)


DAMAGES = {
    "the magic": (0, b"\x00" * 16),
    "the whole header": (0, bytes(range(100))),
    "the first page": (100, b"\xff" * (PAGE - 100)),
    "a page in the middle": (8 * PAGE, b"\xa5" * PAGE),
    "many pages in the middle": (5 * PAGE, b"\x00" * 20 * PAGE),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_file_is_refused_by_name_before_anything_begins_and_left_alone(path, damage):
    await filled(path)
    offset, junk = DAMAGES[damage]
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(junk)
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match=r"journal\.db .*(damaged|no journal)"):
        begun(path)
    assert path.read_bytes() == before


async def test_a_file_that_was_cut_off_is_refused_by_name_and_left_alone(path):
    await filled(path)
    os.truncate(path, 7 * PAGE + 100)
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match=r"journal\.db is damaged"):
        look_at(path)
    assert path.read_bytes() == before


async def test_a_sound_file_and_a_missing_one_are_looked_at_without_a_word(path):
    look_at(path)
    await filled(path, jobs=3)
    look_at(path)
    assert not path.with_name("nothing").exists()


async def test_a_look_at_a_file_in_use_takes_nothing_from_who_uses_it(path):
    journal = SqliteJournal(path)
    await journal.append(acceptance("j1"))
    look_at(path)
    await journal.append(acceptance("j2"))
    assert await journal.job_ids("", 9) == ["j1", "j2"]
    await journal.close()


async def test_damage_that_is_met_later_is_said_with_the_files_name(path):
    await filled(path)
    with path.open("r+b") as file:
        file.seek(5 * PAGE)
        file.write(b"\xa5" * 30 * PAGE)
    journal = SqliteJournal(path)
    results = await asyncio.gather(*(journal.read(f"01JOB{n:021}") for n in range(30)), return_exceptions=True)
    errors = {str(result) for result in results if isinstance(result, StoreUnavailable)}
    (said,) = errors
    assert said.startswith(f"the journal {path} cannot be used: the file is damaged")
    await journal.close()


def bytes_of(path):
    """Returns the bytes of the file and its log, read by another process: see `ditto.store.raw_bytes`."""
    files = sorted(file for file in path.parent.iterdir() if not file.name.endswith("-shm"))
    return subprocess.run(["cat", *files], capture_output=True, check=True).stdout


async def test_the_texts_of_forgotten_jobs_are_gone_from_every_byte(path):
    dice = random.Random(3)
    secret = {n: f"<{dice.getrandbits(60):015x}>" for n in range(120)}
    journal = SqliteJournal(path)

    async def live(n):
        text = secret[n] * dice.randint(3, 200)
        claim = Claim(key=f"key {n}", fingerprint=text)
        for append in life(f"{n:05}-{dice.getrandbits(40)}", system=text, metadata={"s": secret[n]}, claim=claim):
            await journal.append(append)

    await asyncio.gather(*map(live, range(60)))
    await asyncio.gather(*map(live, range(60, 120)))
    gone = dice.sample(sorted(secret), 60)
    ids = {int(job_id[:5]): job_id for job_id in await journal.job_ids("", 500)}
    for n in gone:
        assert await journal.forget(ids[n])
    assert await journal.purge()

    found = bytes_of(path)
    assert [n for n in gone if secret[n].encode() in found] == []
    assert all(secret[n].encode() in found for n in secret if n not in gone)
    await journal.close()


async def test_a_copy_that_sqlite_left_in_a_page_is_found_and_goes_too(path):
    await filled(path, repeat=3)
    with closing(sqlite3.connect(path)) as connection:  # moved to another page, and not overwritten where it was
        connection.execute("PRAGMA secure_delete=OFF")
        with connection:
            rows = connection.execute(f"SELECT * FROM events WHERE job_id = '{SEVENTH}'").fetchall()
            connection.execute(f"DELETE FROM events WHERE job_id = '{SEVENTH}'")
            connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    journal = SqliteJournal(path)
    assert await journal.forget(SEVENTH)
    assert await journal.purge()
    assert b"text of 7;" not in bytes_of(path)
    assert b"text of 8;" in bytes_of(path)
    assert len(await journal.job_ids("", 100)) == 29
    await journal.close()


async def test_purging_waits_for_who_still_reads_an_older_state(path):
    await filled(path)
    journal = SqliteJournal(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM jobs").fetchone() == (30,)
        assert await journal.forget(SEVENTH)
        assert not await journal.purge()
        reader.execute("COMMIT")
    assert await journal.purge()
    await journal.close()


async def test_the_space_of_expired_jobs_is_used_again(path):
    journal = SqliteJournal(path)
    sizes = []
    for cycle in range(6):
        for n in range(60):
            for append in life(f"{cycle}-{n}", second=100 * cycle, system="x" * 5000):
                await journal.append(append)
        assert await journal.expire(at(100 * cycle + 50), 1000) == 60
        await journal._query(lambda it: it.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all())
        sizes.append(path.stat().st_size)
    assert max(sizes[1:]) <= sizes[0] * 1.2
    assert max(sizes[2:]) == sizes[2]
    await journal.close()


async def test_other_programs_wait_no_longer_than_a_few_seconds():
    assert sqlite._BUSY_S <= 3
