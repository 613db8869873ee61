"""A store as lines of JSON: out, in, again, into the other kind of database; what is wrong is refused by its line."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import pytest

from ditto.domain import events as ev
from ditto.domain.job import JobState, fold
from ditto.domain.skills.sheet import Skills
from ditto.errors import StoreError
from ditto.settings.stores import PostgresAddress
from ditto.store import tables
from ditto.store.journal import SqlJournal
from ditto.store.opening import open_database
from ditto.store.port import Claim, Filter, Learned
from ditto.store.sqlite import SqliteDatabase
from ditto.store.transfer import export_store, import_store
from tests.integration.appends import STARTED, acceptance, life, more
from tests.unit.domain.jobs import at

ODD = 'Zoë "quotes" \\ \N{SNOWMAN} \x00 \u2028 1e400'


@pytest.fixture
def database(store):
    opened = open_database(store)
    yield opened
    opened.close()


@pytest.fixture
def other(tmp_path):
    opened = SqliteDatabase(tmp_path / "other.db")
    yield opened
    opened.close()


async def filled(database):
    """Fills a store with jobs of every kind and returns its export."""
    journal = SqlJournal(database)
    await journal.begin_epoch("host:0")
    await journal.begin_epoch("host:0")
    for append in [
        *life("done", metadata={"batch": "b", "n": 1.5}, system=ODD, claim=Claim(key="k %s", fingerprint="{}")),
        *life("cancelled", second=5, end=ev.JobCancelled()),
        *life("again", second=7),
        more(ev.JobRetried(holder="host:1", epoch=2, deadline_at=at(99)), job_id="again", after=4, append_id="r"),
        acceptance("open", second=9),
        more(STARTED, job_id="open", second=10),
    ]:
        await journal.append(append)
    return exported(database)


def exported(database):
    lines = []
    export_store(database, lines.append)
    return lines


async def test_what_is_exported_and_imported_is_the_same_store(database, other):
    lines = await filled(database)
    counted = import_store(other, lines)
    assert (counted.jobs, counted.events, counted.keys, counted.unfinished) == (4, 15, 1, 2)
    assert exported(other) == lines

    journal = SqlJournal(other)
    states = {row.job_id: row.state for row in (await journal.page(Filter(), 10, None)).rows}
    assert states == {
        "open": JobState.RUNNING,
        "again": JobState.RUNNING,
        "cancelled": JobState.CANCELLED,
        "done": JobState.COMPLETE,
    }
    assert fold("done", await journal.read("done")).spec.system == ODD
    assert [row.job_id for row in (await journal.page(Filter(metadata={"n": "1.5"}), 10, None)).rows] == ["done"]
    assert await journal.keyed("k %s") == ("done", "{}")
    assert [row.job_id for row in await journal.held("host:1")] == ["again"]
    assert await journal.begin_epoch("host:0") == 3
    await journal.append(more(ev.JobCancelled(), job_id="open", after=2))


async def test_from_sqlite_to_postgresql_and_back_nothing_changes(postgres, tmp_path, other):
    file = SqliteDatabase(tmp_path / "journal.db")
    lines = await filled(file)
    server = open_database(PostgresAddress(postgres.new_database()))
    import_store(server, lines)
    assert exported(server) == lines
    import_store(other, exported(server))
    assert exported(other) == lines
    for database in (file, server):
        database.close()


async def test_importing_again_does_nothing_and_more_is_added(database, other):
    lines = await filled(database)
    import_store(other, lines)
    counted = import_store(other, lines)
    assert (counted.jobs, counted.events, counted.known) == (0, 0, 4)

    journal = SqlJournal(other)
    await journal.append(acceptance("new"))
    assert import_store(other, lines).known == 4
    assert import_store(database, exported(other)).jobs == 1


async def test_an_epoch_never_goes_back(database, other):
    lines = await filled(database)
    journal = SqlJournal(other)
    for _ in range(5):
        await journal.begin_epoch("host:0")
    import_store(other, lines)
    assert await journal.begin_epoch("host:0") == 6


async def test_what_was_learned_goes_over_and_never_back(database, other):
    source, target = SqlJournal(database), SqlJournal(other)
    learned = Learned(skills=Skills(version=3, kinds={"number": {}}), since=at(5))
    await source.learn(learned)
    lines = exported(database)
    import_store(other, lines)
    assert await target.learned() == learned
    assert exported(other) == lines

    later = replace(learned, skills=Skills(version=4))
    await target.learn(later)
    import_store(other, lines)
    assert await target.learned() == later


async def test_a_job_that_has_gone_on_in_the_store_is_not_overwritten(database, other):
    lines = await filled(database)
    import_store(other, lines)
    journal = SqlJournal(other)
    await journal.append(more(ev.JobCancelled(), job_id="open", after=2))
    with pytest.raises(StoreError, match=r"line \d+: job open: the store has it already, with other events"):
        import_store(other, lines)
    assert len(await journal.read("open")) == 3


async def test_a_key_that_names_another_job_is_not_taken_from_it(database, other):
    lines = await filled(database)
    journal = SqlJournal(other)
    await journal.append(acceptance("mine", claim=Claim(key="k %s", fingerprint="f")))
    with pytest.raises(StoreError, match=r"line \d+: job done: one of its keys names another job"):
        import_store(other, lines)
    assert await journal.keyed("k %s") == ("mine", "f")
    assert await journal.read("done") == []


def changed(lines, number, **changes):
    """Returns the lines with one of them changed."""
    value = json.loads(lines[number - 1])
    return [*lines[: number - 1], json.dumps(value | changes).encode(), *lines[number:]]


WRONG = {
    "no JSON": (lambda lines: [*lines[:3], b"{nonsense\n", *lines[4:]], "line 4: it is no JSON"),
    "no export": (lambda lines: [b'{"a": 1}\n'], "line 1: it does not begin as an export"),
    "another format": (lambda lines: changed(lines, 1, format=99), "line 1: the export has the format 99"),
    "cut off": (lambda lines: lines[:-1], "the end is missing: the export was cut off"),
    "something behind the end": (lambda lines: [*lines, lines[-2]], r"line \d+: it stands behind the end"),
    "a job missing": (lambda lines: [*lines[:2], *lines[7:]], r"line \d+: of 4 jobs 3 are here"),
    "an event missing": (
        lambda lines: [*lines[:3], *lines[4:]],
        "line 3: job again: its events do not follow from one another",
    ),
    "the first event missing": (lambda lines: [*lines[:2], *lines[3:]], "line 3: job again: its events do not follow"),
    "from the future": (
        lambda lines: changed(lines, 4, version="9.0", event={"kind": "job.teleported"}),
        "line 3: job again: its event 2, written by version 9.0, is none that this version knows",
    ),
    "no moment": (lambda lines: changed(lines, 3, at="noon"), "line 3: it is no whole event: ValueError"),
    "no event": (lambda lines: changed(lines, 3, event=5), "line 3: it is no whole event: TypeError"),
    "a stray line": (
        lambda lines: [*lines[:3], b'{"some": "thing"}', *lines[3:]],
        "line 4: it is no line of an export",
    ),
    "a stray key": (
        lambda lines: [*lines[:3], b'{"key": "k", "job": "x", "fingerprint": "f"}', *lines[3:]],
        "line 4: the key stands apart",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_what_cannot_be_imported_is_named_by_its_line_and_leaves_nothing_half_written(wrong, tmp_path, other):
    database = SqliteDatabase(tmp_path / "journal.db")
    spoil, said = WRONG[wrong]
    lines = spoil(await filled(database))
    with pytest.raises(StoreError, match=said):
        import_store(other, lines)
    journal = SqlJournal(other)
    for job_id in await journal.job_ids("", 10):
        fold(job_id, await journal.read(job_id))
    await journal.close()
    database.close()


async def test_an_export_is_one_state_of_the_store_whatever_goes_on_meanwhile(database, other):
    lines = await filled(database)
    journal = SqlJournal(database)
    during = []

    def write(line):
        if len(during) == 3:  # another connection writes in the middle
            with database.engine.connect() as connection:
                connection.execute(tables.events.delete().where(tables.events.c.job_id == "open"))
                connection.execute(tables.jobs.delete().where(tables.jobs.c.job_id == "open"))
        during.append(line)

    export_store(database, write)
    assert during == lines
    assert await journal.job_ids("", 10) == ["again", "cancelled", "done"]


async def test_a_damaged_event_leaves_its_job_out_and_is_named(database):
    await filled(database)
    with database.engine.connect() as connection:
        damaged = (tables.events.c.job_id == "done") & (tables.events.c.seq == 2)
        connection.execute(tables.events.update().where(damaged).values(body=b'{"kind": "call.st'))
    lines = []
    counted = export_store(database, lines.append)
    assert counted.faults == ["event 2 of job done is no JSON; the job was left out"]
    assert counted.jobs == 3
    assert not any(b'"done"' in line for line in lines)


async def test_an_event_from_the_future_is_exported_as_it_is(database):
    await filled(database)
    later = b'{"kind":"job.teleported","to":"mars"}'
    with database.engine.connect() as connection:
        at_end = (tables.events.c.job_id == "open") & (tables.events.c.seq == 2)
        connection.execute(tables.events.update().where(at_end).values(body=later, version="9.0"))
    assert any(later in line and b'"version": "9.0"' in line for line in exported(database))


async def test_many_jobs_go_over_in_several_groups(tmp_path, other, monkeypatch):
    monkeypatch.setattr("ditto.store.transfer._PAGE_JOBS", 3)
    monkeypatch.setattr("ditto.store.transfer._GROUP_JOBS", 4)
    database = SqliteDatabase(tmp_path / "journal.db")
    journal = SqlJournal(database)
    for append in itertools.chain.from_iterable(life(f"j{n:02}") for n in range(20)):
        await journal.append(append)
    assert import_store(other, exported(database)).jobs == 20
    assert exported(other) == exported(database)
    await journal.close()
