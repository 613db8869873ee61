"""Values in a reader's words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ditto.cli import words


def test_a_reply_cannot_control_the_terminal() -> None:
    hostile = "a\x1b[2Jb\x07c\x9b31md\u202ee\rf\n\tg"

    assert words.printable(hostile) == "a[2Jbc31mdef\n\tg"


def test_text_of_any_script_stays_as_it_is() -> None:
    text = "日本語 العربية עברית 👩‍👩‍👧 é"

    assert words.printable(text) == text
    assert words.one_line(text) == text


def test_a_line_is_cut_with_a_sign() -> None:
    assert words.one_line("one\n two   three", 9) == "one two …"
    assert words.one_line("x" * 10_000, 5) == "xxxx…"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "0.00 s"),
        (0.034, "0.03 s"),
        (8.12, "8.1 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (125, "2 min 5 s"),
        (12_000, "3 h 20 min"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


@pytest.mark.parametrize(
    ("part", "said"),
    [(0.0, "0 %"), (0.004, "under 1 %"), (0.666, "67 %"), (0.995, "over 99 %"), (1.0, "100 %")],
)
def test_only_what_is_certain_is_none_or_all(part: float, said: str) -> None:
    assert words.share(part) == said


def test_counts() -> None:
    assert words.count(1, "row") == "1 row"
    assert words.count(1204, "row") == "1,204 rows"


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "now"), (5, "5 s ago"), (90, "1 min ago"), (7300, "2 h ago"), (200_000, "2 d ago")]
)
def test_ages(seconds: float, said: str) -> None:
    now = datetime(2025, 7, 1, tzinfo=UTC)

    assert words.age(now - timedelta(seconds=seconds), now) == said


def test_values_that_are_no_text_are_readable_json() -> None:
    assert words.value({"größe": [1]}) == '{\n  "größe": [\n    1\n  ]\n}'
    assert words.short({"größe": [1]}) == '{"größe": [1]}'
