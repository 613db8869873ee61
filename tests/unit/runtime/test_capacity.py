"""So many jobs run at once; beyond that they wait, beyond that they are refused, and nothing that waits is lost."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from ditto.domain.events import CallStarted, Failure, JobAdopted, JobCancelled, Reply
from ditto.domain.job import Completed, JobState, fold
from ditto.errors import HolderGone, RateLimited, Unavailable
from ditto.runtime import held
from ditto.runtime.following import Place
from ditto.runtime.held import Capacity
from ditto.runtime.runner import utc_now
from tests.unit.runtime.house import WAIT_S, House, asked, result, until

ONE_AND_TWO = Capacity(running=1, waiting=2)


@pytest.fixture
async def house():
    built = House(a=Reply(text="42"))
    yield built
    await built.close()


async def kinds(house, job_id):
    return [record.event.kind for record in await house.journal.read(job_id)]


async def test_a_job_beyond_the_bound_waits_and_asks_no_model(house):
    host = await house.host(capacity=ONE_AND_TWO)
    await host.accept("j1", asked("slow"), None)
    waiting = await host.accept("j2", asked("a"), None)
    assert waiting.state is JobState.PENDING
    assert await kinds(house, "j2") == ["job.accepted"]
    await until(lambda: house.models.asked == {"slow": 1})


async def test_a_waiting_job_begins_when_another_has_ended(house):
    host = await house.host(capacity=ONE_AND_TWO)
    await host.accept("j1", asked("slow"), None)
    await host.accept("j2", asked("a"), None)
    house.models.release("slow", Reply(text="1"))
    assert result(await house.ended(host, "j2")) == "42"


async def test_jobs_begin_in_the_order_in_which_they_came(house):
    host = await house.host(capacity=ONE_AND_TWO)
    for job_id in ("j1", "j2", "j3"):
        await host.accept(job_id, asked(f"model of {job_id}"), None)
    house.models.release("model of j1", Reply(text="1"))
    await until(lambda: house.models.asked["model of j2"] == 1)
    assert house.models.asked["model of j3"] == 0


async def test_a_job_beyond_what_may_wait_is_refused_and_leaves_nothing(house):
    host = await house.host(capacity=ONE_AND_TWO)
    for job_id in ("j1", "j2", "j3"):
        await host.accept(job_id, asked("slow"), None)
    with pytest.raises(RateLimited, match="1 jobs run, 2 wait"):
        await host.accept("j4", asked("a"), None)
    assert await house.journal.read("j4") == []


async def test_who_waits_for_a_waiting_job_sees_it_as_it_stands_and_later_its_end(house):
    host = await house.host(capacity=ONE_AND_TWO)
    await host.accept("j1", asked("slow"), None)
    await host.accept("j2", asked("a"), None)
    assert (await host.wait("j2", 0.01)).state is JobState.PENDING
    house.models.release("slow", Reply(text="1"))
    assert isinstance((await host.wait("j2", WAIT_S)).outcome, Completed)


async def test_events_of_a_waiting_job_are_those_that_it_has_and_then_those_that_come(house):
    host = await house.host(capacity=ONE_AND_TWO)
    await host.accept("j1", asked("slow"), None)
    await host.accept("j2", asked("slow"), None)
    assert [record.event.kind for record in (await host.follow("j2", Place(after=0), WAIT_S)).records] == [
        "job.accepted"
    ]
    await host.cancel("j1")
    assert isinstance((await host.follow("j2", Place(after=1), WAIT_S)).records[0].event, CallStarted)


async def test_a_waiting_job_can_be_cancelled(house):
    host = await house.host(capacity=ONE_AND_TWO)
    await host.accept("j1", asked("slow"), None)
    await host.accept("j2", asked("a"), None)
    assert (await host.cancel("j2")).state is JobState.CANCELLED
    assert isinstance((await house.journal.read("j2"))[-1].event, JobCancelled)
    assert house.models.asked == {"slow": 1}


async def test_a_waiting_job_ends_at_its_deadline(house, monkeypatch):
    monkeypatch.setattr(held, "LOOK_S", 0.001)
    host = await house.host(capacity=ONE_AND_TWO)
    await host.accept("j1", asked("slow"), None)
    await host.accept("j2", asked("a", deadline_at=utc_now() + timedelta(milliseconds=20)), None)
    ended = await house.ended(host, "j2")
    assert ended.outcome.type == "DeadlineExceeded"
    assert house.models.asked == {"slow": 1}


async def test_what_waited_at_a_crash_waits_again_and_is_adopted_at_its_turn(house):
    host = await house.host(capacity=ONE_AND_TWO)
    await host.accept("j1", asked("slow"), None)
    await host.accept("j2", asked("a"), None)
    await house.kill_9(host)
    successor = await house.host(capacity=ONE_AND_TWO)
    assert await kinds(house, "j2") == ["job.accepted"]
    house.models.release("slow", Reply(text="1"))
    assert result(await house.ended(successor, "j2")) == "42"
    assert isinstance((await house.journal.read("j2"))[1].event, JobAdopted)
    assert house.models.asked == {"slow": 1, "a": 1}


async def test_what_waited_at_another_holder_waits_at_the_one_that_takes_it_up(house):
    gone = await house.host("host:1", capacity=ONE_AND_TWO)
    await gone.accept("j1", asked("slow"), None)
    await gone.accept("j2", asked("a"), None)
    await house.kill_9(gone)
    host = await house.host(capacity=ONE_AND_TWO)
    await host.take_up([row for row in (await house.journal.row("j1"), await house.journal.row("j2")) if row])
    assert fold("j2", await house.journal.read("j2")).holder == "host:0"
    assert fold("j2", await house.journal.read("j2")).state is JobState.PENDING
    house.models.release("slow", Reply(text="1"))
    assert result(await house.ended(host, "j2")) == "42"


async def test_a_draining_holder_takes_nothing_new_and_begins_nothing_that_waits(house):
    host = await house.host(capacity=ONE_AND_TWO)
    await host.accept("j1", asked("slow"), None)
    await host.accept("j2", asked("a"), None)
    await host.drain()
    with pytest.raises(Unavailable, match="draining"):
        await host.accept("j3", asked("a"), None)
    house.models.release("slow", Reply(text="1"))
    await house.ended(host, "j1")
    assert await kinds(house, "j2") == ["job.accepted"]
    assert (await host.status()).open_jobs == 1


async def test_a_holder_that_closes_lets_go_of_its_lease(house):
    host = await house.host()
    await host.accept("j1", asked("slow"), None)
    await until(lambda: house.journal._leases["host:0"].until > utc_now())
    await host.close()
    assert [row.job_id for row in await house.journal.orphans(utc_now(), utc_now())] == ["j1"]


async def test_a_holder_that_has_closed_takes_no_job_back_and_sends_away_who_waits(house):
    host = await house.host()
    await host.accept("j1", asked("slow"), None)
    waiting = asyncio.ensure_future(host.wait("j1", WAIT_S))
    await until(lambda: house.models.asked == {"slow": 1})
    await host.close()
    with pytest.raises(HolderGone):
        await waiting
    with pytest.raises(HolderGone):
        await host.wait("j1", WAIT_S)
    with pytest.raises(HolderGone):
        await host.take_up([await house.journal.row("j1")])
    assert [row.job_id for row in await house.journal.orphans(utc_now(), utc_now())] == ["j1"]
    assert await kinds(house, "j1") == ["job.accepted", "call.started"]


async def test_a_retry_is_refused_where_as_many_jobs_run_as_may(house):
    host = await house.host(capacity=ONE_AND_TWO)
    await host.accept("j1", asked("down"), None)
    house.models.release("down", Failure(type="Unreachable", message="connection refused"))
    await house.ended(host, "j1")
    await host.accept("j2", asked("slow"), None)
    with pytest.raises(RateLimited):
        await host.retry("j1")


async def test_where_waiting_jobs_have_gone_elsewhere_the_next_one_begins(house):
    host, other = await house.host(capacity=ONE_AND_TWO), await house.host("host:1")
    for job_id in ("j1", "j2", "j3"):
        await host.accept(job_id, asked("slow" if job_id == "j1" else "a"), None)
    await house.lapse(host)
    await other.take_up([await house.journal.row("j2")])
    await house.ended(other, "j2")
    house.models.release("slow", Reply(text="1"))
    assert result(await house.ended(host, "j3")) == "42"


async def test_a_job_stays_with_a_holder_that_has_come_back_before_it_was_taken_over(house):
    host, other = await house.host(), await house.host("host:1")
    await host.accept("j1", asked("slow"), None)
    await until(lambda: house.models.asked == {"slow": 1})
    await other.take_up([await house.journal.row("j1")])
    house.models.release("slow", Reply(text="42"))
    assert (await house.ended(host, "j1")).holder == "host:0"
    assert "job.adopted" not in await kinds(house, "j1")


async def test_a_job_that_waits_anew_after_a_crash_is_left_to_who_has_taken_it_over(house):
    crashed, other = await house.host(capacity=ONE_AND_TWO), await house.host("host:1")
    await crashed.accept("j1", asked("slow"), None)
    await crashed.accept("j2", asked("second"), None)
    await house.kill_9(crashed)
    host = await house.host(capacity=ONE_AND_TWO)
    await house.lapse(host)
    await other.take_up([await house.journal.row("j2")])
    await until(lambda: house.models.asked["second"] == 1)
    house.models.release("slow", Reply(text="1"))
    await house.ended(host, "j1")
    house.models.release("second", Reply(text="42"))
    assert (await house.ended(other, "j2")).holder == "host:1"
    assert (await kinds(house, "j2")).count("job.adopted") == 1


async def test_jobs_that_are_given_twice_at_once_are_adopted_once(house):
    crashed = await house.host("host:1", capacity=ONE_AND_TWO)
    await crashed.accept("j1", asked("slow"), None)
    await crashed.accept("j2", asked("a"), None)
    await house.kill_9(crashed)
    rows = [await house.journal.row("j2")]
    host = await house.host(capacity=ONE_AND_TWO)
    await host.accept("j3", asked("other"), None)
    await asyncio.gather(*(host.take_up(rows) for _ in range(2)))
    await host._adopter.take_up(rows)
    assert await kinds(house, "j2") == ["job.accepted", "job.adopted"]
