"""How jobs leave a journal, by the same contract in each: forgotten, past retention, walked over; how leases end."""

from __future__ import annotations

import asyncio

import pytest

from ditto.domain import events as ev
from ditto.errors import AppendConflict, StaleEpoch
from ditto.store.port import Claim, Filter
from tests.integration.appends import COMPLETED, STARTED, acceptance, life, more
from tests.unit.domain.jobs import at


async def lived(journal, job_id, *, second=0.0, **changes):
    for append in life(job_id, second=second, **changes):
        await journal.append(append)


async def test_a_forgotten_job_leaves_nothing_and_its_key_is_free(journal):
    claim = Claim(key="k", fingerprint="f")
    await lived(journal, "j1", claim=claim, metadata={"team": "red"})
    assert await journal.forget("j1")
    assert (await journal.read("j1"), await journal.row("j1"), await journal.keyed("k")) == ([], None, None)
    assert (await journal.page(Filter(), 10, None)).rows == ()
    assert (await journal.page(Filter(metadata={"team": "red"}), 10, None)).rows == ()
    await journal.append(acceptance("j2", claim=claim))
    assert await journal.keyed("k") == ("j2", "f")


async def test_a_job_that_runs_is_not_forgotten(journal):
    await journal.append(acceptance())
    assert not await journal.forget("j1")
    assert len(await journal.read("j1")) == 1


async def test_an_unknown_job_is_forgotten_already(journal):
    assert await journal.forget("nobody")


async def test_nothing_is_appended_to_a_forgotten_job(journal):
    await lived(journal, "j1")
    await journal.forget("j1")
    retried = ev.JobRetried(holder="host:0", epoch=1, deadline_at=at(99))
    with pytest.raises(AppendConflict):
        await journal.append(more(retried, after=4, append_id="retry"))
    assert await journal.read("j1") == []


async def test_what_is_said_of_a_result_keeps_its_job_no_longer(journal):
    await lived(journal, "j1")
    said = ev.FeedbackGiven(correct=True, answer=None)
    await journal.append(more(said, after=4, append_id="said", second=90))
    assert await journal.expire(at(45), 2) == 1


async def test_what_ended_before_a_moment_expires_in_steps_the_oldest_first(journal):
    for n in range(5):
        await lived(journal, f"j{n}", second=10 * (5 - n))
    await journal.append(acceptance("open", second=0))
    assert await journal.expire(at(45), 2) == 2
    assert await journal.job_ids("", 10) == ["j0", "j1", "j2", "open"]
    assert await journal.expire(at(45), 2) == 2
    assert await journal.expire(at(45), 2) == 0
    assert await journal.job_ids("", 10) == ["j0", "open"]


async def test_a_batch_expires_when_all_of_it_has_ended(journal):
    for n in range(3):
        await lived(journal, f"done{n}", metadata={"batch": "b1", "row": n})
    await lived(journal, "alone", metadata={"row": 1})
    await lived(journal, "other", metadata={"batch": 7})
    await journal.append(acceptance("late", second=5, metadata={"batch": "b1"}))

    assert await journal.expire(at(100), 100) == 2
    assert await journal.job_ids("", 10) == ["done0", "done1", "done2", "late"]

    await journal.append(more(ev.JobCancelled(), job_id="late", second=200))
    assert await journal.expire(at(100), 100) == 0
    assert await journal.expire(at(300), 100) == 4
    assert await journal.job_ids("", 10) == []


async def test_a_retried_job_does_not_expire(journal):
    await lived(journal, "j1")
    await journal.append(more(ev.JobRetried(holder="host:0", epoch=1, deadline_at=at(99)), after=4, append_id="retry"))
    assert await journal.expire(at(1000), 10) == 0


async def test_expiring_frees_the_keys(journal):
    await lived(journal, "j1", claim=Claim(key="k", fingerprint="f"))
    await journal.expire(at(100), 10)
    assert await journal.keyed("k") is None


async def test_purging_is_done_when_nothing_else_uses_the_store(journal):
    assert await journal.purge()
    await lived(journal, "j1")
    await journal.forget("j1")
    assert await journal.purge()
    assert await journal.purge()


async def test_all_jobs_are_walked_over_in_one_order(journal):
    names = ["a", "B", "c", "Z", "é", "01K", "01k"]
    await asyncio.gather(*(journal.append(acceptance(name)) for name in names))
    walked, after = [], ""
    while ids := await journal.job_ids(after, 2):
        walked += ids
        after = ids[-1]
    assert walked == sorted(names)


async def test_a_released_holders_jobs_are_orphans_at_once(journal):
    epoch = await journal.begin_epoch("host:0")
    await journal.append(acceptance())
    await journal.renew("host:0", epoch, at(1000))
    await journal.release("host:0", epoch)
    assert [row.job_id for row in await journal.orphans(at(10), at(9))] == ["j1"]


async def test_an_earlier_epoch_releases_nothing(journal):
    first = await journal.begin_epoch("host:0")
    later = await journal.begin_epoch("host:0")
    await journal.append(acceptance())
    await journal.renew("host:0", later, at(1000))
    await journal.release("host:0", first)
    await journal.release("nobody", 1)
    assert await journal.orphans(at(10), at(9)) == []


async def test_a_lease_that_was_never_begun_cannot_be_renewed(journal):
    with pytest.raises(StaleEpoch):
        await journal.renew("host:0", 1, at(10))


async def test_an_ended_job_is_nobodys_orphan(journal):
    await lived(journal, "j1")
    await journal.append(acceptance("j2"))
    await journal.append(more(STARTED, COMPLETED, job_id="j2"))
    assert await journal.orphans(at(1000), at(1000)) == []


async def test_orphans_come_oldest_first(journal):
    for n in (3, 1, 2):
        await journal.append(acceptance(f"j{n}", second=n))
    assert [row.job_id for row in await journal.orphans(at(1000), at(1000))] == ["j1", "j2", "j3"]
