"""Every journal keeps the same contract: the one in memory, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from ditto.domain import events as ev
from ditto.domain.job import JobState
from ditto.errors import AppendConflict, KeyTaken, StaleEpoch
from ditto.store.opening import open_journal
from ditto.store.port import Claim, Filter
from tests.integration.appends import COMPLETED, STARTED, acceptance, life, more
from tests.unit.domain.jobs import NOON, at


async def test_what_was_appended_is_read_in_order(journal):
    await journal.append(acceptance())
    await journal.append(more(STARTED, COMPLETED))
    records = await journal.read("j1")
    assert [record.seq for record in records] == [1, 2, 3]
    assert records[1].event == STARTED
    assert records[0].at == NOON
    assert [record.seq for record in await journal.read("j1", after=2)] == [3]
    assert [record.seq for record in await journal.read("j1", after=1, limit=1)] == [2]


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


async def test_an_append_that_no_database_takes_fails_alone_in_its_batch(journal):
    unwritable = acceptance("odd", claim=Claim(key="\ud800", fingerprint="half a character"))
    appends = [acceptance(f"j{n}") for n in range(10)] + [unwritable] + [acceptance(f"j{n}") for n in range(10, 20)]
    results = await asyncio.gather(*(journal.append(append) for append in appends), return_exceptions=True)
    assert [result for place, result in enumerate(results) if place != 10] == [None] * 20
    assert {len(await journal.read(f"j{n}")) for n in range(20)} == {1}


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


async def test_a_job_is_not_taken_over_from_a_holder_that_has_come_back(journal):
    epoch = await journal.begin_epoch("host:0")
    await asyncio.gather(journal.append(acceptance()), journal.append(acceptance("j2")))
    await journal.renew("host:0", epoch, at(30))
    taking_over = replace(more(ev.JobAdopted(holder="host:1", epoch=1), append_id="over"), unheld_at=at(20))
    results = await asyncio.gather(
        journal.append(taking_over), journal.append(more(STARTED, job_id="j2")), return_exceptions=True
    )
    assert [type(result) for result in results] == [AppendConflict, type(None)]
    assert (await journal.row("j1")).holder == "host:0"
    await journal.append(replace(taking_over, unheld_at=at(31)))
    await journal.append(replace(taking_over, unheld_at=at(20)))  # again: it has been written
    assert (await journal.row("j1")).holder == "host:1"


async def test_a_job_whose_holder_never_had_a_lease_can_be_taken_over(journal):
    await journal.append(acceptance())
    await journal.append(replace(more(ev.JobAdopted(holder="host:1", epoch=1)), unheld_at=at(20)))
    assert (await journal.row("j1")).holder == "host:1"


async def test_an_earlier_epoch_cannot_renew_the_lease(journal):
    first = await journal.begin_epoch("host:0")
    assert await journal.begin_epoch("host:0") == first + 1
    with pytest.raises(StaleEpoch):
        await journal.renew("host:0", first, at(30))


async def test_a_lease_is_claimed_by_one_until_it_runs_out_or_is_given_back(journal):
    assert await journal.claim("batch:a", at(0), at(10)) == 1
    assert await journal.claim("batch:a", at(5), at(15)) is None
    await journal.renew("batch:a", 1, at(20))
    assert await journal.claim("batch:a", at(15), at(25)) is None
    assert await journal.claim("batch:a", at(21), at(30)) == 2
    with pytest.raises(StaleEpoch):
        await journal.renew("batch:a", 1, at(40))
    await journal.release("batch:a", 2)
    assert await journal.claim("batch:a", at(22), at(30)) == 3


async def test_of_many_who_claim_a_lease_at_once_one_gets_it(journal):
    claims = await asyncio.gather(*(journal.claim("batch:a", at(0), at(10)) for _ in range(20)))
    assert [claim for claim in claims if claim is not None] == [1]


async def test_jobs_are_listed_newest_first_page_by_page(journal):
    for n in range(5):
        await journal.append(acceptance(f"j{n}", second=n, metadata={"team": "red" if n % 2 else "blue", "n": n}))
    await journal.append(more(STARTED, COMPLETED, job_id="j3", second=9))
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


async def test_an_acceptance_that_comes_twice_at_once_is_one(journal):
    same = acceptance(claim=Claim(key="k", fingerprint="f"))
    await asyncio.gather(journal.append(same), journal.append(same), journal.append(same))
    assert len(await journal.read("j1")) == 1


async def test_of_a_hundred_simultaneous_claims_of_one_key_one_wins_and_the_others_are_told_which(journal):
    claim = Claim(key="order-7", fingerprint="f")
    results = await asyncio.gather(
        *(journal.append(acceptance(f"j{n}", claim=claim)) for n in range(100)), return_exceptions=True
    )
    winner, _ = await journal.keyed("order-7")
    assert [n for n, result in enumerate(results) if result is None] == [int(winner[1:])]
    assert {result.job_id for result in results if isinstance(result, KeyTaken)} == {winner}
    assert await journal.job_ids("", 200) == [winner]


async def test_a_conflict_and_a_taken_key_leave_the_rest_of_their_batch_written(journal):
    await journal.append(acceptance("first", claim=Claim(key="k", fingerprint="f")))
    results = await asyncio.gather(
        journal.append(acceptance("late", claim=Claim(key="k", fingerprint="f"))),
        journal.append(acceptance("new", claim=Claim(key="other", fingerprint="f"))),
        journal.append(more(STARTED, job_id="nobody")),
        journal.append(more(STARTED, job_id="first")),
        journal.begin_epoch("host:0"),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [KeyTaken, type(None), AppendConflict, type(None), int]
    assert [len(await journal.read(job_id)) for job_id in ("first", "late", "new", "nobody")] == [2, 0, 1, 0]
    assert await journal.keyed("other") == ("new", "f")


async def test_a_job_that_is_retried_after_its_end_is_open_again_under_its_new_deadline(journal):
    for append in life(metadata={"team": "red"}):
        await journal.append(append)
    ended = await journal.row("j1")
    assert (ended.state, ended.deadline_at) == (JobState.COMPLETE, at(1800))

    again = ev.JobRetried(holder="host:1", epoch=3, deadline_at=at(3600))
    await journal.append(more(again, after=4, append_id="retry", second=60))

    row = await journal.row("j1")
    assert (row.state, row.holder, row.deadline_at) == (JobState.RUNNING, "host:1", at(3600))
    assert [row.job_id for row in await journal.held("host:1")] == ["j1"]
    assert (await journal.page(Filter(needs_review=True), 10, None)).rows == ()
    await journal.append(more(COMPLETED, after=5, append_id="end again", second=61))
    assert await journal.held("host:1") == []
    assert (await journal.row("j1")).state is JobState.COMPLETE


async def test_a_deadline_that_passes_before_any_call_makes_the_job_a_running_one(journal):
    await journal.append(acceptance())
    await journal.append(more(ev.DeadlinePassed()))
    assert (await journal.row("j1")).state is JobState.RUNNING


async def test_any_text_is_kept_and_found(journal):
    odd = 'Zoë says "null" \\ \N{SNOWMAN} \x00 %s %(name)s :name ?'
    claim = Claim(key="ключ %s", fingerprint=odd.replace("\x00", ""))
    await journal.append(acceptance("j1", system=odd, metadata={odd: odd, "%": 1}, claim=claim))
    (record,) = await journal.read("j1")
    assert record.event.spec.system == odd
    assert await journal.keyed("ключ %s") == ("j1", claim.fingerprint)
    assert [row.job_id for row in (await journal.page(Filter(metadata={odd: odd}), 10, None)).rows] == ["j1"]


async def test_an_append_that_cannot_be_encoded_fails_alone(store):
    journal = open_journal(store)
    good = [journal.append(acceptance(f"j{n}")) for n in range(5)]
    bad = journal.append(acceptance("bad", metadata={"when": NOON}))
    results = await asyncio.gather(*good, bad, return_exceptions=True)
    assert results[:5] == [None] * 5
    assert isinstance(results[5], TypeError)
    assert await journal.row("bad") is None
    await journal.close()


async def test_many_jobs_with_long_texts_are_written_together(journal):
    text = "x" * 200_000
    await asyncio.gather(*(journal.append(acceptance(f"j{n:03}", system=text)) for n in range(40)))
    assert await journal.job_ids("", 100) == [f"j{n:03}" for n in range(40)]
    assert (await journal.read("j039"))[0].event.spec.system == text


async def test_the_writing_check_changes_no_job(journal):
    await journal.append(acceptance())
    await journal.check()
    assert await journal.job_ids("", 10) == ["j1"]
    assert len(await journal.read("j1")) == 1


async def test_a_key_that_the_database_cannot_hold_fails_alone(store):
    journal = open_journal(store)
    results = await asyncio.gather(
        journal.append(acceptance("odd", claim=Claim(key="\x00", fingerprint="f"))),
        journal.append(acceptance("good", claim=Claim(key="k", fingerprint="f"))),
        return_exceptions=True,
    )
    assert results[1] is None
    assert results[0] is None or str(results[0]) == "an event of job odd cannot be kept: DataError"
    await journal.close()
