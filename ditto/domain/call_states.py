"""What becomes of one call, a panel seat's or the judge's: its states, and which event may follow in which."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ditto.domain import events as ev
from ditto.domain.events import Event, Failure, Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The call has not been made yet, or is to be made again; `earlier` as in `Running`."""

    earlier: tuple[Reply, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The call is with `caller`, since its first round began at `since`.

    `earlier` are this call's replies that did not satisfy the schema.
    """

    round: int
    caller: str
    since: datetime
    earlier: tuple[Reply, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    reply: Reply
    round: int
    since: datetime
    at: datetime
    earlier: tuple[Reply, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    failure: Failure
    at: datetime
    earlier: tuple[Reply, ...] = ()


CallStatus = Waiting | Running | Answered | Failed
AWAITED = (Waiting, Running)
"""How a call stands that may still give a reply."""

CallEvent = ev.CallStarted | ev.CallCompleted | ev.CallFailed
JudgeEvent = ev.JudgeStarted | ev.JudgeCompleted | ev.JudgeFailed

CALL_MOVES: frozenset[tuple[type[CallStatus], type[Event]]] = frozenset(
    {
        (Waiting, ev.CallStarted),
        (Waiting, ev.CallFailed),
        (Running, ev.CallCompleted),
        (Running, ev.CallFailed),
        (Answered, ev.CallStarted),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unjudged:
    """No judge has been asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A judge has been asked; `call` tells what came of it.

    Attributes:
        order: The calls as their replies were numbered for it.
    """

    order: tuple[str, ...]
    call: Running | Answered | Failed


JUDGE_MOVES: frozenset[tuple[type[Unjudged | CallStatus], type[Event]]] = frozenset(
    {
        (Unjudged, ev.JudgeStarted),
        (Running, ev.JudgeCompleted),
        (Running, ev.JudgeFailed),
    }
)


def call_after(before: CallStatus, event: CallEvent, at: datetime) -> CallStatus | None:
    """Returns a seat's call after this event, None where `CALL_MOVES` does not list the move."""
    if (type(before), type(event)) not in CALL_MOVES:
        return None
    match before, event:
        case Answered(), ev.CallStarted():
            earlier = (*before.earlier, before.reply)
            return Running(round=event.round, caller=event.caller, since=before.since, earlier=earlier)
        case Waiting(), ev.CallStarted():
            return Running(round=event.round, caller=event.caller, since=at, earlier=before.earlier)
        case Running(), ev.CallCompleted():
            return Answered(reply=event.reply, round=event.round, since=before.since, at=at, earlier=before.earlier)
        case Running() | Waiting(), ev.CallFailed():
            return Failed(failure=event.failure, at=at, earlier=before.earlier)
        case _:
            return None


def judge_after(before: Unjudged | Judged, event: JudgeEvent, at: datetime) -> Judged | None:
    """Returns the judge's call after this event, None where `JUDGE_MOVES` does not list the move."""
    status = before.call if isinstance(before, Judged) else before
    if (type(status), type(event)) not in JUDGE_MOVES:
        return None
    match before, event:
        case Unjudged(), ev.JudgeStarted():
            return Judged(order=event.order, call=Running(round=1, caller=event.caller, since=at))
        case Judged(call=Running() as asked), ev.JudgeCompleted():
            return replace(before, call=Answered(reply=event.reply, round=1, since=asked.since, at=at))
        case Judged(call=Running()), ev.JudgeFailed():
            return replace(before, call=Failed(failure=event.failure, at=at))
        case _:
            return None
