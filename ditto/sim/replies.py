"""A simulated model's reply before a dialect has shaped it: its text, why it ended, its token counts.

A token here is up to six characters of a word with the blanks before it. A prompt's tokens are estimated as a
quarter of its characters, so that counting a megabyte costs nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from ditto.sim.asked import Asked

Finish = Literal["stop", "length", "content_filter"]
_TOKEN = re.compile(r"\s*\S{1,6}|\s+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the model says.

    Attributes:
        reasoning: Given in a field of its own where the dialect has one.
        stopped_by: The stop sequence that ended it, or blank.
        input_tokens: Estimated.
    """

    text: str
    finish: Finish = "stop"
    reasoning: str = ""
    stopped_by: str = ""
    input_tokens: int = 0

    @property
    def reasoning_tokens(self) -> int:
        return count(self.reasoning)

    @property
    def output_tokens(self) -> int:
        return count(self.text) + count(self.reasoning)

    def pieces(self) -> list[str]:
        """The text as it is streamed, token by token."""
        return _TOKEN.findall(self.text)


def count(text: str) -> int:
    """Returns the number of tokens of a text: exact for a reply, estimated beyond 20 000 characters."""
    return len(_TOKEN.findall(text)) if len(text) <= 20_000 else estimated(text)


def estimated(text: str) -> int:
    return len(text) // 4 + 1


def limited(reply: Reply, asked: Asked) -> Reply:
    """Returns the reply as far as the request's stop sequences and token limit let it go."""
    text, finish, stopped_by = reply.text, reply.finish, ""
    ends = [(at, sequence) for sequence in asked.stop if sequence and (at := text.find(sequence)) >= 0]
    if ends:
        end, stopped_by = min(ends)
        text = text[:end]
    if asked.max_tokens is not None:
        pieces = _TOKEN.findall(text)
        if len(pieces) > asked.max_tokens:
            text, finish, stopped_by = "".join(pieces[: asked.max_tokens]), "length", ""
    return replace(reply, text=text, finish=finish, stopped_by=stopped_by, input_tokens=estimated(asked.input_text))
