"""How a stream tells an answer: what each of OpenAI's contracts makes of it, as server-sent events."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Protocol

from fastapi.sse import format_sse_event

from ditto.domain.job import Job
from ditto.domain.spec import JSON
from ditto.errors import ServiceError
from ditto.http.openai.reply import First, Said


class Telling(Protocol):
    """One answer's events: its text from beginning to end, what comes after it, or what went wrong."""

    def begin(self, job: Job) -> Iterable[bytes]: ...

    def piece(self, job: Job, text: str) -> Iterable[bytes]: ...

    def done(self, job: Job, said: Said) -> Iterable[bytes]: ...

    def end(self, job: Job, said: Said, first: First | None) -> Iterable[bytes]: ...

    def failure(self, job: Job | None, error: ServiceError) -> Iterable[bytes]: ...


def event(data: JSON, kind: str | None = None) -> bytes:
    """Returns one server-sent event."""
    return format_sse_event(data_str=json.dumps(data, ensure_ascii=True, separators=(",", ":")), event=kind)
