"""A streamed reply of Workers AI's own route put together; newer models stream chunks of a chat completion there.

Source: developers.cloudflare.com/workers-ai (streaming).
"""

from __future__ import annotations

import json
from typing import Any

from ditto.providers.bodies import as_object
from ditto.providers.chat_stream import ChatAssembly, piece


class RunAssembly:
    """Which of the two it is, its events say."""

    def __init__(self) -> None:
        self.complete = False
        self.over = False
        self._chat = ChatAssembly()
        self._is_chat = False
        self._text: list[str] = []
        self._usage: dict[str, Any] = {}

    def take(self, event: dict[str, Any]) -> str:
        """Takes an event and returns what it adds to the text."""
        if event.get("choices") or event.get("error") or event.get("errors"):
            self._is_chat = True
            text = self._chat.take(event)
            self.complete, self.over = self._chat.complete, self._chat.over
            return text
        text = piece(event.get("response"))
        self._text.append(text)
        self._usage = as_object(event.get("usage")) or self._usage
        return text

    def body(self) -> bytes:
        """Returns the whole response of the route."""
        if self._is_chat:
            return self._chat.body()
        whole = {"result": {"response": "".join(self._text), "usage": self._usage}, "success": True}
        return json.dumps(whole).encode()
