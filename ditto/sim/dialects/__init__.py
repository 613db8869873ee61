"""The wire of each provider that the server plays, one file each, and what they have in common."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Protocol

from ditto.sim.asked import Asked, Body, Refused
from ditto.sim.replies import Reply


class Dialect(Protocol):
    """How requests of one provider are read, and its replies and errors are written. Pure: it sends nothing."""

    def authorize(self, headers: Mapping[str, str], key: str | None) -> None:
        """Checks the headers; `key` is the only right one, None: any will do.

        Raises:
            Refused: The key is missing or wrong.
        """
        ...

    def read(self, body: Body, headers: Mapping[str, str], named: str) -> Asked:
        """Returns what is asked; `named` is the model in the request's path, or blank.

        Raises:
            Refused: As the provider would.
        """
        ...

    def reply(self, asked: Asked, reply: Reply, number: int) -> Body:
        """Returns the body of the response; `number` makes its id."""
        ...

    def events(self, asked: Asked, reply: Reply, number: int) -> Iterator[bytes]:
        """Yields the frames of the response as server-sent events."""
        ...

    def error(self, refused: Refused, number: int) -> tuple[int, Body]:
        """Returns status and body of an error response."""
        ...


def encoded(value: object) -> bytes:
    """Returns JSON in UTF-8; half a surrogate pair stays the escape that it came as."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


def frame(data: object, event: str = "") -> bytes:
    """Returns one server-sent event."""
    named = f"event: {event}\n".encode() if event else b""
    return named + b"data: " + (data if isinstance(data, bytes) else encoded(data)) + b"\n\n"
