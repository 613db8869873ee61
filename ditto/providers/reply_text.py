"""The text of a reply: its parts joined, the model's thinking taken out.

Models write their thinking between `<think>` and `</think>`. Some chat templates put the opening tag into the prompt,
so that a reply has only the closing one; a reply that was cut off has only the opening one. A tag in the middle of a
line is talk about tags, and stays.
"""

from __future__ import annotations

import re

from ditto.domain.spec import JSON
from ditto.errors import CallInvalidReply, CallTruncated
from ditto.providers.bodies import as_list, as_object, as_text

_OPENING = re.compile(r"(?:^|(?<=</think>))[ \t]*<(think|thinking)>", re.MULTILINE)
_CLOSING = re.compile(r"</(?:think|thinking)>")


def joined(content: JSON) -> str:
    """Returns the text of a content that is a string or a list of parts; parts of thinking are left out."""
    if isinstance(content, str):
        return content
    parts = (part if isinstance(part, str) else _text_of_part(as_object(part)) for part in as_list(content))
    return "".join(parts)


def without_thinking(text: str) -> str:
    """Returns the text without the blocks of thinking in it, blanks at both ends removed."""
    text = _without_unopened(text)
    kept, position = [], 0
    while (opening := _OPENING.search(text, position)) is not None:
        kept.append(text[position : opening.start()])
        closing = f"</{opening[1]}>"
        end = text.find(closing, opening.end())
        position = end + len(closing) if end >= 0 else len(text)
    kept.append(text[position:])
    return "".join(kept).strip()


def checked(text: str, finish: str) -> str:
    """Returns the text of a reply, thinking removed, once it is known that there is one.

    Raises:
        CallTruncated: The token limit was reached before there was any.
        CallInvalidReply: There is none for no reason.
    """
    text = without_thinking(text.encode("utf-8", "replace").decode())
    if not text and finish == "length":
        raise CallTruncated("the token limit was reached before the reply had any text")
    if not text and finish != "content_filter":
        raise CallInvalidReply("the reply has no text")
    return text


def _text_of_part(part: dict[str, JSON]) -> str:
    return as_text(part.get("text")) if part.get("type", "text") in ("text", "output_text") else ""


def _without_unopened(text: str) -> str:
    closing = _CLOSING.search(text)
    if closing is None or "<think" in text[: closing.start()]:
        return text
    before, after = text[: closing.start()], text[closing.end() :]
    alone = before.endswith("\n") or not after.strip(" \t") or after.lstrip(" \t").startswith("\n")
    return after.lstrip() if alone else text
