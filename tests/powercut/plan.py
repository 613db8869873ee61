"""The jobs that are written while the disk is recorded: a function of a seed, so that the check knows them too."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from ditto.domain import events as ev
from ditto.domain.events import Event, Reply
from ditto.domain.verdict import Intent, Verdict
from ditto.store.port import Append, Claim
from tests.unit.domain.jobs import at, spec

CALLS = ("a", "b", "c")
LONG = 40_000
"""Characters of a reply that does not fit into a page."""
TRACE = 32


class Session(StrEnum):
    """A process that writes. The first closes its journal; the next two run together and die; the last one closes."""

    ALONE = "alone"
    LEFT = "left"
    RIGHT = "right"
    LAST = "last"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One job's whole journal.

    Attributes:
        handed_on: How many appends its session writes; `last` writes the rest.
        forgotten: Whether the job is forgotten, and the log emptied, when it has ended.
    """

    id: str
    session: Session
    appends: tuple[Append, ...]
    handed_on: int
    forgotten: bool

    @property
    def events(self) -> list[Event]:
        return [event for append in self.appends for _, event in append.events]

    @property
    def ends(self) -> set[int]:
        """The numbers of events at which an append ends: a reader may see nothing between."""
        return {0, *(append.after + len(append.events) for append in self.appends)}

    @property
    def traces(self) -> list[bytes]:
        """Bytes that only this job's events have: the beginning and the end of each text in them."""
        accepted = self.events[0]
        assert isinstance(accepted, ev.JobAccepted)
        texts = [accepted.spec.metadata["note"]]
        texts += [event.reply.text for event in self.events if isinstance(event, ev.CallCompleted)]
        return [text.encode() for whole in texts for text in (whole[:TRACE], whole[-TRACE:]) if len(text) == TRACE]

    def share_of(self, session: Session) -> tuple[Append, ...]:
        """Returns the appends that this session writes."""
        if session is self.session:
            return self.appends[: self.handed_on]
        return self.appends[self.handed_on :] if session is Session.LAST else ()


def planned(seed: int, together: int) -> list[Planned]:
    """Returns the jobs of all sessions; `together` is how many each of the two concurrent ones has."""
    sizes = {Session.ALONE: 6, Session.LEFT: together, Session.RIGHT: together, Session.LAST: 6}
    return [
        _job(session, number, random.Random(f"{seed} {session} {number}"))
        for session, size in sizes.items()
        for number in range(size)
    ]


def rival(append: Append) -> Append:
    """Returns what another writer would put in the same place, and must not be able to."""
    cancelled = ((append.events[0][0], ev.JobCancelled()),)
    return replace(append, id=f"{append.id}-rival", events=cancelled, claim=None)


def _job(session: Session, number: int, draw: random.Random) -> Planned:
    job_id = f"{session}-{number:03}"
    appends: list[Append] = []
    after = 0
    for place, events in enumerate(_story(session, draw)):
        moments = tuple((at(number + (after + n) / 100), event) for n, event in enumerate(events))
        claim = Claim(key=f"key of {job_id}", fingerprint="f") if place == 0 and draw.random() < 0.4 else None
        appends.append(Append(job_id=job_id, id=f"{job_id}/{place}", after=after, events=moments, claim=claim))
        after += len(events)
    handed_on = len(appends) if session in (Session.ALONE, Session.LAST) or draw.random() < 0.8 else 2
    return Planned(
        id=job_id,
        session=session,
        appends=tuple(appends),
        handed_on=handed_on,
        forgotten=draw.random() < 0.15,
    )


def _story(session: Session, draw: random.Random) -> Iterator[tuple[Event, ...]]:
    """Yields the events of each append."""
    metadata = {"note": _text(draw, 200)}
    yield (ev.JobAccepted(spec=spec(*CALLS, metadata=metadata), holder=session),)
    yield tuple(ev.CallStarted(call=call, round=1, caller="caller:0") for call in CALLS)
    order = list(CALLS)
    draw.shuffle(order)
    for call in order[:-1]:
        if draw.random() < 0.2:
            yield (ev.JobAdopted(holder=session, epoch=2),)
        text = _text(draw, LONG if draw.random() < 0.05 else draw.randint(20, 2000))
        yield (ev.CallCompleted(call=call, round=1, reply=Reply(text=text)),)
    if draw.random() < 0.1:
        yield (ev.JobCancelled(),)
        return
    verdict = Verdict(result="42", summary="42", intent=Intent.ANSWER, confidence=0.9, needs_review=False)
    last = ev.CallCompleted(call=order[-1], round=1, reply=Reply(text=_text(draw, 300)))
    yield last, ev.JobCompleted(verdict=verdict, merge_s=0.1)


def _text(draw: random.Random, length: int) -> str:
    return draw.randbytes(length // 2).hex()
