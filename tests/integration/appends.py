"""Appends for tests of journals."""

from __future__ import annotations

from typing import Any

from ditto.domain import events as ev
from ditto.domain.events import Event
from ditto.domain.verdict import Intent, Verdict
from ditto.store.port import Append, Claim
from tests.unit.domain.jobs import at, spec

STARTED = ev.CallStarted(call="a", round=1, caller="caller:0")
ANSWERED = ev.CallCompleted(call="a", round=1, reply=ev.Reply(text="It is 42."))
VERDICT = Verdict(result="42", summary="42", intent=Intent.ANSWER, confidence=0.4, needs_review=True)
COMPLETED = ev.JobCompleted(verdict=VERDICT, merge_s=0.1)


def acceptance(
    job_id: str = "j1", *, second: float = 0.0, claim: Claim | None = None, append_id: str = "accept", **changes: Any
) -> Append:
    """Returns the append that begins a job on `host:0`."""
    event = ev.JobAccepted(spec=spec("a", **changes), holder="host:0")
    return Append(job_id=job_id, id=append_id, after=0, events=((at(second), event),), claim=claim)


def more(*events: Event, job_id: str = "j1", after: int = 1, append_id: str = "more", second: float = 1.0) -> Append:
    """Returns an append of these events, all at one moment."""
    return Append(job_id=job_id, id=append_id, after=after, events=tuple((at(second), event) for event in events))


def life(job_id: str = "j1", *, second: float = 0.0, end: Event = COMPLETED, **changes: Any) -> list[Append]:
    """Returns the appends of a job from its acceptance at `second` to its end two seconds later."""
    return [
        acceptance(job_id, second=second, **changes),
        more(STARTED, ANSWERED, job_id=job_id, second=second + 1),
        more(end, job_id=job_id, after=3, append_id="end", second=second + 2),
    ]
