"""What each strategy asks for, and when it ends."""

from __future__ import annotations

from datetime import timedelta

from ditto.domain import events as ev
from ditto.domain import strategies
from ditto.domain.job import Completed, Errored, JobState
from ditto.domain.spec import Call, StrategyName
from ditto.domain.strategies import Ask, Fail, Settle
from ditto.domain.timers import MARGIN_S, expire, wakes_at
from tests.unit.domain.jobs import after, answered, at, begun, failed, finished, settled, spec, started

NUMBER = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def test_consensus_asks_all_models_at_once():
    assert strategies.next_actions(begun(spec("a", "b"))) == (Ask(call="a", round=1), Ask(call="b", round=1))


def test_consensus_waits_for_every_model():
    job = answered(started(begun(spec("a", "b"))), "a", "42")
    assert strategies.next_actions(job) == ()


def test_consensus_settles_when_all_have_answered_or_failed():
    job = failed(answered(started(begun(spec("a", "b"))), "a", "42"), "b")
    assert strategies.next_actions(job) == (Settle(),)


def test_one_dead_model_does_not_fail_the_job():
    job = finished(failed(answered(started(begun(spec("a", "b"))), "a", "42"), "b"))
    assert job.state is JobState.COMPLETE
    assert list(job.failures()) == ["b"]


def test_a_job_fails_below_its_minimum_of_responses():
    job = finished(failed(answered(started(begun(spec("a", "b", min_responses=2))), "a", "42"), "b"))
    assert job.outcome == Errored(type="JobError", message="1 of 2 models gave a usable answer, 2 needed")


def test_the_merged_result_is_one_of_the_replies():
    job = settled(spec("a", "b", "c"), {"a": "42", "b": "The answer is 42.", "c": "41"})
    assert isinstance(job.outcome, Completed)
    verdict = job.outcome.verdict
    assert verdict.result in ("42", "The answer is 42.")
    assert verdict.supporting == ("a", "b")
    assert verdict.dissent[0].models == ("c",)


def test_a_reply_that_misses_the_schema_is_asked_for_once_more_with_the_validators_words():
    job = answered(started(begun(spec("a", schema=NUMBER))), "a", '{"n": "many"}')
    assert strategies.next_actions(job) == (Ask(call="a", round=2),)
    job = started(job)
    question, missed, request = strategies.messages(job, "a")
    assert "JSON Schema" in question.content
    assert missed.content == '{"n": "many"}'
    assert "/n: 'many' is not of type 'integer'" in request.content


def test_a_reply_that_misses_the_schema_twice_is_a_schema_mismatch():
    job = answered(started(begun(spec("a", schema=NUMBER))), "a", '{"n": "many"}')
    job = answered(started(job), "a", "no idea", round_=2)
    assert strategies.next_actions(job) == (
        Fail(type="JobError", message="0 of 1 models gave a usable answer, 1 needed"),
    )
    assert job.failures()["a"].type == "SchemaMismatch"


def test_a_reply_that_was_cut_off_is_not_asked_for_again():
    job = answered(started(begun(spec("a", schema=NUMBER))), "a", '{"n": ', finish="length")
    assert job.failures()["a"].type == "Truncated"


def test_a_typed_result_is_put_together_field_by_field():
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "year": {"type": "integer"}},
        "required": ["city", "year"],
    }
    job = settled(
        spec("a", "b", "c", schema=schema),
        {
            "a": '{"city": "Rome", "year": 1960}',
            "b": '```json\n{"city": "Rome", "year": 1961}\n```',
            "c": 'Sure: {"city": "Oslo", "year": 1960}.',
        },
    )
    assert isinstance(job.outcome, Completed)
    assert job.outcome.verdict.result == {"city": "Rome", "year": 1960}
    assert job.outcome.verdict.fields["/city"].supporting == ("a", "b")
    assert job.outcome.verdict.fields["/year"].dissent[0].models == ("b",)


def test_a_content_filter_among_typed_replies_is_a_refusal_and_no_vote():
    job = started(begun(spec("a", "b", schema=NUMBER)))
    job = answered(job, "a", '{"n": 3}')
    filtered = ev.CallCompleted(call="b", round=1, reply=ev.Reply(text="", finish="content_filter"))
    job = finished(after(job, filtered))
    assert isinstance(job.outcome, Completed)
    assert job.outcome.verdict.result == {"n": 3}
    assert [str(reading.intent) for reading in job.outcome.verdict.readings] == ["answer", "refusal"]


def cooperative(*models, **changes):
    return spec(*models, strategy=StrategyName.COOPERATIVE, **changes)


def test_cooperative_asks_one_model_after_the_other():
    job = started(begun(cooperative("a", "b")))
    assert strategies.next_actions(job) == ()
    job = answered(job, "a", "A first answer.")
    assert strategies.next_actions(job) == (Ask(call="b", round=1),)


def test_cooperative_shows_the_question_and_all_earlier_answers_numbered():
    job = answered(started(begun(cooperative("a", "b", "c"))), "a", "First.")
    job = started(answered(started(job), "b", "Second."))
    (message,) = strategies.messages(job, "c")
    assert message.content.startswith("What is 6 * 7?")
    assert "[1] First." in message.content
    assert "[2] Second." in message.content


def test_cooperative_skips_a_dead_model_and_takes_the_last_answer():
    job = started(failed(started(begun(cooperative("a", "b"))), "a"))
    job = finished(answered(job, "b", "The final answer."))
    assert isinstance(job.outcome, Completed)
    verdict = job.outcome.verdict
    assert (verdict.result, verdict.chosen, verdict.confidence) == ("The final answer.", "b", None)
    assert list(job.failures()) == ["a"]


def test_cooperative_shows_no_reply_that_says_nothing():
    job = started(begun(cooperative("a", "b", "c")))
    job = started(after(job, ev.CallCompleted(call="a", round=1, reply=ev.Reply(text="", finish="content_filter"))))
    job = started(answered(job, "b", " "))
    (message,) = strategies.messages(job, "c")
    assert message.content == "What is 6 * 7?"


def test_cooperative_takes_no_result_from_a_model_of_weight_zero_if_there_is_another():
    calls = (Call(name="a", model="a"), Call(name="b", model="b", weight=0.0))
    job = started(answered(started(begun(cooperative(calls=calls))), "a", "The counted answer."))
    job = finished(answered(job, "b", "The other answer."))
    assert isinstance(job.outcome, Completed)
    assert (job.outcome.verdict.result, job.outcome.verdict.chosen) == ("The counted answer.", "a")


def test_cooperative_takes_an_answer_of_weight_zero_where_there_is_no_other():
    calls = (Call(name="a", model="a"), Call(name="b", model="b", weight=0.0))
    job = finished(answered(started(failed(started(begun(cooperative(calls=calls))), "a")), "b", "The only answer."))
    assert isinstance(job.outcome, Completed)
    assert job.outcome.verdict.chosen == "b"


def test_grace_gives_up_those_that_have_not_answered():
    job = started(begun(spec("a", "b", grace_s=5)))
    assert wakes_at(job) == at(1 + 300 + MARGIN_S)
    job = answered(job, "a", "42")
    moment = job.updated_at + timedelta(seconds=5)
    assert wakes_at(job) == moment
    assert expire(job, moment - timedelta(milliseconds=1)) == ()
    job = finished(after(job, *expire(job, moment)))
    assert job.state is JobState.COMPLETE
    assert job.failures()["b"].type == "Timeout"


def test_a_call_of_which_nothing_is_heard_is_given_up_a_little_after_its_timeout():
    job = started(begun(spec("a", "b", timeout_s=10)))
    assert expire(job, at(1 + 10)) == ()
    late = wakes_at(job)
    assert late == at(1 + 10 + MARGIN_S)
    job = after(job, *expire(job, late))
    assert job.failures()["a"].type == "Timeout"
    assert wakes_at(job) == at(2 + 10 + MARGIN_S)


def test_what_a_call_waits_for_its_turn_is_none_of_its_own_time():
    job = started(begun(spec("a", "b", timeout_s=10)))

    def waited(call):
        return at(100) if call == "a" else None

    assert wakes_at(job, waited) == at(2 + 10 + MARGIN_S)
    assert [event.call for event in expire(job, at(50), waited)] == ["b"]
    job = after(job, *expire(job, at(50), waited))
    assert wakes_at(job, waited) == at(100 + 10 + MARGIN_S)
    assert [event.call for event in expire(job, at(100 + 10 + MARGIN_S), waited)] == ["a"]


def test_the_deadline_ends_a_job_with_what_has_arrived():
    job = answered(started(begun(spec("a", "b"))), "a", "42")
    job = finished(after(job, *expire(job, at(1800))))
    assert job.state is JobState.COMPLETE


def test_the_deadline_fails_a_job_without_enough():
    job = started(begun(spec("a", "b")))
    job = finished(after(job, *expire(job, at(1800))))
    assert isinstance(job.outcome, Errored)
    assert job.outcome.type == "DeadlineExceeded"
