"""What one HTTP request may take of the server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes and times of one request.

    Attributes:
        body_bytes: A larger body is refused with 413.
        body_values: A body of more lists, objects and members in them is refused with 413.
        head_bytes: Longer headers, with path and query, are refused with 400.
        body_s: A body that has not arrived by then is refused with 408.
        linger_s: How long the rest of a refused body is read and thrown away, so that its sender gets to the answer.
        heartbeat_s: The pause after which a silent event stream says that it is alive.
        stalled_s: How long the reader of an event stream may take nothing before it is let go.
        message_bytes: A larger message of a WebSocket client is refused.
        waiting_s: The pause after which an answer that is streamed, and not there yet, says that it is coming.
        listens_after_s: How long a client may be gone before that is noticed, where it changes nothing for its job.
        ready_s: How long the service may take to say that it is ready.
    """

    body_bytes: int = 16 * 1024 * 1024
    body_values: int = 100_000
    head_bytes: int = 32 * 1024
    body_s: float = 30.0
    linger_s: float = 5.0
    heartbeat_s: float = 15.0
    stalled_s: float = 60.0
    message_bytes: int = 4096
    waiting_s: float = 3.0
    listens_after_s: float = 5.0
    ready_s: float = 5.0
