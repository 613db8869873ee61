"""A job is the fold of its journal, and only listed moves are legal."""

from __future__ import annotations

import itertools

import pytest

from ditto.domain import events as ev
from ditto.domain.call_states import CALL_MOVES, JUDGE_MOVES, CallEvent, JudgeEvent
from ditto.domain.events import Failure, Recorded, Reply, decode, encode
from ditto.domain.job import MOVES, JobState, Running, apply, fold
from ditto.domain.verdict import Intent, Verdict
from ditto.errors import IllegalMove
from tests.unit.domain.jobs import NOON, after, answered, at, begun, failed, finished, settled, spec, started

VERDICT = Verdict(result="42", summary="42", intent=Intent.ANSWER, confidence=None, needs_review=False)
EVENTS: tuple[ev.Event, ...] = (
    ev.JobAccepted(spec=spec("a"), holder="host:0"),
    ev.JobAdopted(holder="host:1", epoch=2),
    ev.CallStarted(call="a", round=1, caller="caller:0"),
    ev.CallCompleted(call="a", round=1, reply=Reply(text="42")),
    ev.CallFailed(call="a", round=1, failure=Failure(type="Timeout", message="late")),
    ev.GracePassed(),
    ev.DeadlinePassed(),
    ev.JobCompleted(verdict=VERDICT, merge_s=0.1),
    ev.JobFailed(type="JobError", message="none answered"),
    ev.JobCancelled(),
    ev.JudgeStarted(caller="caller:0", order=("a",)),
    ev.JudgeCompleted(reply=Reply(text='{"best": 1}')),
    ev.JudgeFailed(failure=Failure(type="Timeout", message="late")),
)


def jobs_in_each_state():
    running = started(begun(spec("a")))
    return {
        JobState.PENDING: begun(spec("a")),
        JobState.RUNNING: running,
        JobState.COMPLETE: finished(answered(running, "a", "42")),
        JobState.ERROR: finished(failed(running, "a")),
        JobState.CANCELLED: after(running, ev.JobCancelled()),
    }


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.kind)
def test_an_event_survives_its_way_to_disk(event):
    assert decode(encode(event)) == event


@pytest.mark.parametrize(("state", "event"), list(itertools.product(JobState, EVENTS)), ids=str)
def test_every_move_that_the_table_does_not_list_is_refused_and_changes_nothing(state, event):
    job = jobs_in_each_state()[state]
    record = Recorded(seq=job.seq + 1, at=at(60), event=event)
    if (state, type(event)) in MOVES:
        call_moves = isinstance(event, CallEvent) and (type(job.calls["a"]), type(event)) not in CALL_MOVES
        judge_moves = isinstance(event, JudgeEvent) and (type(job.judge), type(event)) not in JUDGE_MOVES
        if call_moves or judge_moves:
            with pytest.raises(IllegalMove):
                apply(job, record)
        else:
            assert apply(job, record).state is MOVES[state, type(event)]
    else:
        before = repr(job)
        with pytest.raises(IllegalMove, match="cannot happen"):
            apply(job, record)
        assert repr(job) == before


def test_a_gap_in_the_journal_is_refused():
    job = begun(spec("a"))
    with pytest.raises(IllegalMove, match="does not follow"):
        apply(job, Recorded(seq=3, at=NOON, event=ev.JobCancelled()))


def test_a_journal_that_does_not_begin_with_its_acceptance_is_refused():
    with pytest.raises(IllegalMove, match=r"does not begin with job\.accepted"):
        fold("j1", [Recorded(seq=1, at=NOON, event=ev.JobCancelled())])
    with pytest.raises(IllegalMove, match=r"does not begin with job\.accepted"):
        fold("j1", [])


def test_folding_the_journal_gives_the_job_that_applying_gave():
    records = [Recorded(seq=1, at=NOON, event=ev.JobAccepted(spec=spec("a"), holder="host:0"))]
    for event in (EVENTS[2], EVENTS[1], EVENTS[3], EVENTS[7]):
        records.append(Recorded(seq=len(records) + 1, at=at(len(records)), event=event))
    job = fold("j1", records)
    assert (job.state, job.holder, job.epoch, job.seq) == (JobState.COMPLETE, "host:1", 2, 5)


def test_adoption_leaves_running_calls_with_their_caller():
    job = after(started(begun(spec("a"))), ev.JobAdopted(holder="host:1", epoch=7))
    status = job.calls["a"]
    assert isinstance(status, Running)
    assert (status.caller, job.holder) == ("caller:0", "host:1")


def test_a_reply_to_a_call_that_was_never_asked_is_refused():
    job = started(begun(spec("a")))
    with pytest.raises(IllegalMove, match="has no call b"):
        answered(job, "b", "42")


def test_replies_in_any_order_come_to_the_same_verdict():
    replies = {"a": "42", "b": "It is 42.", "c": "41"}
    verdicts = {
        repr(settled(spec("a", "b", "c"), {name: replies[name] for name in order}).outcome.verdict)
        for order in itertools.permutations(replies)
    }
    assert len(verdicts) == 1
