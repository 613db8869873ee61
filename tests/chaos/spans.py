"""Who had which call in hand, and from when to when, as a job's journal tells it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ditto.domain import events as ev
from ditto.domain.events import Recorded

Call = tuple[str, str]
"""A job's id and the name of a call of it."""

NEVER = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A call under way in the same hands; Unix times."""

    call: Call
    holder: str
    caller: str
    began_at: float
    ended_at: float = NEVER


def spans_of(job_id: str, records: Sequence[Recorded]) -> Iterator[Span]:
    """Yields the spans of a job's calls: a new one for each call, and after each change of the job's holder."""
    running: dict[str, Span] = {}
    holder = ""
    for record in records:
        at = record.at.timestamp()
        match record.event:
            case ev.JobAccepted(holder=name):
                holder = name
            case ev.JobAdopted(holder=name):
                holder = name
                yield from (replace(span, ended_at=at) for span in running.values())
                running = {call: replace(span, holder=name, began_at=at) for call, span in running.items()}
            case ev.CallStarted(call=call, caller=caller):
                running[call] = Span(call=(job_id, call), holder=holder, caller=caller, began_at=at)
            case ev.CallCompleted(call=call) | ev.CallFailed(call=call):
                if call in running:
                    yield replace(running.pop(call), ended_at=at)
    yield from running.values()
