"""What is read out of one reply, kind by kind, beside a panel that says what kind is meant."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ditto.domain.merging import reading
from ditto.domain.spec import AnswerKind
from tests.unit.merging.panels import merged, replies


def read(text: str, question: str, answer: AnswerKind | tuple[str, ...] | None = None) -> Any:
    return merged(question, replies(text), answer=answer).answer


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("The total is 1,234.50 in the end.", 1234.5),
        ("$7,425.00", 7425),
        ("The answer is −12.", -12),
        ("#### 18", 18),
        ("\\boxed{\\frac{3}{4}}", 0.75),
        ("\\boxed{2{,}500}", 2500),
        ("The answer is 3/4 of a cup.", 0.75),
        ("It takes 1 1/2 hours.", 1.5),
        ("The answer is 2.5e3.", 2500),
        ("The answer is 3 × 10^4.", 30000),
        ("There are three episodes.", 3),
        ("Twenty-one.", 21),
        ("The answer is one hundred and five.", 105),
        ("About 3.2 million people", 3_200_000),
        ("1.234,5", 1234.5),
        ('```json\n{"reasoning": "4 * 15 = 60", "answer": "$60"}\n```', 60),
        ('{"reasoning": "a\nb", "answer": 14}', 14),
        ('Sure! {"reasoning": "2 + 2", "answer": "4 * 15 * 12 = 720"} Done.', 720),
        ('{"reasoning": "it is "quoted" badly", "answer": "17"', 17),
        ("First 5 apples go. Then 3 go. That leaves 12 - 8 = 4.", 4),
        ("The final answer is **42**", 42),
        ("١٢", 12),
    ],
)
def test_numbers_are_read_as_models_write_them(text: str, number: float) -> None:
    assert read(text, "How many are there?", AnswerKind.NUMBER) == number


def test_numbers_of_one_panel_are_compared_in_one_unit() -> None:
    verdict = merged("How long does it take?", replies("2 hours", "120 minutes", "2 hours", "90 minutes"))

    assert verdict.supporting == ("a", "b", "c")
    assert verdict.answer == 2


def test_a_percentage_and_a_share_are_the_same_where_nobody_asked_for_percent() -> None:
    verdict = merged("What is the probability of heads?", replies("0.5", "50%", "1/2"))

    assert verdict.agreement == 1.0


OPTIONS = "Which planet is the largest?\n(A) Mars\n(B) Jupiter\n(C) Venus\n(D) Jupiter's moon"


@pytest.mark.parametrize(
    "text",
    [
        "B",
        "(B)",
        "B. Jupiter",
        "The answer is (B).",
        "The correct answer is:\n\nB. Jupiter",
        "\\boxed{\\text{B}}",
        '{"reasoning": "by mass", "answer": "B"}',
        "It is the largest. The answer is Jupiter.",
        "After comparing (A) and (C), option B is correct.",
        "The answer is (B).\n\nThe answer is (C).\n\nThe answer is (A).",
        "The answer is (A). Wait, that is wrong. The answer is (B).",
        "**Answer: B**",
    ],
)
def test_choices_are_read_by_letter_and_by_text(text: str) -> None:
    assert read(text, OPTIONS) == "B"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Yes, it is.", "yes"),
        ("No.", "no"),
        ("No, that is a myth.", "no"),
        ("The answer is no.", "no"),
        ('{"reasoning": "…", "answer": true}', "yes"),
        ("Having looked at it, the statement is not true.", "no"),
        ("Ja, das stimmt.", "yes"),
        ("是的", "yes"),
    ],
)
def test_yes_and_no_are_read(text: str, said: str) -> None:
    assert read(text, "Is the earth round?", AnswerKind.BOOLEAN) == said


@pytest.mark.parametrize(
    "text", ["2018-03-21", "March 21, 2018", "It was on 21st March 2018.", "03/21/2018", "2018年3月21日"]
)
def test_dates_are_read_in_any_notation(text: str) -> None:
    assert read(text, "When was it?", AnswerKind.DATE) == "2018-03-21"


@pytest.mark.parametrize(
    "text",
    [
        "['a', 'b']",
        '["a", "b"]',
        "`['a', 'b']`",
        "It returns:\n```python\n['a','b']\n```",
        '{"reasoning": "…", "answer": "[\\"a\\", \\"b\\"]"}',
        '{"answer": \'["a", "b"]\'}',
        '{"answer": ["a", "b"]}',
        '{"answer": "["a", "b"]"}',
        "assert f(1) == ['a', 'b']",
    ],
)
def test_values_of_code_are_compared_as_values(text: str) -> None:
    verdict = merged("What does f(1) return?", replies("['a', 'b']", text), answer=AnswerKind.CODE)

    assert verdict.agreement == 1.0


def test_a_text_of_several_lines_is_a_text_quoted_or_not() -> None:
    panel = replies('{"answer": "one\\ntwo"}', '{"answer": "\'one\\\\ntwo\'"}')

    verdict = merged("What does f() return?", panel, answer=AnswerKind.CODE)

    assert verdict.agreement == 1.0


def test_a_list_is_no_tuple_and_true_is_no_number() -> None:
    verdict = merged("What does f() return?", replies("[1]", "(1,)", "[True]"), answer=AnswerKind.CODE)

    assert len(verdict.dissent) == 2


def test_json_is_compared_by_value() -> None:
    panel = replies('{"a": 1, "b": [2]}', 'Here it is:\n```json\n{"b": [2.0], "a": 1}\n```', '{"a": 1, "b": [2],}')

    verdict = merged("Give me the JSON.", panel, answer=AnswerKind.JSON)

    assert verdict.agreement == 1.0


def test_formulas_are_compared_without_regard_to_notation() -> None:
    panel = replies("\\boxed{\\dfrac{x}{2}}", "$\\boxed{\\frac{x}{2}}$", "\\boxed{x/2}", "\\boxed{x/3}")

    verdict = merged("Simplify.", panel)

    assert verdict.supporting == ("a", "b", "c")


def test_the_kind_is_what_most_of_the_panel_says_not_one_reply() -> None:
    panel = replies("The answer is Paris.", "The answer is Paris.", "The answer is 7.")

    verdict = merged("Name it.", panel)

    assert verdict.answer == "Paris"


@pytest.mark.parametrize(
    "piece", ["**a ", "\\boxed{", "so my the ", "one hundred and ", '{"answer": ', "the answer ", "["]
)
def test_hostile_repetition_is_read_in_passing(piece: str) -> None:
    verdict = merged("How many are there?", replies(piece * 5000, "4"))

    assert len(verdict.readings) == 2


def test_a_yes_no_question_before_the_document_it_is_about_is_answered_with_yes_or_no():
    question = "Is this email urgent? Please reply before noon, the server is down."
    verdict = merged(question, replies("Yes.", "Yes, it says before noon.", "No. Nothing in it sets a deadline."))
    assert verdict.answer == "yes"
    assert verdict.dissent[0].answer == "no"


@pytest.mark.parametrize("text", ['{"x" ' * 4000, '{"a": "\\ud83d"}', '{"a": 1e999}', "[" * 1500])
def test_a_structure_that_cannot_be_read_or_kept_is_no_answer(text: str) -> None:
    began = time.process_time()

    found = reading.structure(reading.Sheet(text=text, finals=()))

    assert found is None or found == {}
    assert time.process_time() - began < 0.5
