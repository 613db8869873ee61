"""A job that has ended can be retried: its failed models are asked again, and no good reply is."""

from __future__ import annotations

import asyncio

import pytest

from ditto.domain import view
from ditto.domain.events import Event, Failure, FeedbackGiven, JobRetried, Recorded, Reply
from ditto.domain.job import ENDS, JobState
from ditto.errors import Conflict, NotFound
from ditto.runtime.runner import utc_now
from ditto.store.memory import MemoryJournal
from ditto.store.port import Append
from tests.unit.runtime.house import WAIT_S, House, asked, result, until

DOWN = Failure(type="Unreachable", message="no route")
SCHEMA = {"type": "integer"}


@pytest.fixture
async def house():
    built = House(a=Reply(text="42"), down=DOWN)
    yield built
    await built.close()


async def test_only_the_failed_models_are_asked_again(house):
    host = await house.host()
    await host.accept("j1", asked("a", "down"), None)
    assert view.errors(await house.ended(host, "j1"))
    del house.models._answers["down"]
    retried = await host.retry("j1")
    assert retried.state is JobState.RUNNING
    house.models.release("down", Reply(text="42"))
    job = await house.ended(host, "j1")
    assert result(job) == "42"
    assert view.errors(job) == {}
    assert house.models.asked == {"a": 1, "down": 2}


async def test_a_failed_job_is_complete_after_a_good_retry(house):
    host = await house.host()
    await host.accept("j1", asked("down"), None)
    assert (await house.ended(host, "j1")).state is JobState.ERROR
    del house.models._answers["down"]
    await host.retry("j1")
    house.models.release("down", Reply(text="42"))
    assert result(await house.ended(host, "j1")) == "42"


async def test_a_job_of_which_nothing_failed_is_returned_as_it_is(house):
    host = await house.host()
    await host.accept("j1", asked("a"), None)
    ended = await house.ended(host, "j1")
    assert await host.retry("j1") == ended
    assert house.models.asked == {"a": 1}


async def test_a_running_a_cancelled_and_an_unknown_job_are_refused(house):
    host = await house.host()
    await host.accept("j1", asked("slow"), None)
    with pytest.raises(Conflict, match="is running"):
        await host.retry("j1")
    await host.cancel("j1")
    with pytest.raises(Conflict, match="is cancelled"):
        await host.retry("j1")
    with pytest.raises(NotFound):
        await host.retry("j2")


class CrowdedJournal(MemoryJournal):
    """A journal in which somebody else is always a little quicker to append what `before` says."""

    before: tuple[Event, ...] = ()

    async def append(self, append: Append) -> None:
        quicker, self.before = self.before, ()
        for number, event in enumerate(quicker):
            after = len(await self.read(append.job_id))
            events = ((utc_now(), event),)
            await super().append(Append(job_id=append.job_id, id=f"other {number}", after=after, events=events))
        await super().append(append)


async def test_feedback_that_is_quicker_than_a_retry_does_not_stop_it(house):
    house.journal = CrowdedJournal()
    host = await house.host()
    await host.accept("j1", asked("a", "down"), None)
    await house.ended(host, "j1")
    house.journal.before = (FeedbackGiven(correct=True, answer=None),)
    assert (await host.retry("j1")).retries == 1
    assert (await house.ended(host, "j1")).state is JobState.COMPLETE


async def test_a_retry_that_another_one_has_outrun_says_that_the_job_runs(house):
    house.journal = CrowdedJournal()
    host = await house.host()
    await host.accept("j1", asked("a", "down"), None)
    ended = await house.ended(host, "j1")
    house.journal.before = (JobRetried(holder="host:9", epoch=1, deadline_at=ended.spec.deadline_at),)
    with pytest.raises(Conflict, match="is running"):
        await host.retry("j1")


async def test_a_retry_survives_the_death_of_its_holder_and_repeats_no_call(house):
    host = await house.host()
    await host.accept("j1", asked("a", "down"), None)
    await house.ended(host, "j1")
    del house.models._answers["down"]
    await host.retry("j1")
    await until(lambda: house.models.asked["down"] == 2)
    await house.kill_9(host)
    successor = await house.host()
    house.models.release("down", Reply(text="42"))
    assert view.errors(await house.ended(successor, "j1")) == {}
    assert house.models.asked == {"a": 1, "down": 2}


async def test_a_reply_that_missed_the_schema_twice_is_asked_for_afresh(house):
    house.models._answers.pop("a")
    host = await house.host()
    await host.accept("j1", asked("a", schema=SCHEMA), None)
    house.models.release("a", Reply(text="forty-two"))
    assert (await house.ended(host, "j1")).state is JobState.ERROR
    del house.models._answers["a"]
    await host.retry("j1")
    house.models.release("a", Reply(text="42"))
    job = await house.ended(host, "j1")
    assert result(job) == 42
    assert view.render(job)["usage"]["calls"] == 3


async def test_a_retried_job_has_as_much_time_as_it_had_at_first_and_its_times_begin_anew(house):
    host = await house.host()
    await host.accept("j1", asked("a", "down"), None)
    first = await house.ended(host, "j1")
    retried = await host.retry("j1")
    assert retried.begun_at > first.updated_at
    at_first, now = first.spec.deadline_at - first.accepted_at, retried.spec.deadline_at - retried.begun_at
    assert now.total_seconds() == pytest.approx(at_first.total_seconds(), abs=1)
    assert (await host.wait("j1", WAIT_S)).retries == 1


class SlowToTell(MemoryJournal):
    """A journal whose readers see an end before its writer is told of it."""

    told: asyncio.Event | None = None

    async def append(self, append: Append) -> None:
        await super().append(append)
        if self.told is not None and any(type(event) in ENDS for _, event in append.events):
            told, self.told = self.told, None
            await told.wait()


async def test_a_job_that_is_retried_before_its_holder_knows_of_its_end_is_still_run_there(house):
    house.journal = SlowToTell()
    told = house.journal.told = asyncio.Event()
    host = await house.host()
    await host.accept("j1", asked("a", "down"), None)
    await until(lambda: house.journal.told is None)
    del house.models._answers["down"]

    await host.retry("j1")
    told.set()
    await until(lambda: house.models.asked["down"] == 2)
    house.models.release("down", Reply(text="42"))
    job = await house.ended(host, "j1")

    assert (view.errors(job), job.adoptions) == ({}, 0)
    assert house.models.asked == {"a": 1, "down": 2}


async def test_a_retried_jobs_lease_is_renewed_though_its_holder_was_about_to_let_it_go(house):
    class Reading(MemoryJournal):
        reading: asyncio.Event | None = None

        async def read(self, job_id: str, after: int = 0, limit: int | None = None) -> list[Recorded]:
            if self.reading is not None:
                await self.reading.wait()
            return await super().read(job_id, after, limit)

    house.journal = Reading()
    host = await house.host()
    host._lease.length_s = 0.03
    await host.accept("j1", asked("a", "down"), None)
    await house.ended(host, "j1")
    read = house.journal.reading = asyncio.Event()
    retrying = asyncio.ensure_future(host.retry("j1"))
    await until(lambda: host._tenure.rests)
    del house.models._answers["down"]

    read.set()
    await retrying

    assert not host._tenure.rests
    await host.cancel("j1")
