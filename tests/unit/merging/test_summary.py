"""A summary is whole sentences of the reply, in any script."""

from __future__ import annotations

import pytest

from ditto.domain.merging import sentences, summary, thoughts


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


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("Dr. Smith met J. K. Rowling at 3 p.m. in St. Louis. Then he left.", 2),
        ("See https://a.b/c.d?e=f. It works.", 2),
        ("Pi is 3.14. Good.", 2),
        ("Am 9. November 1989 fiel die Mauer. Das war gut.", 2),
        ("Er hat z. B. Äpfel gegessen. Dann ging er.", 2),
        ("The U.S. Army came. It won.", 2),
        ("东京是首都。它很大。", 2),
        ("彼は「はい。」と言った。そして帰った。", 2),
        ("¿Qué es? Es un gato.", 2),
        ("Это 2024 г. и всё. Конец.", 2),
        ("1. Mix the flour.\n2. Bake it.", 2),
        ("| a | b |\n|---|---|\n| 1 | 2 |\nDone.", 1),
        ("```\nx = 1. y = 2.\n```\nThat is it.", 1),
    ],
)
def test_sentences_end_where_sentences_end(text: str, whole: int) -> None:
    assert len(sentences.of(text)) == whole


@pytest.mark.parametrize(
    ("text", "summed"),
    [
        ("Sure! The capital is Paris. It is old.", "The capital is Paris."),
        ("Great question! Water boils at 100 °C. That is hot.", "Water boils at 100 °C."),
        ("# Title\n\nThe cat sat on the mat. It slept.", "The cat sat on the mat."),
        ("**Answer**\n\nParis is the capital of France.", "Paris is the capital of France."),
        ("好的！北京是中国的首都。它很大。", "北京是中国的首都。"),
        ("Gerne! Berlin ist die Hauptstadt. Sie ist groß.", "Berlin ist die Hauptstadt."),
        ("The colors are:\n- Red\n- Blue", "The colors are: Red Blue"),
        ("<think>\nIs it 5? No.\n</think>\nIt is 6, and that is all.", "It is 6, and that is all."),
    ],
)
def test_greetings_headings_and_thoughts_sum_nothing_up(text: str, summed: str) -> None:
    assert summary.of(text) == summed


def test_the_sentence_that_states_an_option_is_found_by_its_letter_and_not_by_an_article() -> None:
    text = "There is a long way to go. The answer is (A). It takes a day."

    assert summary.of(text, "A") == "The answer is (A)."


def test_a_short_object_without_prose_sums_itself_up() -> None:
    assert summary.of('{"name": "x", "size": 3}') == '{"name": "x", "size": 3}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<think>5</think>6", "6"),
        ("<reasoning>\n5\n</reasoning>\n6", "6"),
        ("◁think▷5◁/think▷6", "6"),
        ("[THINK]5[/THINK]6", "6"),
        ("<think>5 and then it was cut", ""),
        ("A <think> tag opens a block.", "A <think> tag opens a block."),
        ("a < b and b > c", "a < b and b > c"),
    ],
)
def test_reasoning_is_no_part_of_a_reply(text: str, said: str) -> None:
    assert thoughts.removed(text) == said


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece", ["Dr. A ", "a. B ", "<think>\n", "```", "**a", "# a\n", '{"a": ', "。", "| a\n", "Sure! "]
)
def test_hostile_repetition_is_summed_up_in_passing(piece: str) -> None:
    assert isinstance(summary.of(piece * (100_000 // len(piece)), 5), str)
