"""`ditto store check`, `export` and `import` as a user meets them: what is printed, where it goes, how they end."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from ditto.cli.app import main
from ditto.domain import events as ev
from ditto.settings.stores import PostgresAddress
from ditto.store import tables
from ditto.store.opening import open_database, open_journal
from ditto.store.port import Claim
from tests.integration.appends import acceptance, life, more
from tests.postgres import PASSWORD

SCHEMA_1 = Path(__file__).parents[1] / "journals" / "schema-1.db"


@pytest.fixture
def ditto(capsys, monkeypatch):
    """Runs the program on a store: returns its exit code and what it said on standard output and error."""

    def run(store, *arguments):
        where = store.secret if isinstance(store, PostgresAddress) else str(store)
        monkeypatch.setenv("DITTO_STORE", where)
        with pytest.raises(SystemExit) as ended:
            main(["store", *map(str, arguments)])
        out, err = capsys.readouterr()
        assert PASSWORD not in out + err
        return ended.value.code or 0, out, err

    return run


async def begun(store):
    journal = open_journal(store)
    for append in [*life("j1", metadata={"batch": "b"}, claim=Claim(key="k", fingerprint="f")), acceptance("j2")]:
        await journal.append(append)
    await journal.close()


async def test_a_sound_store_is_checked(ditto, store):
    await begun(store)
    assert ditto(store, "check") == (0, "", "checked 2 jobs: nothing wrong\n")


async def test_a_store_in_which_results_were_judged_is_sound(ditto, store):
    await begun(store)
    journal = open_journal(store)
    await journal.append(more(ev.FeedbackGiven(correct=True, answer=None), after=4, append_id="said", second=9))
    await journal.close()
    assert ditto(store, "check") == (0, "", "checked 2 jobs: nothing wrong\n")


def test_an_old_journal_is_checked_and_copied(ditto, tmp_path):
    old = shutil.copy(SCHEMA_1, tmp_path / "old.db")
    assert ditto(old, "check") == (0, "", "checked 9 jobs: nothing wrong\n")
    assert ditto(old, "export", tmp_path / "all.jsonl") == (0, "", "exported 9 jobs, 56 events, 1 key\n")
    assert ditto(tmp_path / "new.db", "import", tmp_path / "all.jsonl") == (
        0,
        "",
        "imported 9 jobs, 56 events, 1 key\nnot ended, a service goes on: 3 jobs\n",
    )
    assert ditto(tmp_path / "new.db", "import", tmp_path / "all.jsonl") == (
        0,
        "",
        "imported 0 jobs, 0 events, 0 keys\npassed over, there already: 9 jobs\n",
    )


events, jobs, keys, labels = tables.events, tables.jobs, tables.keys, tables.labels
FAULTS = {
    "job j1 does not fold: ": events.delete().where(events.c.job_id == "j1", events.c.seq == 2),
    "event 2 of job j1, written by version 9.0, is none that this version knows": events.update()
    .where(events.c.job_id == "j1", events.c.seq == 2)
    .values(body=b'{"kind": "job.teleported"}', version="9.0"),
    "job j1: the index has state 'pending', its events say 'complete'": jobs.update()
    .where(jobs.c.job_id == "j1")
    .values(state="pending"),
    "job j2: the index has ended_us 5, its events say None": jobs.update()
    .where(jobs.c.job_id == "j2")
    .values(ended_us=5),
    "job j1: it cannot be found by its metadata": labels.delete(),
    "job j1 is not in the index, but in the table events": jobs.delete().where(jobs.c.job_id == "j1"),
    "job nobody is not in the index, but in the table keys": keys.insert().values(
        key="x", job_id="nobody", fingerprint="f"
    ),
}


@pytest.mark.parametrize("said", FAULTS)
async def test_what_is_wrong_is_named_by_job_and_event(ditto, store, said):
    await begun(store)
    database = open_database(store)
    with database.engine.connect() as connection:
        connection.execute(FAULTS[said])
    database.close()
    code, out, err = ditto(store, "check")
    assert code == 1
    assert any(line.startswith(said) for line in out.splitlines()), out
    assert err.endswith("wrong\n")


async def test_damage_to_the_file_is_found_by_the_check(ditto, tmp_path):
    await begun(tmp_path / "journal.db")
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection, connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = 'jobs_newest'")
    code, out, _ = ditto(tmp_path / "journal.db", "check")
    assert code == 1
    assert "journal.db: " in out


async def test_an_export_is_its_users_alone_and_there_when_it_is_whole(ditto, tmp_path, monkeypatch):
    await begun(tmp_path / "journal.db")
    file = tmp_path / "all.jsonl"
    file.write_text("the last one")

    def broken(database, write):
        write(b"half\n")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("ditto.store.transfer.export_store", broken)
        code, _, err = ditto(tmp_path / "journal.db", "export", file)
    assert (code, err) == (1, "ditto: No space left on device\n")
    assert file.read_text() == "the last one"

    assert ditto(tmp_path / "journal.db", "export", file)[0] == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {found.name for found in tmp_path.iterdir()} == {"journal.db", "all.jsonl"}


@pytest.mark.parametrize("command", ["export", "check"])
def test_a_store_that_is_not_there_is_said_and_not_begun(ditto, tmp_path, command):
    arguments = [command, "-"] if command == "export" else [command]
    code, out, err = ditto(tmp_path / "journal.db", *arguments)
    assert (code, out, err) == (1, "", f"ditto: there is no store yet at {tmp_path / 'journal.db'}\n")
    assert not (tmp_path / "journal.db").exists()


def test_a_wrong_line_is_said_with_its_number(ditto, tmp_path):
    (tmp_path / "all.jsonl").write_text('{"ditto": "journal", "format": 1, "version": "0.1.0"}\nnonsense\n')
    assert ditto(tmp_path / "journal.db", "import", tmp_path / "all.jsonl") == (1, "", "ditto: line 2: it is no JSON\n")


def test_a_server_that_is_not_there_is_said_without_the_password(ditto):
    nowhere = PostgresAddress(f"postgresql://ann:{PASSWORD}@127.0.0.1:1/ditto")
    code, _, err = ditto(nowhere, "check")
    assert code == 1
    assert err.startswith("ditto: the journal postgresql://ann:***@127.0.0.1:1/ditto cannot be used: connection failed")
