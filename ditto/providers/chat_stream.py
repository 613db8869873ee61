"""A streamed chat completion put together: the chunks' text, how it ended, and the tokens.

Source: developers.openai.com/api/reference/resources/chat (streaming), and the providers' own pages. Groq counts the
tokens under `x_groq`; Workers AI writes a token that is a digit as a number.
"""

from __future__ import annotations

import json
from typing import Any

from ditto.domain.spec import JSON
from ditto.providers.bodies import as_list, as_object, as_text
from ditto.providers.reply_text import joined


class ChatAssembly:
    """Of several choices only the first counts, as in a whole completion."""

    def __init__(self) -> None:
        self.complete = False
        self.over = False
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._choice: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._error: dict[str, Any] | None = None

    def take(self, event: dict[str, Any]) -> str:
        """Takes a chunk and returns what it adds to the text."""
        if event.get("error") or event.get("errors"):
            self._error, self.complete, self.over = event, True, True
            return ""
        usage = event.get("usage") or as_object(event.get("x_groq")).get("usage")
        self._usage = as_object(usage) or self._usage
        choice = as_object(next(iter(as_list(event.get("choices"))), None))
        if not choice or choice.get("index", 0) != 0:
            return ""
        if choice.get("finish_reason"):
            self._choice["finish_reason"] = choice["finish_reason"]
        if choice.get("error"):
            self._choice["error"] = choice["error"]
        self.complete = bool(self._choice)
        delta = as_object(choice.get("delta"))
        text, refusal = piece(delta.get("content")), as_text(delta.get("refusal"))
        self._text.append(text)
        self._refusal.append(refusal)
        return text + refusal

    def body(self) -> bytes:
        """Returns the whole completion."""
        message = {"role": "assistant", "content": "".join(self._text), "refusal": "".join(self._refusal) or None}
        whole = {"choices": [{"message": message, **self._choice}], "usage": self._usage}
        return json.dumps(whole if self._error is None else self._error).encode()


def piece(content: JSON) -> str:
    """Returns a piece of text, which may be a number or a list of parts."""
    if isinstance(content, int | float) and not isinstance(content, bool):
        return str(content)
    return joined(content)
