"""What a reply is up to: it answers, refuses, asks back, or nothing can be told.

How it opens decides. A reply that refuses and then helps with something milder is a refusal of what was asked.
"""

from __future__ import annotations

import re

from ditto.domain.merging import clarifications, numbers, refusals, thoughts
from ditto.domain.verdict import Intent

_LETTERS = re.compile(r"\w|[^\x00-\x7f]")


def of(text: str, finish: str, question: str = "") -> Intent:
    """Returns the intent of one reply.

    Args:
        text: The reply.
        finish: How it ended; `content_filter` is a refusal whatever the text says.
        question: What was asked, where it is known.
    """
    if finish == "content_filter":
        return Intent.REFUSAL
    if numbers.is_plain(text):
        return Intent.ANSWER
    text = thoughts.removed(text)
    if not _LETTERS.search(text):
        return Intent.UNKNOWN
    if refusals.refuses(text, question):
        return Intent.REFUSAL
    if clarifications.asks_back(text):
        return Intent.CLARIFICATION
    return Intent.ANSWER
