"""A reply that is one number or one word says no more than that: it is read without a search for more."""

from __future__ import annotations

import pytest

from ditto.domain.merging import amounts, conclusions, finals, intents, numbers, reading, refusals, sentences, summary
from ditto.domain.verdict import Intent

PLAIN = ("391", "-5", "+7", "$1,234.50", "18.", "75%", "0", "-0.0", "1.234.567,5", "€5", "5..5")
WORDS = ("Paris", "B", "x1", "Sorry", "twelve", "1e6", "is", "TRUE", "007")
MORE = ("", " 391", "391 ", "3 4", "1/2", "5kg", "**5**", "#### 5", "5?", "$", ".5", "٣", "x", "2^3", "- 5")


@pytest.mark.parametrize("text", PLAIN)
def test_a_plain_number_marks_nothing_and_is_one_sentence(text: str) -> None:
    assert numbers.is_plain(text)

    assert finals.of(text) == finals.emphasised(text) == []
    assert sentences.of(text) == [text]
    assert summary.of(text, numbers.shown(5)) == text
    assert not refusals.refuses(text, "How many?")
    assert intents.of(text, "stop") is Intent.ANSWER


def test_a_filtered_number_is_a_refusal_all_the_same() -> None:
    assert intents.of("391", "content_filter") is Intent.REFUSAL


@pytest.mark.parametrize("text", MORE)
def test_what_says_more_is_no_plain_number(text: str) -> None:
    assert not numbers.is_plain(text)


@pytest.mark.parametrize("text", ["391", "007", "0", "1" * 300, "1" * 301, "٣", "12"])
def test_digits_are_the_same_number_as_in_a_text_around_them(text: str) -> None:
    read = numbers.entire(f" {text} ")

    assert numbers.entire(text) == read


@pytest.mark.parametrize("word", ["twelve", "Positive", "one", "hundert", "zweihundertzehn", "and", "million", "A"])
def test_a_word_is_the_same_number_as_in_a_text_around_it(word: str) -> None:
    assert numbers.entire(word) == numbers.entire(f" {word} ")


@pytest.mark.parametrize("text", ["minus four", "half a million", "Twenty-one km", "about four", "- four", "the one"])
def test_words_are_a_number_by_their_first_word_or_not_at_all(text: str) -> None:
    read = numbers.entire(text)

    assert (read is not None) is (text in ("minus four", "half a million", "Twenty-one km"))


@pytest.mark.parametrize("text", ["391", "Paris", "is", "so", "pi", "x1", "twelve", "1" * 301])
def test_one_word_comes_to_what_it_comes_to_as_a_sentence(text: str) -> None:
    assert list(conclusions.of(text)) == list(conclusions.of(f"{text} "))
    assert amounts.given(text, (), "How many?", held=False) == amounts.given(f"{text} ", (), "How many?", held=False)


@pytest.mark.parametrize("text", WORDS)
def test_one_word_marks_nothing_and_is_one_sentence(text: str) -> None:
    assert finals.of(text) == finals.emphasised(text) == []
    assert sentences.of(text) == sentences.of(f"{text} ") == [text]
    assert summary.of(text) == summary.of(f" {text}") == text
    assert reading.sheet(text).finals == reading.sheet(f"{text} ").finals
