"""A summary is whole sentences of the reply, in any script."""

from __future__ import annotations

import pytest

from ditto.domain.merging import summary


def test_the_opening_sentence_sums_a_reply_up() -> None:
    assert summary.of("Paris is the capital. It lies on the Seine.") == "Paris is the capital."


def test_a_one_word_opening_takes_the_next_sentence_along() -> None:
    assert (
        summary.of("Yes. It asks for an answer before noon. Then it ends.") == "Yes. It asks for an answer before noon."
    )


def test_the_sentence_that_carries_the_answer_is_preferred() -> None:
    text = "Start with 50 apples here. Take 8 of them away. The answer is 42."

    assert summary.of(text, 42) == "The answer is 42."


def test_abbreviations_and_numbers_do_not_end_a_sentence() -> None:
    assert summary.of("Dr. J. Smith paid 3.50 dollars to L.K. Advani. Then he left.") == (
        "Dr. J. Smith paid 3.50 dollars to L.K. Advani."
    )


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("东京是日本的首都。它很大。", "东京是日本的首都。"),
        ("दिल्ली भारत की राजधानी है। यह बड़ी है।", "दिल्ली भारत की राजधानी है।"),
        ("القاهرة هي عاصمة مصر وهي مدينة كبيرة. وهي قديمة.", "القاهرة هي عاصمة مصر وهي مدينة كبيرة."),
        ("Москва является столицей России. Она большая.", "Москва является столицей России."),
        ("🎉🎉", "🎉🎉"),
    ],
)
def test_other_scripts_have_sentences_too(text: str, first: str) -> None:
    assert summary.of(text) == first


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"reasoning": "There are 3 boxes. So 12 apples.", "answer": "12"}\n```',
        '{"reasoning": "There are 3 boxes. So 12 apples.", "answer": "12"}',
        'Here you go: {"reasoning": "There are 3 boxes. So 12',
    ],
)
def test_json_is_never_torn(text: str) -> None:
    summed = summary.of(text, 12)

    assert "{" not in summed
    assert '"' not in summed
    assert summed.rstrip(":") in text


def test_a_long_value_is_named_by_its_fields() -> None:
    assert summary.of_value({"name": "x" * 300, "total": 3}) == "An object with the fields name, total."
