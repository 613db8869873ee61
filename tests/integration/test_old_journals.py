"""Journals of older versions open in this one and go on; what a later version wrote stops one job, or is refused.

Each file in `tests/journals` was written by the code of its schema: holders whose simulated models answered, but for
`careful+hang`, were ended in the middle of their jobs. In `schema-1.db` events do not carry their version yet. The
`.sql` files are such journals in PostgreSQL, written by `pg_dump`. From schema 3 on there are skills and feedback.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from ditto.domain import events as ev
from ditto.domain.events import Reply
from ditto.domain.job import JobState, fold
from ditto.errors import ConfigurationError, JournalUnreadable
from ditto.settings.stores import PostgresAddress
from ditto.store import tables
from ditto.store.access import Register
from ditto.store.audit import Audit
from ditto.store.opening import open_journal
from ditto.store.port import Filter
from ditto.store.sqlite import SqliteJournal
from tests.integration.appends import COMPLETED, STARTED, acceptance, life, more
from tests.unit.domain.jobs import at
from tests.unit.runtime.house import House, result

JOURNALS = Path(__file__).parents[1] / "journals"
OLD = sorted(JOURNALS.glob("schema-*.db"))
STATES = {
    "adopted": JobState.RUNNING,
    "cancelled": JobState.CANCELLED,
    "complete": JobState.COMPLETE,
    "failed": JobState.ERROR,
    "keyed": JobState.COMPLETE,
    "overdue": JobState.COMPLETE,
    "pending": JobState.PENDING,
    "running": JobState.RUNNING,
    "schema": JobState.COMPLETE,
}


@pytest.fixture(params=OLD, ids=lambda file: file.stem)
def path(request, tmp_path):
    return Path(shutil.copy(request.param, tmp_path / "journal.db"))


def ids(rows):
    return sorted(row.job_id for row in rows)


def test_a_journal_of_every_older_schema_is_kept():
    assert [file.stem for file in OLD][:4] == ["schema-1", "schema-2", "schema-3", "schema-4"]
    assert len(OLD) in (tables.SCHEMA_VERSION, tables.SCHEMA_VERSION - 1)


async def test_every_job_of_an_old_journal_folds_and_its_index_agrees(path):
    journal = SqliteJournal(path)
    assert await journal.job_ids("", 100) == sorted(STATES)
    for job_id, state in STATES.items():
        job, row = fold(job_id, await journal.read(job_id)), await journal.row(job_id)
        assert (job.state, row.state) == (state, state)
        assert (job.holder, job.updated_at, job.spec.deadline_at) == (row.holder, row.updated_at, row.deadline_at)
    await journal.close()


async def test_an_old_journals_jobs_are_found_as_before(path):
    journal = SqliteJournal(path)
    assert ids((await journal.page(Filter(metadata={"batch": "b1"}), 10, None)).rows) == ["keyed", "schema"]
    assert ids((await journal.page(Filter(metadata={"row": "2"}), 10, None)).rows) == ["schema"]
    assert (await journal.keyed("order-7"))[0] == "keyed"
    assert ids(await journal.held("host:0")) == ["adopted"]
    assert await journal.begin_epoch("host:0") == 3
    assert ids(await journal.orphans(at(10**9), at(10**9))) == ["adopted", "pending", "running"]
    assert await journal.expire(at(10**9), 100) == 6
    await journal.close()


@pytest.mark.parametrize("schema", ["schema-3.db", "schema-4.db"])
async def test_what_was_said_of_results_and_learned_in_an_old_journal_is_still_known(schema, tmp_path):
    journal = SqliteJournal(Path(shutil.copy(JOURNALS / schema, tmp_path / "journal.db")))
    assert [job_id for _, job_id in await journal.judged(at(0), 9)] == ["complete", "schema"]
    assert (await journal.learned()).skills.version == 1
    assert list(Audit(journal._database).faults()) == []
    await journal.close()


async def test_a_job_of_an_old_journal_that_was_judged_and_then_retried_is_sound(tmp_path):
    journal = SqliteJournal(tmp_path / "new.db")
    said = ev.FeedbackGiven(correct=True, answer=None)
    again = ev.JobRetried(holder="host:0", epoch=1, deadline_at=at(99))
    judged = more(said, again, COMPLETED, after=4, append_id="judged", second=20)
    for append in (*life(), judged):
        await journal.append(append)
    await journal.close()
    with closing(sqlite3.connect(shutil.copy(JOURNALS / "schema-3.db", tmp_path / "journal.db"))) as old:
        old.execute("ATTACH ? AS new", (str(tmp_path / "new.db"),))
        for table in ("events", "jobs", "labels"):
            columns = ", ".join(row[1] for row in old.execute(f"PRAGMA main.table_info({table})"))
            old.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}")
        old.commit()
    journal = SqliteJournal(tmp_path / "journal.db")
    assert list(Audit(journal._database).faults()) == []
    await journal.close()


async def test_an_old_journals_jobs_and_keys_are_the_operators(path):
    journal = SqliteJournal(path)
    assert {(await journal.row(job_id)).tenant for job_id in STATES} == {"default"}
    assert await journal.keyed("order-7", "acme") is None
    assert await journal.access.register() == Register(keys=(), allowances={})
    assert await journal.access.running("default") == 3
    await journal.close()


async def test_a_process_of_the_version_before_still_writes_into_the_journal_that_was_migrated(store):
    journal = open_journal(store)
    await journal.append(acceptance())
    older = text("INSERT INTO keys (key, job_id, fingerprint) VALUES ('k', 'j1', 'f')")
    await journal._query(lambda it: it.execute(older).rowcount)
    assert await journal.keyed("k") == ("j1", "f")
    await journal.close()


async def test_the_open_jobs_of_an_old_journal_go_on_and_no_answer_is_asked_for_again(path):
    house = House(**{"sim/careful+hang": Reply(text="It is 25 or 64."), "sim/terse": Reply(text="2")})
    house.journal = SqliteJournal(path)
    host = await house.host("host:0")
    for job_id in ("pending", "running"):
        await host.adopt(job_id)
    ended = {job_id: await house.ended(host, job_id) for job_id in ("adopted", "pending", "running")}
    assert {job_id: result(job) for job_id, job in ended.items()} == {"adopted": "25", "pending": "2", "running": "64"}
    assert house.models.asked == {"sim/careful+hang": 2, "sim/terse": 1}
    await house.close()
    await house.journal.close()


def test_a_migrated_file_has_the_tables_of_a_new_one(path, tmp_path):
    def schema(file):
        with closing(sqlite3.connect(file)) as connection:
            columns = (
                'SELECT m.name, c.name, c.type, c."notnull", c.pk FROM sqlite_master m, pragma_table_info(m.name) c'
            )
            indexes = (
                'SELECT l.origin, m.name, l."unique", l.partial, i.name, i.desc FROM sqlite_master m, '
                "pragma_index_list(m.name) l, pragma_index_xinfo(l.name) i WHERE m.type = 'table'"
            )
            rowid = "SELECT name, wr FROM pragma_table_list WHERE schema = 'main'"
            version = "PRAGMA user_version"
            return [sorted(map(repr, connection.execute(query))) for query in (columns, indexes, rowid, version)]

    for file in (path, tmp_path / "new.db"):
        SqliteJournal(file)._database.close()
    assert schema(path) == schema(tmp_path / "new.db")


@pytest.mark.parametrize("dump", sorted(JOURNALS.glob("schema-*.sql")), ids=lambda file: file.stem)
async def test_an_old_database_becomes_one_like_a_new_one(dump, postgres):
    migrated, new = PostgresAddress(postgres.database_of(dump)), PostgresAddress(postgres.new_database())
    journal = open_journal(migrated)
    assert await journal.job_ids("", 100) == sorted(STATES)
    audit = Audit(journal._database)
    assert list(audit.faults()) == []
    await journal.close()
    await open_journal(new).close()
    described = [
        "SELECT table_name, column_name, data_type, collation_name, is_nullable FROM information_schema.columns "
        "WHERE table_schema = 'ditto' ORDER BY 1, 2",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'ditto' ORDER BY 1",
        "SELECT relname, reloptions FROM pg_class WHERE relnamespace = 'ditto'::regnamespace ORDER BY 1",
        "SELECT version FROM ditto.schema_version",
    ]
    for query in described:
        one, other = (postgres.psql(store.secret.rpartition("/")[2], query) for store in (migrated, new))
        assert one == other


async def test_each_event_carries_the_version_that_wrote_it(store, monkeypatch):
    monkeypatch.setattr("ditto.store.writing.VERSION", "1.2.3")
    journal = open_journal(store)
    await journal.append(acceptance())
    assert await journal._query(lambda it: it.execute(tables.events.select()).one().version) == "1.2.3"
    await journal.close()


async def test_an_event_from_the_future_stops_that_job_alone_by_its_name(store):
    journal = open_journal(store)
    for job_id in ("j1", "j2"):
        await journal.append(acceptance(job_id))
        await journal.append(more(STARTED, job_id=job_id))
    later = (
        tables.events.update()
        .where(tables.events.c.job_id == "j1", tables.events.c.seq == 2)
        .values(version="9.0", body=b'{"kind": "job.teleported"}')
    )
    await journal._query(lambda it: it.execute(later).rowcount)
    with pytest.raises(JournalUnreadable, match=r"event 2 of job j1, written by version 9\.0"):
        await journal.read("j1")
    assert len(await journal.read("j2")) == 2
    assert ids(await journal.orphans(at(10), at(10))) == ["j1", "j2"]
    await journal.close()


async def test_a_field_from_the_future_is_not_half_understood(store):
    journal = open_journal(store)
    await journal.append(acceptance())
    events = tables.events
    body = await journal._query(lambda it: it.execute(events.select()).one().body)
    await journal._query(lambda it: it.execute(events.update().values(body=body[:-1] + b',"twist":1}')).rowcount)
    with pytest.raises(JournalUnreadable, match="event 1 of job j1"):
        await journal.read("j1")
    await journal.close()


async def test_a_state_from_the_future_holds_no_other_job_up(store):
    journal = open_journal(store)
    for job_id in ("j1", "j2"):
        await journal.append(acceptance(job_id))
    later = tables.jobs.update().where(tables.jobs.c.job_id == "j1").values(state="paused")
    await journal._query(lambda it: it.execute(later).rowcount)
    assert ids(await journal.held("host:0")) == ["j2"]
    assert ids(await journal.orphans(at(10), at(10))) == ["j2"]
    assert ids((await journal.page(Filter(), 10, None)).rows) == ["j2"]
    with pytest.raises(JournalUnreadable, match="j1 is in the state 'paused'"):
        await journal.row("j1")
    await journal.close()


def test_a_file_of_a_newer_version_is_refused_by_name_and_left_alone(tmp_path):
    path = tmp_path / "journal.db"
    SqliteJournal(path)._database.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=99")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match=r"journal\.db was written by a newer Ditto \(schema 99"):
        SqliteJournal(path)
    assert path.read_bytes() == before


async def test_a_database_of_a_newer_version_is_refused_by_name(postgres):
    address = PostgresAddress(postgres.new_database())
    await open_journal(address).close()
    postgres.psql(address.secret.rpartition("/")[2], "UPDATE ditto.schema_version SET version = 99")
    with pytest.raises(ConfigurationError, match=r"postgres:\*\*\*@.* was written by a newer Ditto \(schema 99"):
        open_journal(address)
