"""A holder of jobs: what it accepts ends, after its own death and after a caller's, and nothing is asked twice."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from ditto.domain.events import Failure, JobAccepted, JobCancelled, Recorded, Reply
from ditto.domain.job import Errored, JobState
from ditto.domain.spec import Message
from ditto.errors import HolderGone, KeyTaken, SpareTaken, StaleEpoch, StoreError, StoreUnavailable
from ditto.providers.port import ModelRequest
from ditto.runtime import calling, runner
from ditto.runtime.caller import Caller
from ditto.runtime.following import Place
from ditto.runtime.held import Capacity
from ditto.runtime.orders import NOTHING_SEEN, Order
from ditto.runtime.runner import utc_now
from ditto.store.memory import MemoryJournal
from ditto.store.port import Append, Claim
from tests.unit.runtime.callers import CannedModels
from tests.unit.runtime.house import WAIT_S, House, asked, result, until

REQUEST = ModelRequest(model="a", messages=(Message(role="user", content="?"),))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(calling, "PAUSE_S", 0.0)
    monkeypatch.setattr(runner, "STORE_PAUSE_S", 0.0)


@pytest.fixture
async def house():
    built = House(a=Reply(text="42"), b=Reply(text="It is 42."))
    yield built
    await built.close()


async def eventually(ask, wanted):
    async with asyncio.timeout(WAIT_S):
        while await ask() != wanted:  # noqa: ASYNC110  # nothing tells when another process has written
            await asyncio.sleep(0.001)


async def test_an_accepted_job_is_durable_before_it_is_shown(house):
    host = await house.host()
    job = await host.accept("j1", asked("a", "b"), None)
    first = (await house.journal.read("j1"))[0]
    assert isinstance(first.event, JobAccepted)
    assert job.id == "j1"


async def test_a_job_that_ends_while_its_acceptance_is_waited_for_is_shown_as_it_ended(house):
    host = await house.host()
    job = await host.accept("j1", asked("a", "b"), None, WAIT_S)
    assert result(job) in ("42", "It is 42.")
    assert job.seq == len(await house.journal.read("j1"))


async def test_a_job_that_does_not_end_in_that_time_is_shown_as_it_stands(house):
    host = await house.host()
    job = await host.accept("j1", asked("slow"), None, 0.001)
    assert job.state is JobState.RUNNING


async def test_a_job_ends_with_the_panels_verdict(house):
    host = await house.host()
    await host.accept("j1", asked("a", "b"), None)
    job = await house.ended(host, "j1")
    assert result(job) in ("42", "It is 42.")
    assert house.models.asked == {"a": 1, "b": 1}


async def test_waiting_returns_the_job_as_it_stands_when_the_time_is_over(house):
    host = await house.host()
    await host.accept("j1", asked("a", "slow"), None)
    assert (await host.wait("j1", 0.01)).state is JobState.RUNNING


async def test_events_come_as_they_are_journalled(house):
    host = await house.host()
    await host.accept("j1", asked("a", "slow"), None)
    kinds: list[str] = []
    while "call.completed" not in kinds:
        kinds += [record.event.kind for record in (await host.follow("j1", Place(after=len(kinds)), WAIT_S)).records]
    house.models.release("slow", Reply(text="42"))
    more = (await host.follow("j1", Place(after=len(kinds)), WAIT_S)).records
    assert [record.event.kind for record in more] == ["call.completed", "job.completed"]


async def test_a_cancelled_job_cancels_its_calls(house):
    host = await house.host()
    await host.accept("j1", asked("a", "slow"), None)
    await until(lambda: house.models.asked["slow"] == 1)
    job = await host.cancel("j1")
    assert job.state is JobState.CANCELLED
    await until(lambda: house.models.cancelled["slow"] == 1)


async def test_a_dead_holders_successor_goes_on_without_asking_again(house):
    first = await house.host()
    await first.accept("j1", asked("a", "slow"), None)
    await until(lambda: house.models.asked["slow"] == 1)
    await first.close()
    house.models.release("slow", Reply(text="42"))
    second = await house.host()
    job = await house.ended(second, "j1")
    assert result(job) == "42"
    assert house.models.asked == {"a": 1, "slow": 1}
    assert job.epoch == 2


async def test_replies_for_several_recovered_jobs_are_all_taken_and_none_is_asked_again(house):
    first = await house.host()
    names = [f"slow{n}" for n in range(8)]
    for name in names:
        await first.accept(f"job-{name}", asked(name), None)
    await until(lambda: sum(house.models.asked.values()) == len(names))
    await first.close()
    for name in names:
        house.models.release(name, Reply(text="42"))
    await until(lambda: house.caller.caller.status()["kept"] == len(names))
    await house.host()
    await eventually(lambda: house.journal.held("host:0"), [])
    assert set(house.models.asked.values()) == {1}


async def test_a_dead_callers_successor_is_asked_only_what_is_missing(house):
    host = await house.host()
    await host.accept("j1", asked("a", "slow"), None)
    await until(lambda: house.models.asked == {"a": 1, "slow": 1})
    await until(lambda: house.caller.caller.status()["running"] == 1)
    await host.follow("j1", Place(after=3), WAIT_S)
    await house.caller.kill()
    house.caller.start()
    await until(lambda: house.models.asked["slow"] == 2)
    house.models.release("slow", Reply(text="42"))
    assert result(await house.ended(host, "j1")) == "42"
    assert house.models.asked == {"a": 1, "slow": 2}


async def test_a_thawed_copy_is_refused_by_the_callers(house):
    await house.caller.call_models("host:0", 2, [], [])
    with pytest.raises(StaleEpoch):
        await house.caller.call_models("host:0", 1, [], [])
    with pytest.raises(StaleEpoch):
        await house.caller.poll("host:0", 1, NOTHING_SEEN, [], 0)


async def test_a_thawed_copy_stops_and_nothing_of_it_reaches_a_client(house):
    thawed = await house.host()
    await thawed.accept("j1", asked("a", "slow"), None)
    await until(lambda: house.models.asked["slow"] == 1)
    successor = await house.host()
    waiting = asyncio.ensure_future(thawed.wait("j1", WAIT_S))
    house.models.release("slow", Reply(text="42"))
    assert result(await successor.wait("j1", WAIT_S)) == "42"
    outcome = await asyncio.gather(waiting, return_exceptions=True)
    assert isinstance(outcome[0], HolderGone) or outcome[0].state is JobState.RUNNING


async def test_a_jobs_own_actor_takes_no_second_job(house):
    own = await house.host("job:j1")
    await own.accept("j1", asked("a"), None)
    with pytest.raises(SpareTaken):
        await own.accept("j2", asked("a"), None)


async def test_the_actor_of_a_job_that_has_ended_is_no_spare_after_a_restart(house):
    own = await house.host("job:j1")
    await own.accept("j1", asked("a"), None)
    await house.ended(own, "j1")
    await house.kill_9(own)
    again = await house.host("job:j1")
    assert (await again.status()).used
    with pytest.raises(SpareTaken):
        await again.accept("j1", asked("b"), None)


async def test_an_id_that_has_become_another_requests_job_is_refused_and_the_same_request_gets_its_own(house):
    host = await house.host()
    mine = asked("a", metadata={"mine": True})
    await host.accept("j1", mine, None)
    with pytest.raises(SpareTaken):
        await host.accept("j1", asked("b"), None)
    assert (await host.accept("j1", mine, None)).spec == mine
    assert house.models.asked["b"] == 0


async def test_a_spare_whose_key_was_taken_stays_a_spare(house):
    host, own = await house.host(), await house.host("job:j2")
    claim = Claim(key="k", fingerprint="f")
    await host.accept("j1", asked("a"), claim)
    with pytest.raises(KeyTaken):
        await own.accept("j2", asked("a"), claim)
    assert not (await own.status()).used
    assert (await own.accept("j2", asked("a"), None)).id == "j2"


async def test_all_models_failing_fails_the_job():
    house = House(a=Failure(type="Overloaded", message="503"))
    host = await house.host()
    await host.accept("j1", asked("a"), None)
    job = await house.ended(host, "j1")
    assert job.outcome == Errored(type="JobError", message="0 of 1 models gave a usable answer, 1 needed")
    await house.close()


async def test_a_job_on_which_ditto_stumbles_ends_and_says_so(house, monkeypatch, caplog):
    def stumble(job):
        raise ZeroDivisionError

    monkeypatch.setattr(runner.strategies, "verdict", stumble)
    host = await house.host()
    await host.accept("j1", asked("a"), None)
    job = await house.ended(host, "j1")
    assert isinstance(job.outcome, Errored)
    assert job.outcome.type == "InternalError"
    assert "j1" in job.outcome.message


class ChokingJournal(MemoryJournal):
    """A journal that cannot keep what ends one job, nor that it failed."""

    async def append(self, append: Append) -> None:
        if append.job_id == "odd" and append.after:
            raise StoreError("an event of job odd cannot be kept")
        await super().append(append)


async def test_a_job_whose_very_failure_cannot_be_kept_keeps_nobody_waiting_and_no_other_job_up(house, caplog):
    house.journal = ChokingJournal()
    host = await house.host(capacity=Capacity(running=1, waiting=9))
    await host.accept("odd", asked("slow"), None)
    await host.accept("j1", asked("b"), None)
    waiting = asyncio.ensure_future(host.wait("odd", WAIT_S))
    await asyncio.sleep(0)
    house.models.release("slow", Reply(text="42"))
    with pytest.raises(HolderGone):
        await waiting
    assert result(await house.ended(host, "j1")) == "It is 42."


class AwayJournal(MemoryJournal):
    """A journal that cannot write while `away` counts down."""

    away = 0

    async def append(self, append: Append) -> None:
        if self.away > 0:
            self.away -= 1
            raise StoreUnavailable("the disk is full")
        await super().append(append)


async def test_a_store_that_is_away_for_a_moment_delays_a_job_and_no_more(house):
    house.journal = AwayJournal()
    host = await house.host()
    await host.accept("j1", asked("slow"), None)
    house.journal.away = 3
    house.models.release("slow", Reply(text="42"))
    assert result(await house.ended(host, "j1")) == "42"
    assert house.journal.away == 0
    assert house.models.asked == {"slow": 1}


async def test_a_job_that_cannot_be_written_is_not_begun(house):
    house.journal = AwayJournal()
    own = await house.host("job:j1")
    house.journal.away = 1
    with pytest.raises(StoreUnavailable):
        await own.accept("j1", asked("a"), None)
    assert house.models.asked == {}
    assert not (await own.status()).used


async def test_grace_ends_the_waiting_for_a_hanging_model(house):
    host = await house.host()
    await host.accept("j1", asked("a", "hanging", grace_s=0.01), None)
    job = await house.ended(host, "j1")
    assert result(job) == "42"
    assert job.failures()["hanging"].type == "Timeout"
    await until(lambda: house.models.cancelled["hanging"] == 1)


async def test_a_call_on_which_ditto_stumbles_is_a_failed_call_and_not_a_hanging_job(house, caplog):
    async def stumble(*args, **options):
        raise ZeroDivisionError

    house.models.ask = stumble
    host = await house.host()
    await host.accept("j1", asked("a"), None)
    job = await house.ended(host, "j1")
    assert job.failures()["a"].type == "Failed"


async def test_a_holder_whose_job_was_taken_over_hears_of_it_and_asks_nobody(house):
    first, second = await house.host("host:0"), await house.host("host:1")
    await first.accept("j1", asked("slow"), None)
    await until(lambda: house.models.asked == {"slow": 1})
    waiting = asyncio.ensure_future(first.wait("j1", WAIT_S))
    await house.lapse(first)
    await second.adopt("j1")
    with pytest.raises(HolderGone):
        await waiting
    house.models.release("slow", Reply(text="42"))
    assert result(await house.ended(second, "j1")) == "42"
    await house.caller.kill()
    house.caller.start()
    await asyncio.sleep(0.05)
    assert house.models.asked == {"slow": 1}


async def test_a_job_that_the_journal_gives_to_a_holder_is_run_there_when_somebody_asks_for_it(house):
    host = await house.host()
    acceptance = JobAccepted(spec=asked("a"), holder="host:0")
    await house.journal.append(Append(job_id="j1", id="x", after=0, events=((utc_now(), acceptance),)))
    job = await house.ended(host, "j1")
    assert result(job) == "42"


async def test_a_journal_that_cannot_be_read_holds_no_other_job_up(house, caplog):
    broken = MemoryJournal()
    house.journal = broken
    for job_id, event in (("bad", JobCancelled()), ("good", JobAccepted(spec=asked("a"), holder="host:0"))):
        broken._records[job_id] = [("x", Recorded(seq=1, at=utc_now(), event=event))]

    async def held(holder):
        return [replace(await broken.row("good"), job_id=job_id) for job_id in ("bad", "good")]

    broken.held = held
    host = await house.host()
    assert result(await house.ended(host, "good")) == "42"


async def test_a_lease_is_held_as_long_as_a_job_is(house):
    host = await house.host()
    await host.accept("j1", asked("slow"), None)
    await until(lambda: house.journal._leases["host:0"].until > utc_now())
    await host.cancel("j1")


async def test_a_sent_again_order_has_only_the_time_left_that_it_had(house):
    times = []
    ask = house.models.ask

    async def timed(*args, timeout_s, **options):
        times.append(timeout_s)
        return await ask(*args, timeout_s=timeout_s, **options)

    house.models.ask = timed
    host = await house.host()
    await host.accept("j1", asked("slow", timeout_s=60.0), None)
    await until(lambda: len(times) == 1)
    await asyncio.sleep(0.05)
    await house.caller.kill()
    house.caller.start()
    await until(lambda: len(times) == 2)
    assert times[1] <= times[0] - 0.05
    house.models.release("slow", Reply(text="42"))
    assert result(await house.ended(host, "j1")) == "42"


async def test_a_caller_forgets_holders_that_have_gone_and_what_nobody_claims():
    now = 0.0
    caller = Caller("caller:0", "i", CannedModels({"a": Reply(text="42")}), keep_s=100, clock=lambda: now)
    for number in range(20):
        order = Order(
            id=f"j{number}/1/a", adoptions=0, provider="p", name="a", request=REQUEST, timeout_s=1, max_retries=0
        )
        await caller.call_models(f"job:j{number}", 1, [order], [])
    await until(lambda: caller.status()["kept"] == 20)
    now = 250.0
    await caller.call_models("host:0", 1, [], [])
    assert caller.status()["kept"] == 0
    now = 500.0
    await caller.call_models("host:0", 1, [], [])
    assert set(caller._desks) == {"host:0"}
    assert caller._owner == {}


async def test_a_holder_that_has_rested_until_its_caller_forgot_it_is_told_what_comes_then(house):
    now = 0.0
    house.caller._caller = Caller("caller:0", "i", house.models, keep_s=100, clock=lambda: now)
    host = await house.host()
    for number in range(3):
        await host.accept(f"j{number}", asked("a"), None)
        await house.ended(host, f"j{number}")
    now = 1000.0
    await house.caller.call_models("host:9", 1, [], [])
    assert set(house.caller.caller._desks) == {"host:9"}

    await host.accept("j9", asked("a"), None)

    assert result(await house.ended(host, "j9")) == "42"


async def test_a_thawed_copy_that_is_asked_for_its_job_does_not_take_it_back(house):
    thawed = await house.host()
    await thawed.accept("j1", asked("slow"), None)
    successor = await house.host()
    thawed._jobs._running.clear()
    with pytest.raises(HolderGone):
        await thawed.wait("j1", WAIT_S)
    house.models.release("slow", Reply(text="42"))
    job = await house.ended(successor, "j1")
    assert (result(job), job.epoch, job.adoptions) == ("42", 2, 1)
