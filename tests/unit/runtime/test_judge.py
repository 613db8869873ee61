"""The judge is asked once, whatever dies meanwhile, and its word is in the journal before anything is built on it."""

from __future__ import annotations

import json

import pytest

from ditto.domain import view
from ditto.domain.events import Failure, Reply
from ditto.domain.job import Completed, JobState, Judged, fold
from ditto.domain.spec import AnswerKind, Confident
from tests.unit.runtime.house import House, asked, result, until

TIE = {"answer": AnswerKind.NUMBER, "judge": "judge"}


@pytest.fixture
async def house():
    built = House(a=Reply(text="It is 41."), b=Reply(text="It is 42."))
    yield built
    await built.close()


def word(job, call: str) -> Reply:
    """Returns the judge's reply that this call's is best."""
    assert isinstance(job.judge, Judged)
    said = {"reason": "It is right.", "best": job.judge.order.index(call) + 1, "confidence": 0.75}
    return Reply(text=json.dumps(said), input_tokens=60, output_tokens=9)


async def judging(house, host, job_id: str = "j1"):
    """Returns the job when its judge has been asked."""
    await until(lambda: house.models.asked["judge"] >= 1)
    return fold(job_id, await house.journal.read(job_id))


async def test_the_judge_decides_a_tie_and_its_tokens_are_counted(house):
    host = await house.host()
    await host.accept("j1", asked("a", "b", **TIE), None)
    house.models.release("judge", word(await judging(house, host), "b"))
    job = await house.ended(host, "j1")
    assert result(job) == "It is 42."
    assert view.render(job)["structured"]["judge"]["chosen"] == "b"
    assert view.render(job)["usage"]["models"]["judge"] == {"calls": 1, "inputTokens": 60, "outputTokens": 9}
    assert [record.event.kind for record in await house.journal.read("j1")][-3:] == [
        "judge.started",
        "judge.completed",
        "job.completed",
    ]
    await until(lambda: house.caller.caller.status() == {"running": 0, "kept": 0})


async def test_a_judge_is_not_asked_again_when_its_jobs_holder_dies(house):
    host = await house.host()
    await host.accept("j1", asked("a", "b", **TIE), None)
    waiting = await judging(house, host)
    await house.kill_9(host)
    successor = await house.host()
    house.models.release("judge", word(waiting, "a"))
    job = await house.ended(successor, "j1")
    assert result(job) == "It is 41."
    assert house.models.asked == {"a": 1, "b": 1, "judge": 1}


async def test_a_word_that_came_while_nobody_held_the_job_is_used(house):
    host = await house.host()
    await host.accept("j1", asked("a", "b", **TIE), None)
    waiting = await judging(house, host)
    await house.kill_9(host)
    house.models.release("judge", word(waiting, "b"))
    await until(lambda: house.caller.caller.status()["kept"] == 1)
    job = await house.ended(await house.host(), "j1")
    assert result(job) == "It is 42."
    assert house.models.asked["judge"] == 1


async def test_a_caller_that_dies_with_the_judges_call_is_asked_again(house):
    host = await house.host()
    await host.accept("j1", asked("a", "b", **TIE), None)
    waiting = await judging(house, host)
    await house.caller.kill()
    house.caller.start()
    await until(lambda: house.models.asked["judge"] == 2)
    house.models.release("judge", word(waiting, "b"))
    assert result(await house.ended(host, "j1")) == "It is 42."


async def test_a_judge_that_fails_leaves_the_vote_and_a_retry_asks_it_alone(house):
    house.models.release("judge", Failure(type="Unreachable", message="no route"))
    host = await house.host()
    await host.accept("j1", asked("a", "b", **TIE), None)
    job = await house.ended(host, "j1")
    assert isinstance(job.outcome, Completed)
    assert job.outcome.verdict.warnings == ("the judge judge failed: Unreachable: no route; the vote stands",)
    del house.models._answers["judge"]
    await host.retry("j1")
    await until(lambda: house.models.asked["judge"] == 2)
    waiting = fold("j1", await house.journal.read("j1"))
    house.models.release("judge", word(waiting, "b"))
    assert result(await house.ended(host, "j1")) == "It is 42."
    assert house.models.asked == {"a": 1, "b": 1, "judge": 2}


async def test_a_cancelled_job_cancels_its_judge(house):
    host = await house.host()
    await host.accept("j1", asked("a", "b", **TIE), None)
    await judging(house, host)
    assert (await host.cancel("j1")).state is JobState.CANCELLED
    await until(lambda: house.models.cancelled["judge"] == 1)


async def test_a_judge_is_cut_off_by_the_deadline_and_cancelled(house, monkeypatch):
    host = await house.host()
    await host.accept("j1", asked("a", "b", timeout_s=0.05, **TIE), None)
    monkeypatch.setattr("ditto.domain.timers.MARGIN_S", 0.0)
    job = await house.ended(host, "j1")
    assert job.state is JobState.COMPLETE
    assert isinstance(job.outcome, Completed)
    assert "no answer in 50 ms; the vote stands" in job.outcome.verdict.warnings[0]
    await until(lambda: house.models.cancelled["judge"] == 1)


async def test_a_word_above_the_jobs_limit_is_a_failed_judge(house):
    house.models.release("judge", Reply(text='{"best": 1}' + " " * 100))
    host = await house.host()
    await host.accept("j1", asked("a", "b", replies_limit_bytes=50, **TIE), None)
    job = await house.ended(host, "j1")
    assert isinstance(job.outcome, Completed)
    assert "TooLarge" in job.outcome.verdict.warnings[0]


async def test_calls_that_are_dropped_are_cancelled_before_the_judge_has_spoken(house):
    host = await house.host()
    rule = {"settle": Confident(confident=0.0), "review_threshold": 0.999}
    await host.accept("j1", asked("a", "b", "slow", **TIE, **rule), None)
    waiting = await judging(house, host)
    await until(lambda: house.models.cancelled["slow"] == 1)
    house.models.release("judge", word(waiting, "a"))
    job = await house.ended(host, "j1")
    assert (result(job), view.render(job)["usage"]["saved"]) == ("It is 41.", 1)
