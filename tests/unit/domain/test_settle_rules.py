"""When a job settles before every model has answered, and what becomes of the calls that it does not wait for."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ditto.domain import events as ev
from ditto.domain import strategies
from ditto.domain.events import Recorded
from ditto.domain.job import Completed, Failed, Job, JobState, accepted, apply, fold
from ditto.domain.spec import AnswerKind, Call, Confident, SettleRule
from ditto.domain.strategies import Ask, Drop, Settle
from ditto.domain.timers import not_waited_for
from ditto.domain.view import render
from tests.unit.domain.jobs import NOON, after, answered, at, begun, failed, spec, started

NUMBER = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
DECIDED = {"settle": SettleRule.DECIDED, "answer": AnswerKind.NUMBER}


def confident(p: float, **changes):
    return {"settle": Confident(confident=p), "answer": AnswerKind.NUMBER, **changes}


def replied(asked, **replies: str):
    job = started(begun(asked))
    for call, text in replies.items():
        job = answered(job, call, text)
    return job


def settled(job: Job) -> Job:
    """Returns the job after all that its strategy asks for, which must end it."""
    for action in strategies.next_actions(job):
        match action:
            case Drop(call=call, why=why):
                job = after(job, not_waited_for(call, job.calls[call], why, job.updated_at))
            case Settle():
                job = after(job, ev.JobCompleted(verdict=strategies.verdict(job), merge_s=0.001))
            case other:
                raise AssertionError(f"{other} does not settle the job")
    return job


def test_a_decided_answer_drops_the_open_calls_and_settles():
    job = replied(spec("a", "b", "c", **DECIDED), a="42", b="The answer is 42.")
    why = "the answer was decided"
    assert strategies.next_actions(job) == (Drop(call="c", why=why), Settle())
    assert settled(job).state is JobState.COMPLETE


def test_an_answer_that_one_more_reply_could_change_is_not_decided():
    asked = spec("a", "b", "c", "d", **DECIDED)
    assert strategies.next_actions(replied(asked, a="42", b="42")) == ()
    assert strategies.next_actions(replied(asked, a="42", b="42", c="41")) == ()


def test_by_default_every_model_is_waited_for():
    asked = spec("a", "b", "c", answer=AnswerKind.NUMBER)
    assert strategies.next_actions(replied(asked, a="42", b="42")) == ()


def test_a_weightless_model_is_not_waited_for():
    calls = (Call(name="a", model="a"), Call(name="b", model="b", weight=0.0))
    job = replied(spec(calls=calls, **DECIDED), a="42")
    assert strategies.next_actions(job)[-1] == Settle()


def test_nothing_is_decided_before_the_minimum_of_responses():
    asked = spec("a", "b", "c", "d", min_responses=4, **DECIDED)
    assert strategies.next_actions(replied(asked, a="42", b="42", c="42")) == ()


def test_a_failure_may_decide_what_a_reply_left_open():
    job = replied(spec("a", "b", "c", "d", **DECIDED), a="42", b="42")
    assert strategies.next_actions(failed(job, "c"))[-1] == Settle()


def test_a_confidence_that_is_reached_settles():
    asked = spec("a", "b", "c", "d", **confident(0.5))
    assert strategies.next_actions(replied(asked, a="42")) == ()
    job = replied(asked, a="42", b="42")
    why = "the confidence had reached 0.5"
    assert strategies.next_actions(job) == (Drop(call="c", why=why), Drop(call="d", why=why), Settle())


def test_a_confidence_that_is_not_reached_waits():
    assert strategies.next_actions(replied(spec("a", "b", "c", **confident(0.999)), a="42", b="42")) == ()
    assert strategies.next_actions(replied(spec("a", "b", "c", **confident(0.0)), a="42")) == ()
    assert (
        strategies.next_actions(replied(spec("a", "b", "c", "d", **confident(0.0, min_responses=3)), a="4", b="4"))
        == ()
    )


def test_without_a_confidence_the_rule_waits_for_all():
    asked = spec("a", "b", "c", settle=Confident(confident=0.0))
    no = "I'm sorry, but I can't help with that."
    job = replied(asked, a=no, b=no)
    assert strategies.next_actions(job) == ()


def test_what_was_not_waited_for_is_an_error_named_so_and_counted_as_saved():
    job = settled(replied(spec("a", "b", "c", **DECIDED), a="42", b="42"))
    view = render(job)
    said = {"type": "Cancelled", "message": "not waited for: the answer was decided", "attempts": 1}
    assert view["errors"] == {"c": said}
    assert view["usage"]["saved"] == 1
    assert view["usage"]["calls"] == 3


def test_a_model_that_failed_or_timed_out_is_not_saved():
    job = settled(failed(replied(spec("a", "b"), a="42"), "b"))
    assert render(job)["usage"]["saved"] == 0


def test_a_reply_that_missed_the_schema_is_not_asked_for_again_once_the_answer_is_decided():
    asked = spec("a", "b", "c", settle=Confident(confident=0.3), schema=NUMBER)
    job = replied(asked, a='{"n": 1}', b='{"n": 1}', c="no idea")
    assert strategies.next_actions(job) == (Settle(),)
    assert settled(job).failures()["c"].type == "SchemaMismatch"


def test_a_reask_counts_as_a_call_that_is_still_open():
    asked = spec("a", "b", "c", schema={"type": "integer"}, settle=SettleRule.DECIDED)
    job = replied(asked, a="1", b="2", c="no idea")
    assert strategies.next_actions(job) == (Ask(call="c", round=2),)


def test_a_retry_asks_nobody_who_was_not_waited_for():
    job = settled(replied(spec("a", "b", "c", **DECIDED), a="42", b="42"))
    assert not job.retriable()
    retried = after(job, ev.JobRetried(holder="host:0", epoch=2, deadline_at=at(9000)))
    assert strategies.next_actions(retried)[-1] == Settle()


TEXTS = ["42", "41", "It is 42.", "I'm sorry, but I can't help with that.", "What do you mean?", "no number"]
RULES = [SettleRule.ALL, SettleRule.DECIDED, Confident(confident=0.4), Confident(confident=0.9)]


@settings(deadline=None, max_examples=40)
@given(
    texts=st.lists(st.sampled_from(TEXTS), min_size=1, max_size=5),
    rule=st.sampled_from(RULES),
    order=st.randoms(use_true_random=False),
)
def test_a_journal_cut_anywhere_leads_to_the_same_verdict(texts, rule, order):
    names = [f"m{number}" for number in range(len(texts))]
    order.shuffle(names)
    asked = spec(*sorted(names), settle=rule, answer=AnswerKind.NUMBER)
    records = _run(asked, dict(zip(names, texts, strict=True)))
    whole = fold("j1", records)
    assert whole.state is JobState.COMPLETE
    for length in range(1, len(records)):
        resumed = _goes_on(fold("j1", records[:length]), dict(zip(names, texts, strict=True)))
        assert isinstance(resumed.outcome, Completed)
        assert isinstance(whole.outcome, Completed)
        assert resumed.outcome.verdict == whole.outcome.verdict
        assert resumed.calls.keys() == whole.calls.keys()
        dropped = [
            {name for name, status in job.calls.items() if isinstance(status, Failed)} for job in (resumed, whole)
        ]
        assert dropped[0] == dropped[1]


@settings(deadline=None, max_examples=40)
@given(
    texts=st.lists(st.sampled_from(TEXTS[:3]), min_size=2, max_size=5),
    many=st.integers(min_value=1, max_value=5),
)
def test_what_is_decided_stays_the_answer_whatever_the_others_say(texts, many):
    names = [f"m{number}" for number in range(len(texts))]
    job = replied(spec(*names, **DECIDED), **dict(zip(names[: min(many, len(texts))], texts, strict=False)))
    if not any(isinstance(action, Drop) for action in strategies.next_actions(job)):
        return
    early = settled(job).outcome.verdict.answer
    missing = [call.name for call in job.missing()]
    for others in itertools.product(["42", "41", "7", "no number"], repeat=len(missing)):
        full = job
        for call, text in zip(missing, others, strict=True):
            full = answered(full, call, text)
        assert strategies.verdict(full).answer == early


def _run(asked, texts):
    """Returns the journal of a job whose models answer in this order."""
    records = [Recorded(seq=1, at=NOON, event=ev.JobAccepted(spec=asked, holder="host:0"))]
    job = _played(accepted("j1", records[0]), records)
    for call, text in texts.items():
        if job.state.ended:
            break
        event = ev.CallCompleted(call=call, round=1, reply=ev.Reply(text=text))
        job = _played(_added(job, event, records), records)
    return records


def _goes_on(job: Job, texts) -> Job:
    records: list[Recorded] = []
    job = _played(job, records)
    for call, text in texts.items():
        if not job.state.ended and call in {seat.name for seat in job.missing()}:
            event = ev.CallCompleted(call=call, round=1, reply=ev.Reply(text=text))
            job = _played(_added(job, event, records), records)
    return job


def _played(job: Job, records: list[Recorded]) -> Job:
    for action in strategies.next_actions(job):
        match action:
            case Ask(call=call, round=round_):
                job = _added(job, ev.CallStarted(call=call, round=round_, caller="caller:0"), records)
            case Drop(call=call, why=why):
                job = _added(job, not_waited_for(call, job.calls[call], why, NOON), records)
            case Settle():
                job = _added(job, ev.JobCompleted(verdict=strategies.verdict(job), merge_s=0.0), records)
            case other:
                raise AssertionError(f"{other} was not expected")
    return job


def _added(job: Job, event: ev.Event, records: list[Recorded]) -> Job:
    record = Recorded(seq=job.seq + 1, at=NOON, event=event)
    records.append(record)
    return apply(job, record)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_survives_its_way_to_disk(rule):
    event = ev.JobAccepted(spec=spec("a", settle=rule, judge="sim/careful"), holder="host:0")
    assert ev.decode(ev.encode(event)) == event


def test_numbers_that_hang_on_what_the_others_say_are_not_decided():
    asked = spec("a", "b", "c", "d", "e", **DECIDED)

    firm = replied(asked, a="42 km", b="42 km", c="42 km")
    hanging = replied(asked, a="42 km", b="42", c="42 km")

    assert Settle() in strategies.next_actions(firm)
    assert strategies.next_actions(hanging) == ()
