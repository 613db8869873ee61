"""A streamed message of Anthropic's put together: its blocks of text, why it stopped, and the tokens.

Source: platform.claude.com/docs/en/build-with-claude/streaming.
"""

from __future__ import annotations

import json
from typing import Any

from ditto.providers.bodies import as_object, as_text


class MessageAssembly:
    """Blocks of thinking and of tools leave nothing behind."""

    def __init__(self) -> None:
        self.complete = False
        self.over = False
        self._text: list[str] = []
        self._usage: dict[str, Any] = {}
        self._reason: str | None = None
        self._error: dict[str, Any] | None = None

    def take(self, event: dict[str, Any]) -> str:
        """Takes an event and returns what it adds to the text."""
        text = ""
        match event.get("type"):
            case "message_start":
                self._count(as_object(event.get("message")).get("usage"))
            case "content_block_start":
                text = as_text(as_object(event.get("content_block")).get("text"))
            case "content_block_delta":
                text = as_text(as_object(event.get("delta")).get("text"))
            case "message_delta":
                self._reason = as_text(as_object(event.get("delta")).get("stop_reason")) or self._reason
                self._count(event.get("usage"))
                self.complete = self._reason is not None
            case "message_stop":
                self.complete = self.over = True
            case "error":
                self._error, self.complete, self.over = event, True, True
        self._text.append(text)
        return text

    def body(self) -> bytes:
        """Returns the whole message."""
        content = [{"type": "text", "text": "".join(self._text)}]
        whole = {"type": "message", "content": content, "stop_reason": self._reason, "usage": self._usage}
        return json.dumps(whole if self._error is None else self._error).encode()

    def _count(self, usage: object) -> None:
        """Takes counts over: each event has those that it knows, and the last one is right."""
        self._usage |= {name: count for name, count in as_object(usage).items() if count is not None}
