"""A job that settles early cancels the calls that it does not wait for, at the model and not only on paper."""

from __future__ import annotations

import pytest

from ditto.domain import view
from ditto.domain.events import Failure, Reply
from ditto.domain.job import JobState, fold
from ditto.domain.spec import AnswerKind, Confident, SettleRule
from tests.unit.runtime.house import House, asked, result, until

DECIDED = {"settle": SettleRule.DECIDED, "answer": AnswerKind.NUMBER}
ANSWER = Reply(text="42")


@pytest.fixture
async def house():
    built = House(a=ANSWER, b=ANSWER)
    yield built
    await built.close()


async def test_the_calls_that_are_not_waited_for_are_cancelled_at_the_model(house):
    host = await house.host()
    await host.accept("j1", asked("a", "b", "slow", **DECIDED), None)
    job = await house.ended(host, "j1")
    await until(lambda: house.models.cancelled["slow"] == 1)
    assert (result(job), job.failures()["slow"].type) == ("42", "Cancelled")
    assert view.render(job)["usage"]["saved"] == 1
    assert house.caller.caller.status()["running"] == 0


async def test_the_journal_alone_tells_what_was_dropped_and_why(house):
    host = await house.host()
    await host.accept("j1", asked("a", "b", "slow", settle=Confident(confident=0.5)), None)
    job = await house.ended(host, "j1")
    assert fold("j1", await house.journal.read("j1")) == job
    assert job.failures()["slow"].message == "not waited for: the confidence had reached 0.5"


async def test_all_waits_for_the_last_model(house):
    host = await house.host()
    await host.accept("j1", asked("a", "b", "slow", answer=AnswerKind.NUMBER), None)
    await until(lambda: len(host._jobs.running("j1").runner.job.usable()) == 2)
    assert (await host.wait("j1", 0.0)).state is JobState.RUNNING
    house.models.release("slow", ANSWER)
    assert (await house.ended(host, "j1")).failures() == {}


async def test_after_its_holders_death_a_job_settles_early_all_the_same_and_asks_nobody_twice(house):
    host = await house.host()
    await host.accept("j1", asked("a", "late", "slow", **DECIDED), None)
    await until(lambda: len(host._jobs.running("j1").runner.job.usable()) == 1)
    await house.kill_9(host)
    house.models.release("late", ANSWER)
    successor = await house.host()
    job = await house.ended(successor, "j1")
    await until(lambda: house.models.cancelled["slow"] == 1)
    assert (result(job), view.render(job)["usage"]["saved"]) == ("42", 1)
    assert house.models.asked == {"a": 1, "late": 1, "slow": 1}


async def test_a_large_panel_settles_early_too(house):
    fast = [f"m{number}" for number in range(30)]
    for name in fast:
        house.models.release(name, ANSWER)
    host = await house.host()
    await host.accept("j1", asked(*fast, *(f"slow{number}" for number in range(10)), **DECIDED), None)
    job = await house.ended(host, "j1")
    await until(lambda: sum(house.models.cancelled.values()) == view.render(job)["usage"]["saved"])
    assert len(job.usable()) + view.render(job)["usage"]["saved"] == 40
    assert view.render(job)["usage"]["saved"] >= 10


async def test_a_call_that_is_given_up_in_time_is_cancelled_though_the_job_goes_on(house, monkeypatch):
    monkeypatch.setattr("ditto.domain.timers.MARGIN_S", 0.0)
    host = await house.host()
    await host.accept("j1", asked("hung", timeout_s=0.05), None)
    job = await house.ended(host, "j1")
    assert job.failures()["hung"].type == "Timeout"
    await until(lambda: house.models.cancelled["hung"] == 1)


async def test_a_retry_of_what_settled_early_asks_nobody(house):
    host = await house.host()
    await host.accept("j1", asked("a", "b", "slow", **DECIDED), None)
    ended = await house.ended(host, "j1")
    assert await host.retry("j1") == ended


async def test_a_failed_model_of_a_decided_job_is_not_asked_again_either(house):
    house.models.release("down", Failure(type="Unreachable", message="no route"))
    host = await house.host()
    await host.accept("j1", asked("a", "b", "down", **DECIDED), None)
    first = await house.ended(host, "j1")
    retried = await host.retry("j1")
    assert (retried.state, result(retried)) == (JobState.COMPLETE, result(first))
    assert house.models.asked["down"] <= 1
