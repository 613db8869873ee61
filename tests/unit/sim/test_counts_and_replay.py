"""Counts stay bounded and true across resets; recorded rows are checked as they are read."""

from __future__ import annotations

import json

import pytest

from ditto.sim.asked import Asked, Refused, Turn
from ditto.sim.counts import Counts, Ending
from ditto.sim.replay import of_lines


def asked(*turns: str) -> Asked:
    roles = ("user", "assistant")
    return Asked(model="m", turns=tuple(Turn(role=roles[at % 2], text=text) for at, text in enumerate(turns)))


def test_attempts_are_counted_for_each_model_prompt_and_misbehaviour_apart() -> None:
    counts = Counts()

    attempts = [
        counts.begin(model, "p", call="", variant=variant).attempt
        for model, variant in (("a", "x"), ("a", "x"), ("b", "x"), ("a", "y"))
    ]

    assert attempts == [1, 2, 1, 1]


def test_a_request_that_outlives_a_reset_is_not_counted_as_finished_after_it() -> None:
    counts = Counts()
    seen = counts.begin("a", "p", call="c", variant="")

    counts.reset()
    counts.end(seen, Ending.ANSWERED, 200)

    shown = counts.shown()
    assert (shown["total"], shown["finished"], shown["running"]) == (0, 0, 0)


def test_the_oldest_are_forgotten_first_and_that_is_said() -> None:
    counts = Counts(limit=2)
    for prompt in ("1", "2", "1", "3"):
        counts.begin("a", prompt, call="", variant=prompt)

    assert list(counts.shown()["prompts"]["a"]) == ["1", "3"]
    assert counts.shown()["forgotten"] == 1


def test_a_reply_is_found_by_an_earlier_users_message_when_it_is_sent_back() -> None:
    replay = of_lines([json.dumps({"id": "1", "prompt": "How many?", "answers": {"m": "3"}})], "rows")

    assert replay.reply("m", asked("How many?", "3", "That is no JSON. Answer again.")) == "3"


def test_a_missing_row_is_named() -> None:
    replay = of_lines([json.dumps({"id": "1", "prompt": "How many?", "answers": {"m": "3"}})], "rows")

    with pytest.raises(Refused) as raised:
        replay.reply("m", asked("Where?"))

    assert "Where?" in raised.value.message
    assert raised.value.status == 404


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "rows, line 2: not JSON"),
        ("[]", "rows, line 2: a row needs a prompt"),
        ('{"prompt": "x"}', "a row needs a prompt"),
        ('{"prompt": "x", "answers": {"m": 3}}', "every answer must be a text"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(line: str, words: str) -> None:
    with pytest.raises(ValueError, match="rows, line 2") as raised:
        of_lines(["", line], "rows")

    assert words in str(raised.value)
