"""The panel as its job's events tell it: who is asked, who has answered, how long each took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from ditto.client.job_event import JobEvent


class SeatState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    ANSWERED = "answered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One model of the panel.

    Attributes:
        since_s: When it was asked, on the clock that `Panel.after` is given.
        elapsed_s: How long it took, None while it has not ended.
        text: Its reply, or why there is none.
    """

    name: str
    state: SeatState = SeatState.WAITING
    since_s: float | None = None
    elapsed_s: float | None = None
    text: str = ""

    @property
    def ended(self) -> bool:
        return self.state in (SeatState.ANSWERED, SeatState.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """All seats by name, in the order of the request."""

    seats: Mapping[str, Seat] = field(default_factory=dict)

    def after(self, event: JobEvent, now_s: float) -> Panel:
        """Returns the panel after one more event; what says nothing of a seat changes nothing."""
        data = event.data
        if event.kind == "job.accepted":
            return Panel(seats={call["name"]: Seat(name=call["name"]) for call in data["spec"]["calls"]})
        if event.kind == "job.retried":
            return Panel(seats={name: _again(seat) for name, seat in self.seats.items()})
        seat = self.seats.get(data.get("call", ""))
        if seat is None:
            return self
        match event.kind:
            case "call.started":
                seat = replace(seat, state=SeatState.RUNNING, since_s=seat.since_s or now_s)
            case "call.completed":
                seat = _completed(seat, data["reply"])
            case "call.failed":
                seat = _ended(seat, SeatState.FAILED, data["failure"], _failure(data["failure"]))
        return Panel(seats={**self.seats, seat.name: seat})

    def ended(self) -> int:
        """Returns how many seats have answered or failed."""
        return sum(seat.ended for seat in self.seats.values())


def _again(seat: Seat) -> Seat:
    return Seat(name=seat.name) if seat.state is SeatState.FAILED else seat


def _completed(seat: Seat, reply: Mapping[str, object]) -> Seat:
    if reply.get("problem") is not None:
        return _ended(seat, SeatState.FAILED, reply, f"misses the schema: {reply['problem']}")
    return _ended(seat, SeatState.ANSWERED, reply, str(reply["text"]))


def _ended(seat: Seat, state: SeatState, data: Mapping[str, object], text: str) -> Seat:
    elapsed_ms = data.get("elapsed")
    elapsed_s = elapsed_ms / 1000 if isinstance(elapsed_ms, int | float) else 0.0
    return replace(seat, state=state, elapsed_s=elapsed_s, text=text)


def _failure(failure: Mapping[str, object]) -> str:
    return f"{failure['type']}: {failure['message']}"
