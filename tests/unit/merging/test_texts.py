"""Verdicts over replies in text: who votes, who wins, what is given back."""

from __future__ import annotations

import time

import pytest

from ditto.domain.spec import AnswerKind
from ditto.domain.verdict import Ballot, BasisKind, Intent
from tests.unit.merging.panels import merged, replies

HOW_MANY = "How many apples are left?"
WRITE = "Write a short story about a lighthouse and the people who once lived in it."


def test_answers_that_mean_the_same_are_one() -> None:
    panel = replies("The answer is 1,200.", "So we get $1200.00", "\\boxed{1200}", "It is 1300.")

    verdict = merged(HOW_MANY, panel)

    assert verdict.answer == 1200
    assert verdict.supporting == ("a", "b", "c")
    assert verdict.agreement == pytest.approx(0.75)
    assert [(dissent.answer, dissent.models) for dissent in verdict.dissent] == [(1300, ("d",))]
    assert verdict.basis.kind is BasisKind.COLD


def test_the_result_is_a_supporters_reply_as_the_model_gave_it() -> None:
    panel = replies("  42\n", "I think the answer is **42**.", "41")

    verdict = merged(HOW_MANY, panel)

    assert verdict.chosen in verdict.supporting
    assert verdict.result == next(ballot.text for ballot in panel if ballot.call == verdict.chosen)


def test_of_the_supporters_the_one_of_median_length_is_given_back() -> None:
    panel = replies("5", "The answer is 5.", "Let me think about that for a long time. Well, then, the answer is 5.")

    verdict = merged(HOW_MANY, panel)

    assert verdict.chosen == "b"


def test_a_tie_goes_to_the_answer_that_stands_earlier_in_the_panel() -> None:
    verdict = merged(HOW_MANY, replies("7", "8", "8", "7"))

    assert verdict.answer == 7


def test_a_heavier_answer_beats_a_more_frequent_one() -> None:
    verdict = merged(HOW_MANY, replies("7", "8", "8", weights=(3.0, 1.0, 1.0)))

    assert verdict.answer == 7
    assert verdict.agreement == pytest.approx(1 / 3)


def test_a_reply_of_weight_zero_is_shown_and_counted_nowhere() -> None:
    verdict = merged(HOW_MANY, replies("7", "8", "8", weights=(1.0, 0.0, 0.0)))

    assert verdict.answer == 7
    assert verdict.agreement == 1.0
    assert verdict.dissent == ()
    assert verdict.readings[1].answer == 8
    assert verdict.readings[1].abstained == "weight 0"


def test_a_refusal_does_not_vote() -> None:
    verdict = merged(HOW_MANY, replies("I'm sorry, but I can't help with that.", "I cannot assist with this.", "9"))

    assert verdict.answer == 9
    assert verdict.intent is Intent.ANSWER
    assert verdict.agreement == 1.0
    assert verdict.confidence is None
    assert verdict.needs_review


def test_where_everybody_refuses_the_result_is_a_refusal() -> None:
    verdict = merged(HOW_MANY, replies("I can't help with that.", "Sorry, but I can't assist with that."))

    assert verdict.intent is Intent.REFUSAL
    assert verdict.confidence is None
    assert not verdict.needs_review
    assert verdict.supporting == ("a", "b")


def test_a_content_filter_is_a_refusal_whatever_the_text_says() -> None:
    verdict = merged(HOW_MANY, replies("12", "12", "13", finish=("stop", "stop", "content_filter")))

    assert verdict.readings[2].intent is Intent.REFUSAL
    assert verdict.agreement == 1.0


def test_a_reply_that_was_cut_off_abstains() -> None:
    verdict = merged(HOW_MANY, replies("12", "The answer is 13", "12", finish=("stop", "length", "stop")))

    assert verdict.readings[1].abstained == "cut off by its length limit"
    assert verdict.readings[1].answer is None
    assert verdict.agreement == 1.0


def test_a_reply_without_a_readable_answer_abstains_with_a_reason() -> None:
    panel = replies("12", "12", '{"reasoning": "…", "answer": "It cannot be determined"}')

    verdict = merged(HOW_MANY, panel)

    assert verdict.readings[2].abstained == "holds no answer of the kind compared"
    assert verdict.agreement == 1.0


def test_most_replies_asking_back_is_said() -> None:
    back = "Could you please clarify which apples you mean?"

    verdict = merged(HOW_MANY, replies(back, back, "12"))

    assert verdict.needs_clarification
    assert verdict.answer == 12
    assert verdict.needs_review


def test_open_prose_has_no_vote_and_names_the_choice_made() -> None:
    story = "The lighthouse stood alone. " * 30
    panel = replies(story, story + "Nobody came.", story + "Nobody ever came again, and the lamp went out.")

    verdict = merged(WRITE, panel)

    assert verdict.confidence is None
    assert verdict.agreement is None
    assert verdict.answer is None
    assert verdict.chosen == "b"
    assert verdict.supporting == ("b",)
    assert not verdict.needs_review


def test_prose_beside_a_refusal_needs_review() -> None:
    panel = replies("The lighthouse stood alone. " * 30, "I can't help with that.")

    verdict = merged(WRITE, panel)

    assert verdict.intent is Intent.ANSWER
    assert verdict.chosen == "a"
    assert verdict.needs_review


def test_a_single_reply_has_no_confidence() -> None:
    verdict = merged(HOW_MANY, replies("12"))

    assert verdict.answer == 12
    assert verdict.confidence is None
    assert not verdict.needs_review


def test_one_model_asked_often_has_no_confidence() -> None:
    panel = [Ballot(call=f"a#{seat}", model="a", text="12") for seat in range(1, 6)]

    verdict = merged(HOW_MANY, panel)

    assert verdict.confidence is None
    assert verdict.agreement == 1.0


def test_a_low_confidence_needs_review() -> None:
    panel = replies("1", "2", "3", "4", "4")

    unsure, sure = merged(HOW_MANY, panel, review_threshold=0.9), merged(HOW_MANY, panel, review_threshold=0.0)

    assert unsure.needs_review
    assert not sure.needs_review


def test_each_reading_has_the_confidence_of_its_own_answer() -> None:
    verdict = merged(HOW_MANY, replies("7", "7", "8"))

    first, second, third = (reading.confidence for reading in verdict.readings)
    assert first == second == verdict.confidence
    assert first is not None
    assert third is not None
    assert third < first


def test_the_kind_that_the_caller_names_is_compared() -> None:
    panel = replies("true", "Yes.", "No, it is not.")

    verdict = merged("The sky is blue.", panel, answer=AnswerKind.BOOLEAN)

    assert verdict.answer == "yes"
    assert verdict.supporting == ("a", "b")


def test_an_answer_from_the_callers_list_is_given_as_the_caller_wrote_it() -> None:
    panel = replies("I would say: positive!", "The answer is Positive.", "NEGATIVE")

    verdict = merged("Label this.", panel, answer=("Positive", "Negative", "Neutral"))

    assert verdict.answer == "Positive"


def test_short_sentences_are_grouped_by_what_they_answer() -> None:
    panel = replies(
        "Julie Kavner",
        "Marge Simpson is voiced by Julie Kavner.",
        "Marge's voice on The Simpsons is performed by actress Julie Kavner.",
        "Dan Castellaneta does the voice of Marge.",
    )

    verdict = merged("who does marge's voice on the simpsons", panel)

    assert verdict.supporting == ("a", "b", "c")
    assert verdict.answer == "Julie Kavner"


@pytest.mark.parametrize("where", ["first", "last"])
def test_of_a_question_of_megabytes_the_ends_are_read(where: str) -> None:
    mail = "a b. c? " * 1_000_000
    asked = "Is this email urgent?"
    question = f"{asked} {mail}" if where == "first" else f"{mail} {asked}"
    began = time.process_time()

    verdict = merged(question, replies("Yes.", "Yes, it is.", "No."))

    assert (verdict.answer, verdict.kind) == ("yes", AnswerKind.BOOLEAN)
    assert time.process_time() - began < 5
