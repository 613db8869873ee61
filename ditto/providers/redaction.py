"""Keeps keys and prompts out of what is shown: providers like to repeat what they were sent.

A message is searched for stretches that it shares with a key or a prompt, so that a part of one is found too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

SHOWN_CHARS = 300
_LOOKED_AT_CHARS = 1_000
_SECRET_STRETCH = 6
_PROMPT_STRETCH = 24
_PROMPT_END_CHARS = 20_000
_TOO_SHORT_TO_TELL = 4
_MASKED = re.compile(r"\S*\*{3,}\S*")


def redacted(message: str, *, secrets: Iterable[str], prompts: Iterable[str]) -> str:
    """Returns the message in at most 300 characters, without any part of a secret or a prompt."""
    message = _MASKED.sub("…", message[:_LOOKED_AT_CHARS])
    for secret in secrets:
        message = _without(message, secret, _SECRET_STRETCH)
    for prompt in prompts:
        for end in {prompt[:_PROMPT_END_CHARS], prompt[-_PROMPT_END_CHARS:]}:
            message = _without(message, " ".join(end.split()), _PROMPT_STRETCH)
    return message if len(message) <= SHOWN_CHARS else f"{message[: SHOWN_CHARS - 1]}…"


def _without(message: str, source: str, stretch: int) -> str:
    """Returns the message with `…` for each longest stretch of at least so many characters that `source` has too.

    All of a source that is shorter than that is such a stretch; one of less than four characters is a word like any.
    """
    if len(source) < _TOO_SHORT_TO_TELL:
        return message
    stretch = min(stretch, len(source))
    kept, at = [], 0
    while at < len(message):
        end = at + stretch
        if end > len(message) or message[at:end] not in source:
            kept.append(message[at])
            at += 1
            continue
        while end < len(message) and message[at : end + 1] in source:
            end += 1
        kept.append("…")
        at = end
    return "".join(kept)
