"""A reply while it is streamed: read as it comes, told to who listens, and put together as if it had come whole.

A stream costs many times the bytes of its text: every word comes in a frame of its own. So the limit on a reply holds
for its text, and the stream around it has one of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ditto.errors import CallTooLarge, CallUnreachable
from ditto.providers.bodies import decoded
from ditto.providers.frames import Frames
from ditto.providers.port import Assembly

_WRAPPED = 128
_AROUND_BYTES = 128 * 1024 * 1024
"""So many times its text a stream may be, and so much more: frames of 300 bytes for half a million tokens."""
_DONE = "[DONE]"


class Incoming:
    """One response that may come as a stream.

    Args:
        said: Called with each piece of the reply's text.
        limit_bytes: Of the text.

    Attributes:
        begun: It does come as a stream.
        over: It has said that nothing more follows.
    """

    def __init__(self, assembly: Assembly, said: Callable[[str], None], limit_bytes: int) -> None:
        self.begun = False
        self.over = False
        self._assembly = assembly
        self._said = said
        self._limit_bytes = limit_bytes
        self._stream_limit_bytes = min(_WRAPPED * limit_bytes, limit_bytes + _AROUND_BYTES)
        self._frames = Frames(limit_bytes)
        self._text_bytes = 0
        self._stream_bytes = 0

    def feed(self, chunk: bytes) -> None:
        """Takes the next bytes.

        Raises:
            CallTooLarge: It has become too much.
            CallUnreachable: What comes is no stream of this dialect.
        """
        self.begun = True
        self._stream_bytes += len(chunk)
        if self._stream_bytes > self._stream_limit_bytes:
            raise CallTooLarge(f"the stream is larger than {self._stream_limit_bytes} bytes")
        self._take(self._frames.feed(chunk))

    @property
    def complete(self) -> bool:
        """Whether the reply has come to its end, though the stream may not have."""
        return self.over or self._assembly.complete

    def body(self) -> bytes:
        """Returns the body that the same response would have had whole.

        Raises:
            CallUnreachable: The stream ended before the reply did.
        """
        self._take(self._frames.end())
        if not self.complete:
            raise CallUnreachable("the stream ended before the reply did")
        return self._assembly.body()

    def _take(self, events: Iterable[str]) -> None:
        for data in events:
            if self.over:
                return
            if data.strip() == _DONE:
                self.over = True
                return
            event = decoded(data.encode())
            if not isinstance(event, dict):
                raise CallUnreachable("the stream holds what is no JSON object")
            text = self._assembly.take(event)
            self.over = self._assembly.over
            if text:
                self._text_bytes += len(text.encode("utf-8", "replace"))
                if self._text_bytes > self._limit_bytes:
                    raise CallTooLarge(f"the reply is larger than {self._limit_bytes} bytes")
                self._said(text)
