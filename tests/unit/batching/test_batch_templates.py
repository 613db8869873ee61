"""Prompts made of columns."""

from __future__ import annotations

import pytest

from ditto.batching import Template


def test_columns_stand_in_braces_and_braces_are_doubled() -> None:
    assert Template("{{a}} {b} {c d}").fill({"b": "x", "c d": {"e": 1}}) == '{a} x {"e": 1}'


def test_a_template_names_its_columns_once() -> None:
    assert Template("{b} {a} {b}").columns == ("b", "a")


def test_values_are_put_in_as_they_are() -> None:
    assert Template("{a}").fill({"a": "{b}"}) == "{b}"


@pytest.mark.parametrize("text", ["{", "}", "{}", "{ }", "{a!r}", "{a:>10}"])
def test_a_wrong_template_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Template(text)


def test_nothing_but_columns_can_be_reached() -> None:
    with pytest.raises(ValueError, match="the row has no"):
        Template("{a.__class__}").fill({"a": "x"})
