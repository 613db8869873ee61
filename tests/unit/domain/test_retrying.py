"""A retried job begins anew with all that has no answer: what failed, and what still ran when the job ended."""

from __future__ import annotations

from ditto.domain import events as ev
from ditto.domain import strategies
from ditto.domain.job import Answered, Waiting
from tests.unit.domain.jobs import after, answered, at, begun, failed, spec, started


def test_calls_that_ran_when_the_job_ended_are_asked_again():
    job = failed(answered(started(begun(spec("good", "down", "cut off"))), "good", "42"), "down")
    ended = after(job, ev.JobFailed(type="CrashLoop", message="died"))
    retried = after(ended, ev.JobRetried(holder="host:0", epoch=2, deadline_at=at(3600)))
    assert {name: type(status) for name, status in retried.calls.items()} == {
        "good": Answered,
        "down": Waiting,
        "cut off": Waiting,
    }
    assert [action.call for action in strategies.next_actions(retried)] == ["down", "cut off"]
