"""Proves that thinking is no part of a reply, and that keys and prompts are no part of a message."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ditto.providers.failures import retry_after_s
from ditto.providers.redaction import SHOWN_CHARS, redacted
from ditto.providers.reply_text import without_thinking


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<think>a\nb</think>\n\nYes.", "Yes."),
        ("  <think></think>Yes.", "Yes."),
        ("<thinking>hm</thinking> Yes.", "Yes."),
        ("<think>a</think><think>b</think>Yes.", "Yes."),
        ("Well.\n<think>a</think>\nYes.", "Well.\n\nYes."),
        ("<think>cut off", ""),
        ("Yes.\n<think>cut off", "Yes."),
        ("the opening tag was in the prompt\n</think>\n\nYes.", "Yes."),
        ("nothing but thoughts</think>", ""),
        ("A `<think>` tag opens and </think> closes.", "A `<think>` tag opens and </think> closes."),
        ("The tag </think> closes it.", "The tag </think> closes it."),
        (" Yes. ", "Yes."),
        ("", ""),
    ],
)
def test_thinking_is_no_part_of_the_reply(text: str, answer: str) -> None:
    assert without_thinking(text) == answer


def test_many_blocks_of_thinking_cost_no_more_than_their_length() -> None:
    assert without_thinking("<think>a</think>\n" * 200_000 + "Yes.").endswith("Yes.")


def test_a_key_is_cut_out_of_a_message_even_if_only_part_of_it_is_there() -> None:
    key = "sk-live-0a1b2c3d4e5f6g7h"

    whole = redacted(f"wrong key {key}.", secrets=[key], prompts=[])
    part = redacted("wrong key sk-live-0a1b2c, try again", secrets=[key], prompts=[])
    masked = redacted("wrong key sk-l***6g7h", secrets=[], prompts=[])

    assert (whole, part, masked) == ("wrong key ….", "wrong key …, try again", "wrong key …")


def test_a_prompt_is_cut_out_of_a_message() -> None:
    prompt = "My name is Ada Lovelace and\n my number is 5551234."

    quoted = redacted(f"bad input: {' '.join(prompt.split())}", secrets=[], prompts=[prompt])
    began = redacted("bad input: My name is Ada Lovelace and my…", secrets=[], prompts=[prompt])
    short = redacted("bad input: Hi there", secrets=[], prompts=["Hi there"])

    assert (quoted, began, short) == ("bad input: …", "bad input: ……", "bad input: …")


def test_words_that_a_prompt_shares_with_a_message_stay() -> None:
    message = "the maximum context length is 8192 tokens"

    assert redacted(message, secrets=[], prompts=["What is the maximum speed? How many tokens?"]) == message


@given(st.text(max_size=2_000), st.text(min_size=8, max_size=60))
def test_a_message_is_short_and_holds_no_secret_whatever_surrounds_it(around: str, secret: str) -> None:
    shown = redacted(f"{around[:500]}{secret}{around[500:]}", secrets=[secret], prompts=[])

    assert len(shown) <= SHOWN_CHARS
    assert secret not in shown or set(secret) <= {"…"}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Wed, 04 Nov 2026 10:00:20 GMT", "date": "Wed, 04 Nov 2026 10:00:05 GMT"}, 15.0),
        ({"retry-after": "Wed, 04 Nov 2026 10:00:20 GMT", "date": "Wed, 04 Nov 2026 10:01:00 GMT"}, 0.0),
        ({"retry-after": "Wed, 04 Nov 2026 10:00:20 GMT"}, None),
    ],
)
def test_a_retry_after_is_read_in_each_of_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(httpx.Headers(headers)) == seconds
