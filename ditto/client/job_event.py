"""One event of a job, as a client gets it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from ditto.domain.spec import JSON


class JobEvent(BaseModel):
    """Something that happened to a job.

    Attributes:
        seq: Its number in the job's journal, from 1 without gaps; `events(after=seq)` goes on behind it. None: it is
            told while the job runs and is not kept (`call.delta`, `call.retried`, `verdict.leading`).
        at: When it was written (aware UTC).
        kind: `job.accepted`, `call.started`, `call.delta`, `call.completed`, `job.completed` and so on.
        data: The event's own fields as the wire has them: camelCase, milliseconds.
    """

    model_config = ConfigDict(frozen=True)

    job_id: str
    seq: int | None
    at: datetime
    kind: str
    data: dict[str, Any]

    @classmethod
    def of_wire(cls, event: dict[str, JSON]) -> JobEvent:
        """Returns the event that the wire shows like this; a piece of a reply is a `CallDelta`."""
        rest = dict(event)
        job_id, seq, at, kind = rest.pop("jobId"), rest.pop("seq", None), rest.pop("at"), rest.pop("kind")
        fields = {"job_id": job_id, "seq": seq, "at": at, "kind": kind, "data": rest}
        return JobEvent.model_validate(fields) if kind != "call.delta" else CallDelta.model_validate(fields | rest)


class CallDelta(JobEvent):
    """A piece of a reply while it is written.

    Attributes:
        call: Whose reply it is, as in the `call.completed` that follows.
        round: 1, and 2 where the model is asked again for a reply that satisfies the schema.
        start: So many characters of the reply's text go before it: 0 begins the text, or begins it anew.
        text: The text from there on.
    """

    kind: Literal["call.delta"]
    call: str
    round: int
    start: int
    text: str
