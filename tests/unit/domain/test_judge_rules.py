"""When the judge is asked, what it is shown, and what its word makes of the vote."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ditto.domain import events as ev
from ditto.domain import strategies
from ditto.domain.event_view import render_event
from ditto.domain.events import Failure, Recorded, Reply
from ditto.domain.job import Completed, Job, JobState, Judged, fold
from ditto.domain.spec import AnswerKind, Call, Confident, Message
from ditto.domain.strategies import AskJudge, Settle
from ditto.domain.timers import MARGIN_S, expire, wakes_at
from ditto.domain.verdict import BasisKind
from ditto.domain.view import JobView, render
from tests.unit.domain.jobs import NOON, after, answered, at, begun, failed, spec, started

POEMS = {
    "a": "The rain comes down in silver lines\nand taps upon the window pane,\nit fills the gutters, wets the vines\n"
    "and hums an old and drowsy strain.\n\nI listen till the night is deep\nand let it carry me to sleep.",
    "b": "Above the harbour gulls take wing,\nthe nets are mended, dry, and long.\nA fisherman begins to sing\n"
    "a very slow and salty song.\n\nThe tide goes out, the boats lean low,\nthe lamps are lit, and home we go.",
    "c": "Leaves in a heap beside the gate,\na rake, a cart, a pair of gloves;\nthe year is old, the hour is late,\n"
    "and on the roof sit seven doves.\n\nBeyond the hill the first frost waits\nto write its name on garden gates.",
}
TIED = {"a": "The answer is 41.", "b": "The answer is 42."}
POEM = {"messages": (Message(role="user", content="Write a poem."),)}
ORDER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "year": {"type": "integer"}},
    "required": ["city", "year"],
}


def replied(asked, texts: dict[str, str]) -> Job:
    job = started(begun(asked))
    for call, text in texts.items():
        job = answered(job, call, text)
    return job


def shown(job: Job) -> tuple[str, ...]:
    """Returns the calls whose replies the judge is to be shown, in that order."""
    (action,) = strategies.next_actions(job)
    assert isinstance(action, AskJudge)
    return action.order


def before_the_judge(job: Job) -> Job:
    return after(job, ev.JudgeStarted(caller="caller:0", order=shown(job)))


def said(job: Job, text: str, **changes: object) -> Job:
    """Returns the ended job whose judge has said this."""
    reply = Reply(text=text, input_tokens=50, output_tokens=12, elapsed_s=0.3, **changes)
    return ended(after(before_the_judge(job), ev.JudgeCompleted(reply=reply)))


def chose(job: Job, call: str, confidence: float | None = 0.8) -> Job:
    """Returns the ended job whose judge has chosen this call's reply."""
    word = {"reason": "It is right.", "best": shown(job).index(call) + 1}
    return said(job, json.dumps(word if confidence is None else {**word, "confidence": confidence}))


def ended(job: Job) -> Job:
    assert strategies.next_actions(job) == (Settle(),)
    return after(job, ev.JobCompleted(verdict=strategies.verdict(job), merge_s=0.001))


def verdict(job: Job):
    assert isinstance(job.outcome, Completed)
    return job.outcome.verdict


def poems(**changes) -> Job:
    return replied(spec("a", "b", "c", judge="sim/careful", **POEM, **changes), POEMS)


def tied(**changes) -> Job:
    return replied(spec("a", "b", judge="sim/careful", **changes), TIED)


def test_open_prose_a_tie_and_a_low_confidence_are_for_the_judge():
    assert set(shown(poems())) == {"a", "b", "c"}
    assert set(shown(tied())) == {"a", "b"}
    unsure = replied(spec("a", "b", judge="sim/careful", review_threshold=0.99), {"a": "It is 42.", "b": "42"})
    assert set(shown(unsure)) == {"a", "b"}


def test_a_clear_vote_a_single_reply_and_refusals_are_not_for_the_judge():
    clear = replied(spec("a", "b", "c", judge="sim/careful"), {"a": "42", "b": "42", "c": "It is 42."})
    single = replied(spec("a", judge="sim/careful", **POEM), {"a": POEMS["a"]})
    no = "I'm sorry, but I can't help with that."
    refused = replied(spec("a", "b", judge="sim/careful"), {"a": no, "b": no})
    for job in (clear, single, refused):
        assert strategies.next_actions(job) == (Settle(),)
        assert verdict(ended(job)).warnings == ()


def test_without_a_judge_nobody_is_asked():
    assert strategies.next_actions(replied(spec("a", "b"), TIED)) == (Settle(),)


def test_the_judge_is_asked_when_every_call_has_ended_and_only_once():
    job = replied(spec("a", "b", "c", judge="sim/careful"), TIED)
    assert strategies.next_actions(job) == ()
    job = before_the_judge(failed(job, "c"))
    assert strategies.next_actions(job) == ()
    job = after(job, ev.JudgeFailed(failure=Failure(type="Overloaded", message="503")))
    assert strategies.next_actions(job) == (Settle(),)


def test_refusals_cut_off_replies_and_weightless_ones_are_not_shown():
    calls = tuple(Call(name=name, model=name, weight=0.0 if name == "w" else 1.0) for name in "abrtw")
    job = started(begun(spec(calls=calls, judge="sim/careful", **POEM)))
    for call, text in {**{k: POEMS[k] for k in "ab"}, "r": "I'm sorry, but I can't help with that.", "w": "x"}.items():
        job = answered(job, call, text)
    job = answered(job, "t", "A poem that was", finish="length")
    assert set(shown(job)) == {"a", "b"}


def test_the_judge_sees_the_question_and_the_replies_without_names():
    asked = spec("openai/x", "anthropic/y", judge="sim/careful", system="Be brief.", **POEM)
    job = before_the_judge(replied(asked, {"openai/x": POEMS["a"], "anthropic/y": POEMS["b"]}))
    (message,) = strategies.judge_messages(job)
    assert isinstance(job.judge, Judged)
    first, second = (job.calls[call].reply.text for call in job.judge.order)
    places = [message.content.index(part) for part in ("Be brief.", "Write a poem.", "[1]\n", first, "[2]\n", second)]
    assert places == sorted(places)
    assert not any(name in message.content for name in ("openai", "anthropic", "careful"))


def test_the_order_is_shuffled_by_the_jobs_id_and_told_in_its_event():
    names = [f"m{number}" for number in range(8)]
    job = replied(spec(*names, judge="sim/careful", **POEM), {name: f"{POEMS['a']} {name}" for name in names})
    order = shown(job)
    assert order != tuple(names)
    assert sorted(order) == names
    assert shown(job) == order
    told = render_event("j1", Recorded(seq=9, at=NOON, event=ev.JudgeStarted(caller="caller:0", order=order)))
    assert (told["kind"], told["order"]) == ("judge.started", list(order))


def test_the_chosen_reply_is_the_result_and_the_vote_stays_readable():
    job = chose(tied(), "b", 0.8)
    found = verdict(job)
    assert (found.result, found.answer, found.chosen) == (TIED["b"], 42, "b")
    assert (found.confidence, found.basis.kind, found.needs_review) == (0.8, BasisKind.JUDGE, False)
    assert (found.supporting, [group.models for group in found.dissent]) == (("b",), [("a",)])
    assert found.agreement == 0.5
    assert found.readings == verdict(ended(replied(spec("a", "b"), TIED))).readings


def test_a_judge_that_agrees_with_the_vote_keeps_its_supporters():
    texts = {"a": "It is 42.", "b": "42", "c": "41"}
    job = replied(spec("a", "b", "c", judge="sim/careful", review_threshold=0.99), texts)
    found = verdict(chose(job, "b"))
    assert (found.chosen, found.supporting, found.dissent[0].models) == ("b", ("a", "b"), ("c",))


def test_prose_has_the_judges_confidence_and_no_supporters_but_the_chosen():
    found = verdict(chose(poems(), "c", 0.4))
    assert (found.result, found.chosen, found.supporting, found.dissent) == (POEMS["c"], "c", ("c",), ())
    assert (found.confidence, found.needs_review, found.agreement) == (0.4, True, None)


def test_without_a_stated_confidence_there_is_none():
    found = verdict(chose(poems(), "c", None))
    assert (found.confidence, found.basis.kind, found.needs_review) == (None, BasisKind.JUDGE, False)


def test_an_object_is_taken_whole_and_its_fields_tell_who_gave_them():
    texts = {
        "a": '{"city": "Rome", "year": 1960}',
        "b": '{"city": "Rome", "year": 1961}',
        "c": '{"city": "Oslo", "year": 1962}',
    }
    job = replied(spec("a", "b", "c", schema=ORDER, judge="sim/careful"), texts)
    found = verdict(chose(job, "b"))
    assert (found.result, found.chosen) == ({"city": "Rome", "year": 1961}, "b")
    assert found.fields["/city"].supporting == ("a", "b")
    assert found.fields["/year"].supporting == ("b",)
    assert ("a",) in [dissent.models for dissent in found.fields["/year"].dissent]
    assert found.answer is None


def test_the_judge_sees_the_value_of_a_typed_reply():
    texts = {"a": 'Sure: {"city": "Rome", "year": 1960}. Anything else?', "b": '{"city": "Oslo", "year": 1961}'}
    job = before_the_judge(replied(spec("a", "b", schema=ORDER, judge="sim/careful"), texts))
    (message,) = strategies.judge_messages(job)
    assert '{"city": "Rome", "year": 1960}' in message.content
    assert "Anything else?" not in message.content


@pytest.mark.parametrize(
    "word",
    ['{"best": 2}', 'I think so:\n```json\n{"best": "2", "reason": 7, "confidence": 80}\n```', '{"best": "[2]"}'],
)
def test_a_word_is_read_tolerantly(word):
    found = verdict(said(poems(), word))
    assert found.chosen == shown(poems())[1]
    assert found.confidence is None


@pytest.mark.parametrize(
    ("word", "finish"),
    [
        ("No idea.", "stop"),
        ('{"best": 4}', "stop"),
        ('{"best": 0}', "stop"),
        ('{"best": true}', "stop"),
        ('{"best": 1.5}', "stop"),
        ("", "content_filter"),
        ('{"best": 1}', "length"),
    ],
)
def test_a_word_that_names_no_reply_leaves_the_vote_standing_and_says_so(word, finish):
    job = said(poems(), word, finish=finish)
    without = verdict(ended(replied(spec("a", "b", "c", **POEM), POEMS)))
    found = verdict(job)
    assert found.warnings == ("the judge sim/careful named none of the replies; the vote stands",)
    assert (found.result, found.confidence, found.judgement) == (without.result, None, None)


def test_a_judge_that_fails_leaves_the_vote_standing_and_may_be_retried():
    job = before_the_judge(tied())
    job = ended(after(job, ev.JudgeFailed(failure=Failure(type="Overloaded", message="503", attempts=3))))
    view = render(job)
    assert view["warnings"] == ["the judge sim/careful failed: Overloaded: 503; the vote stands"]
    assert view["structured"]["judge"] is None
    assert view["usage"]["models"]["sim/careful"]["calls"] == 3
    assert job.retriable()
    retried = after(job, ev.JobRetried(holder="host:0", epoch=2, deadline_at=at(9000)))
    assert isinstance(strategies.next_actions(retried)[0], AskJudge)


def test_the_deadline_cuts_the_judge_off_and_the_vote_stands():
    job = before_the_judge(tied())
    assert wakes_at(job) == job.updated_at + timedelta(seconds=300 + MARGIN_S)
    job = ended(after(job, *expire(job, at(1800))))
    assert job.state is JobState.COMPLETE
    (warning,) = verdict(job).warnings
    assert "Timeout: no answer before the job's deadline; the vote stands" in warning


def test_after_the_deadline_no_judge_is_asked_and_that_is_said():
    job = replied(spec("a", "b", "c", judge="sim/careful"), TIED)
    job = ended(after(job, *expire(job, at(1800))))
    assert verdict(job).warnings == ("the judge sim/careful was not asked: the deadline left no time; the vote stands",)


def test_after_a_grace_the_judge_is_asked_and_the_deadline_still_holds():
    job = replied(spec("a", "b", "c", judge="sim/careful", grace_s=5, min_responses=2), TIED)
    job = before_the_judge(after(job, *expire(job, at(60))))
    assert wakes_at(job) < at(1800)
    late = replied(spec("a", "b", "c", judge="sim/careful", grace_s=5, min_responses=2, timeout_s=7200), TIED)
    late = before_the_judge(after(late, *expire(late, at(60))))
    assert wakes_at(late) == at(1800)
    assert ended(after(late, *expire(late, at(1800)))).state is JobState.COMPLETE


def test_a_judge_of_which_nothing_is_heard_is_given_up_a_little_after_its_timeout():
    job = before_the_judge(tied(timeout_s=10))
    moment = wakes_at(job)
    assert expire(job, moment - timedelta(seconds=1)) == ()
    job = ended(after(job, *expire(job, moment)))
    assert "Timeout: no answer in 10000 ms" in verdict(job).warnings[0]


def test_no_reply_is_asked_for_again_once_the_judge_has_been_asked():
    texts = {"a": '{"city": "Rome", "year": 1}', "b": '{"city": "Oslo", "year": 2}', "c": "no idea"}
    asked = spec("a", "b", "c", schema=ORDER, judge="sim/careful", settle=Confident(confident=0.0))
    job = before_the_judge(replied(asked, texts))
    assert strategies.next_actions(job) == ()
    assert list(job.failures()) == ["c"]


def test_the_wire_keeps_the_judge_apart_from_the_vote_and_counts_its_tokens():
    job = chose(tied(), "b", 0.8)
    view = render(job)
    assert view["structured"]["judge"] == {
        "model": "sim/careful",
        "chosen": "b",
        "reason": "It is right.",
        "confidence": 0.8,
        "order": list(shown(tied())),
    }
    assert view["structured"]["basis"]["kind"] == "judge"
    assert view["usage"]["models"]["sim/careful"] == {"calls": 1, "inputTokens": 50, "outputTokens": 12}
    assert (view["usage"]["calls"], view["usage"]["inputTokens"]) == (3, 56)
    typed = JobView.model_validate(view)
    assert typed.structured is not None
    assert typed.structured.judge is not None
    assert typed.structured.judge.chosen == "b"


def test_a_judge_who_also_sits_in_the_panel_is_counted_with_its_seat():
    view = render(chose(replied(spec("a", "b", judge="a"), TIED), "b"))
    assert view["usage"]["models"]["a"] == {"calls": 2, "inputTokens": 53, "outputTokens": 14}


@settings(deadline=None, max_examples=20)
@given(
    texts=st.lists(st.sampled_from([*POEMS.values(), "42", "41", "42."]), min_size=2, max_size=4),
    word=st.sampled_from(['{"best": 1, "confidence": 0.7}', '{"best": 2}', "nonsense", ""]),
)
def test_a_journal_cut_anywhere_leads_to_the_same_verdict(texts, word):
    names = [f"m{number}" for number in range(len(texts))]
    said_by = dict(zip(names, texts, strict=True))
    asked = spec(*names, judge="sim/careful", answer=AnswerKind.NUMBER if "42" in texts else None)
    records = _played([Recorded(seq=1, at=NOON, event=ev.JobAccepted(spec=asked, holder="host:0"))], said_by, word)
    whole = verdict(fold("j1", records))
    for length in range(1, len(records)):
        assert verdict(fold("j1", _played(records[:length], said_by, word))) == whole


def _played(records: list[Recorded], texts: dict[str, str], word: str) -> list[Recorded]:
    """Returns the journal of a job that goes on from these events to its end."""
    records = list(records)
    while True:
        job = fold("j1", records)
        if job.state.ended:
            return records
        event = _next(job, texts, word)
        records.append(Recorded(seq=job.seq + 1, at=NOON, event=event))


def _next(job: Job, texts: dict[str, str], word: str) -> ev.Event:
    for action in strategies.next_actions(job):
        match action:
            case strategies.Ask(call=call, round=round_):
                return ev.CallStarted(call=call, round=round_, caller="caller:0")
            case AskJudge(order=order):
                return ev.JudgeStarted(caller="caller:0", order=order)
            case Settle():
                return ev.JobCompleted(verdict=strategies.verdict(job), merge_s=0.0)
            case other:
                raise AssertionError(f"{other} was not expected")
    if job.judging() is not None:
        return ev.JudgeCompleted(reply=Reply(text=word))
    call = job.missing()[0].name
    return ev.CallCompleted(call=call, round=1, reply=Reply(text=texts[call]))
