"""One event of a job's journal, as a client gets it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from ditto.domain.spec import JSON


class JobEvent(BaseModel):
    """Something that happened to a job.

    Attributes:
        seq: Its number in the job's journal, from 1 without gaps; `events(after=seq)` goes on behind it.
        at: When it was written (aware UTC).
        kind: `job.accepted`, `call.started`, `call.completed`, `job.completed` and so on.
        data: The event's own fields as the wire has them: camelCase, milliseconds.
    """

    model_config = ConfigDict(frozen=True)

    job_id: str
    seq: int
    at: datetime
    kind: str
    data: dict[str, Any]

    @classmethod
    def of_wire(cls, event: dict[str, JSON]) -> Self:
        """Returns the event that the wire shows like this."""
        rest = dict(event)
        job_id, seq, at, kind = (rest.pop(name) for name in ("jobId", "seq", "at", "kind"))
        return cls.model_validate({"job_id": job_id, "seq": seq, "at": at, "kind": kind, "data": rest})
