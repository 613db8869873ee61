"""Every journal keeps the same contract: the one on SQLite and the one in memory."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from datetime import timedelta

import pytest

from ditto.domain import events as ev
from ditto.domain.job import JobState
from ditto.domain.verdict import Intent, Verdict
from ditto.errors import (
    AppendConflict,
    ConfigurationError,
    JournalUnreadable,
    KeyTaken,
    StaleEpoch,
    StoreUnavailable,
)
from ditto.store.memory import MemoryJournal
from ditto.store.port import Append, Claim, Filter
from ditto.store.sqlite import SqliteJournal
from tests.unit.domain.jobs import NOON, at, spec

STARTED = ev.CallStarted(call="a", round=1, caller="caller:0")
VERDICT = Verdict(result="42", summary="42", intent=Intent.ANSWER, confidence=0.4, needs_review=True)


@pytest.fixture(params=["sqlite", "memory"])
async def journal(request, tmp_path):
    opened = SqliteJournal(tmp_path / "journal.db") if request.param == "sqlite" else MemoryJournal()
    yield opened
    await opened.close()


def acceptance(job_id="j1", *, second=0.0, claim=None, append_id="accept", **changes):
    event = ev.JobAccepted(spec=spec("a", **changes), holder="host:0")
    return Append(job_id=job_id, id=append_id, after=0, events=((at(second), event),), claim=claim)


def more(*events, job_id="j1", after=1, append_id="more", second=1.0):
    return Append(job_id=job_id, id=append_id, after=after, events=tuple((at(second), event) for event in events))


async def test_what_was_appended_is_read_in_order(journal):
    await journal.append(acceptance())
    await journal.append(more(STARTED, ev.JobCompleted(verdict=VERDICT, merge_s=0.1)))
    records = await journal.read("j1")
    assert [record.seq for record in records] == [1, 2, 3]
    assert records[1].event == STARTED
    assert records[0].at == NOON
    assert [record.seq for record in await journal.read("j1", after=2)] == [3]


async def test_an_unknown_job_has_no_events_and_no_row(journal):
    assert await journal.read("nobody") == []
    assert await journal.row("nobody") is None


async def test_the_same_append_again_succeeds_and_writes_nothing(journal):
    await journal.append(acceptance())
    await journal.append(more(STARTED))
    await journal.append(more(STARTED))
    assert len(await journal.read("j1")) == 2


async def test_another_writer_at_the_same_place_conflicts(journal):
    await journal.append(acceptance())
    await journal.append(more(STARTED, append_id="one"))
    with pytest.raises(AppendConflict):
        await journal.append(more(STARTED, append_id="other"))
    with pytest.raises(AppendConflict):
        await journal.append(acceptance(append_id="another acceptance"))


async def test_an_append_behind_a_gap_conflicts(journal):
    await journal.append(acceptance())
    with pytest.raises(AppendConflict):
        await journal.append(more(STARTED, after=5))


async def test_a_conflict_in_a_batch_fails_that_jobs_append_alone(journal):
    await asyncio.gather(*(journal.append(acceptance(f"j{n}")) for n in range(20)))
    appends = [more(STARTED, job_id=f"j{n}", append_id="x") for n in range(20)]
    appends += [more(STARTED, job_id="j7", append_id="y")]
    results = await asyncio.gather(*(journal.append(append) for append in appends), return_exceptions=True)
    assert [type(result) for result in results if result is not None] == [AppendConflict]
    assert {len(await journal.read(f"j{n}")) for n in range(20)} == {2}


async def test_an_append_that_cannot_be_encoded_fails_alone(tmp_path):
    journal = SqliteJournal(tmp_path / "journal.db")
    good = [journal.append(acceptance(f"j{n}")) for n in range(5)]
    bad = journal.append(acceptance("bad", metadata={"when": NOON}))
    results = await asyncio.gather(*good, bad, return_exceptions=True)
    assert results[:5] == [None] * 5
    assert isinstance(results[5], TypeError)
    assert await journal.row("bad") is None
    await journal.close()


async def test_a_key_names_the_job_that_took_it_first(journal):
    await journal.append(acceptance(claim=Claim(key="k", fingerprint="f")))
    with pytest.raises(KeyTaken) as taken:
        await journal.append(acceptance("j2", claim=Claim(key="k", fingerprint="g")))
    assert (taken.value.job_id, taken.value.fingerprint) == ("j1", "f")
    assert await journal.read("j2") == []
    assert await journal.keyed("k") == ("j1", "f")
    assert await journal.keyed("other") is None


async def test_the_row_follows_the_events(journal):
    await journal.append(acceptance())
    assert (await journal.row("j1")).state is JobState.PENDING
    await journal.append(more(STARTED, ev.JobAdopted(holder="host:1", epoch=2)))
    row = await journal.row("j1")
    assert (row.state, row.holder, row.updated_at) == (JobState.RUNNING, "host:1", at(1))


async def test_a_holder_is_told_its_unfinished_jobs_oldest_first(journal):
    for n in (2, 1, 3):
        await journal.append(acceptance(f"j{n}", second=n))
    await journal.append(more(ev.JobCancelled(), job_id="j1", second=9))
    assert [row.job_id for row in await journal.held("host:0")] == ["j2", "j3"]
    assert await journal.held("host:9") == []


async def test_jobs_without_a_living_holder_are_orphans(journal):
    epoch = await journal.begin_epoch("host:0")
    await journal.append(acceptance())
    await journal.renew("host:0", epoch, at(30))
    assert await journal.orphans(at(20), at(10)) == []
    assert [row.job_id for row in await journal.orphans(at(40), at(10))] == ["j1"]
    assert await journal.orphans(at(40), NOON - timedelta(seconds=1)) == []


async def test_an_earlier_epoch_cannot_renew_the_lease(journal):
    first = await journal.begin_epoch("host:0")
    assert await journal.begin_epoch("host:0") == first + 1
    with pytest.raises(StaleEpoch):
        await journal.renew("host:0", first, at(30))


async def test_jobs_are_listed_newest_first_page_by_page(journal):
    for n in range(5):
        await journal.append(acceptance(f"j{n}", second=n, metadata={"team": "red" if n % 2 else "blue", "n": n}))
    await journal.append(more(STARTED, ev.JobCompleted(verdict=VERDICT, merge_s=0.1), job_id="j3", second=9))
    first = await journal.page(Filter(), 3, None)
    assert [row.job_id for row in first.rows] == ["j4", "j3", "j2"]
    rest = await journal.page(Filter(), 3, first.cursor)
    assert ([row.job_id for row in rest.rows], rest.cursor) == (["j1", "j0"], None)
    by_team = await journal.page(Filter(metadata={"team": "red"}), 10, None)
    assert [row.job_id for row in by_team.rows] == ["j3", "j1"]
    assert [row.job_id for row in (await journal.page(Filter(metadata={"n": "2"}), 10, None)).rows] == ["j2"]
    assert (await journal.page(Filter(metadata={"absent": "x"}), 10, None)).rows == ()
    assert [row.job_id for row in (await journal.page(Filter(state=JobState.COMPLETE), 10, None)).rows] == ["j3"]
    assert [row.job_id for row in (await journal.page(Filter(needs_review=True), 10, None)).rows] == ["j3"]


async def test_metadata_is_compared_as_the_text_of_its_json(journal):
    await journal.append(acceptance("j1", metadata={"urgent": True, "n": 1.5, "who": "Ann"}))
    for key, value in (("urgent", "true"), ("n", "1.5"), ("who", "Ann")):
        assert [row.job_id for row in (await journal.page(Filter(metadata={key: value}), 10, None)).rows] == ["j1"]
    assert (await journal.page(Filter(metadata={"urgent": "1"}), 10, None)).rows == ()


async def test_an_event_that_this_version_does_not_know_stops_that_job_alone(tmp_path):
    journal = SqliteJournal(tmp_path / "journal.db")
    await journal.append(acceptance("j1"))
    await journal.append(acceptance("j2"))
    with sqlite3.connect(tmp_path / "journal.db") as connection:
        connection.execute("UPDATE events SET body = ? WHERE job_id = 'j1'", (b'{"kind": "job.teleported"}',))
    connection.close()
    with pytest.raises(JournalUnreadable, match="event 1 of job j1"):
        await journal.read("j1")
    assert len(await journal.read("j2")) == 1
    await journal.close()


async def test_two_processes_share_one_file(tmp_path):
    one, two = SqliteJournal(tmp_path / "journal.db"), SqliteJournal(tmp_path / "journal.db")
    await one.append(acceptance())
    results = await asyncio.gather(
        one.append(more(STARTED, append_id="one")), two.append(more(STARTED, append_id="two")), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["AppendConflict", "NoneType"]
    assert len(await two.read("j1")) == 2
    await one.close()
    await two.close()


async def test_the_file_belongs_to_its_user_alone_and_syncs_each_commit(tmp_path):
    journal = SqliteJournal(tmp_path / "folder" / "journal.db")
    assert stat.S_IMODE(os.stat(tmp_path / "folder" / "journal.db").st_mode) == 0o600
    await journal.close()


async def test_a_file_that_is_no_journal_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "journal.db"
    path.write_bytes(b"this is a letter to my aunt" * 100)
    with pytest.raises(ConfigurationError, match=r"journal\.db is no journal of Ditto's"):
        SqliteJournal(path)
    assert path.read_bytes() == b"this is a letter to my aunt" * 100


async def test_a_file_of_a_newer_version_is_refused(tmp_path):
    path = tmp_path / "journal.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(ConfigurationError, match="newer Ditto"):
        SqliteJournal(path)


async def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="file"):
        SqliteJournal(tmp_path / "file" / "journal.db")
