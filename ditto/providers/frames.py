"""Server-sent events out of the bytes of a stream, wherever these are cut: in a line, in its end, in a character."""

from __future__ import annotations

import re

from ditto.errors import CallTooLarge

_LINE_END = re.compile(rb"\r\n|\n|\r(?!\Z)")
"""A carriage return that comes last may be half of a line's end."""


class Frames:
    """Puts events together. Of each only its data counts: what providers stream says by itself of what kind it is.

    Args:
        limit_bytes: Of one event.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[str]:
        """Returns the data of every event that this piece completes.

        Raises:
            CallTooLarge: One is above the limit.
        """
        goes_on = not self._rest.endswith(b"\r") and b"\n" not in chunk and b"\r" not in chunk
        self._rest += chunk
        if goes_on:
            self._check()
            return []
        *lines, rest = _LINE_END.split(self._rest)
        self._rest = bytearray(rest)
        events = [event for line in lines if (event := self._take(bytes(line))) is not None]
        self._check()
        return events

    def end(self) -> list[str]:
        """Returns the data of an event after which the blank line is missing."""
        return self.feed(b"\n\n")

    def _take(self, line: bytes) -> str | None:
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
            self._size += len(line)
        if line or not self._data:
            return None
        event = b"\n".join(self._data).decode("utf-8", "replace")
        self._data, self._size = [], 0
        return event

    def _check(self) -> None:
        if self._size + len(self._rest) > self._limit_bytes:
            raise CallTooLarge(f"one event of the stream is larger than {self._limit_bytes} bytes")
