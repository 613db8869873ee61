"""A job is the fold of its journal; which event may follow which is one table.

The journal is the truth: whoever wants to know a job reads its events and folds them. Nothing in here waits, looks at
a clock or can fail by itself. `MOVES` and `CALL_MOVES` list every legal move; any other event raises `IllegalMove` and
changes nothing. A restart is a move too: `job.adopted` changes the holder, and the calls that were running stay
running, under the same ids, so that a caller that still has them gives its reply instead of asking again. An end is
final but for one move: `job.retried` makes the failed calls wait again, and keeps the replies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from ditto.domain import events as ev
from ditto.domain.call_states import (
    AWAITED,
    Answered,
    CallEvent,
    CallStatus,
    Failed,
    Judged,
    JudgeEvent,
    Running,
    Unjudged,
    Waiting,
    call_after,
    judge_after,
)
from ditto.domain.changing import changed
from ditto.domain.events import Event, Failure, Recorded, Reply
from ditto.domain.spec import Call, JobSpec
from ditto.domain.verdict import Verdict
from ditto.errors import IllegalMove

__all__ = [
    "ENDS",
    "MOVES",
    "NOT_WAITED",
    "REASKS",
    "STALL_S",
    "Answered",
    "CallStatus",
    "Cancelled",
    "Completed",
    "Errored",
    "Failed",
    "Job",
    "JobState",
    "Judged",
    "Open",
    "Outcome",
    "Running",
    "Unjudged",
    "Waiting",
    "accepted",
    "apply",
    "fold",
    "size_bytes",
]

REASKS = 1
"""How often a reply that does not satisfy the schema is asked for again."""


class JobState(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    COMPLETE = "complete"
    ERROR = "error"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in _ENDED


_ENDED = (JobState.COMPLETE, JobState.ERROR, JobState.CANCELLED)

MOVES: Mapping[tuple[JobState, type[Event]], JobState] = MappingProxyType(
    {
        (JobState.PENDING, ev.JobAdopted): JobState.PENDING,
        (JobState.PENDING, ev.CallStarted): JobState.RUNNING,
        (JobState.PENDING, ev.DeadlinePassed): JobState.RUNNING,
        (JobState.PENDING, ev.JobFailed): JobState.ERROR,
        (JobState.PENDING, ev.JobCancelled): JobState.CANCELLED,
        (JobState.RUNNING, ev.JobAdopted): JobState.RUNNING,
        (JobState.RUNNING, ev.CallStarted): JobState.RUNNING,
        (JobState.RUNNING, ev.CallCompleted): JobState.RUNNING,
        (JobState.RUNNING, ev.CallFailed): JobState.RUNNING,
        (JobState.RUNNING, ev.JudgeStarted): JobState.RUNNING,
        (JobState.RUNNING, ev.JudgeCompleted): JobState.RUNNING,
        (JobState.RUNNING, ev.JudgeFailed): JobState.RUNNING,
        (JobState.RUNNING, ev.GracePassed): JobState.RUNNING,
        (JobState.RUNNING, ev.DeadlinePassed): JobState.RUNNING,
        (JobState.RUNNING, ev.JobCompleted): JobState.COMPLETE,
        (JobState.RUNNING, ev.JobFailed): JobState.ERROR,
        (JobState.RUNNING, ev.JobCancelled): JobState.CANCELLED,
        (JobState.COMPLETE, ev.JobRetried): JobState.RUNNING,
        (JobState.ERROR, ev.JobRetried): JobState.RUNNING,
        (JobState.COMPLETE, ev.JobMerged): JobState.COMPLETE,
        (JobState.COMPLETE, ev.FeedbackGiven): JobState.COMPLETE,
    }
)

ENDS: frozenset[type[Event]] = frozenset(
    kind for (before, kind), after in MOVES.items() if after.ended and not before.ended
)
"""The events by which a job ends."""

NOT_WAITED = "Cancelled"
"""The type of the failure by which a call ends whose reply can change nothing any more."""

STALL_S = 60.0
"""A holder that lived for so long after it had adopted a job was not killed by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """The job has not ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    verdict: Verdict
    merge_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Errored:
    type: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    pass


Outcome = Open | Completed | Errored | Cancelled


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as its journal tells it.

    Attributes:
        holder: The name of the actor that holds it, or held it last.
        seq: The number of the last event.
        asked_at: When the last first-round call was started, None before.
        adoptions: How often the job has changed its holder or its holder's instance.
        stalls: How many of the last adoptions were followed by nothing but the holder's early death.
        retries: How often the job has been taken up again after its end.
        reply_bytes: Of all replies that came, UTF-8.
        begun_at: When the job was accepted, or taken up again.
        cut: The timer that ended the waiting (`grace` or `deadline`), None while none has.
        calls: By the call's name, in the panel's order.
        judge: Whether a judge has been asked since the job began, or began anew.
        ended_at: None while it has not ended.
        merges: What its replies were merged to later, in order; its outcome is still the first verdict.
        feedback: What was said last of the result, None where nothing was.
    """

    id: str
    state: JobState
    spec: JobSpec
    holder: str
    epoch: int
    adoptions: int
    stalls: int
    retries: int
    reply_bytes: int
    seq: int
    accepted_at: datetime
    begun_at: datetime
    updated_at: datetime
    asked_at: datetime | None
    cut: ev.Cut | None
    calls: Mapping[str, CallStatus]
    judge: Unjudged | Judged
    outcome: Outcome
    ended_at: datetime | None
    merges: tuple[Recorded, ...]
    feedback: ev.FeedbackGiven | None

    def seats(self) -> Iterable[tuple[Call, CallStatus]]:
        """Yields each seat of the panel with its status, in the panel's order."""
        for call in self.spec.calls:
            yield call, self.calls[call.name]

    def usable(self) -> list[tuple[Call, Answered]]:
        """Returns the seats whose reply counts, in the panel's order."""
        return [(call, s) for call, s in self.seats() if isinstance(s, Answered) and s.reply.problem is None]

    def failures(self) -> dict[str, Failure]:
        """Returns why each failed seat has no usable reply; a reply that may still be asked for again is none yet."""
        failed: dict[str, Failure] = {}
        for call, status in self.seats():
            if isinstance(status, Failed):
                failed[call.name] = status.failure
            elif isinstance(status, Answered) and status.reply.problem is not None and not self.may_reask(status):
                failed[call.name] = _misfit(status)
        return failed

    def may_reask(self, status: CallStatus) -> bool:
        """Tells whether this seat's reply missed the schema and will be asked for once more."""
        return (
            isinstance(status, Answered)
            and status.reply.problem is not None
            and status.reply.finish == "stop"
            and status.round <= REASKS
            and self.cut is None
            and isinstance(self.judge, Unjudged)
            and not self.state.ended
        )

    def judging(self) -> Running | None:
        """Returns the judge's call while it is under way."""
        judge = self.judge
        return judge.call if isinstance(judge, Judged) and isinstance(judge.call, Running) else None

    def retriable(self) -> bool:
        """Tells whether a model failed, other than by not being waited for, or the judge did."""
        if isinstance(self.judge, Judged) and isinstance(self.judge.call, Failed):
            return True
        return any(failure.type != NOT_WAITED for failure in self.failures().values())

    def missing(self) -> list[Call]:
        """Returns the seats that may still give a reply, in the panel's order."""
        return [call for call, s in self.seats() if isinstance(s, AWAITED) or self.may_reask(s)]


def fold(job_id: str, journal: Iterable[Recorded]) -> Job:
    """Returns the job that these events make, the first of which is `job.accepted`.

    Raises:
        IllegalMove: The events are none, have a gap, or do not follow from one another.
    """
    records = iter(journal)
    first = next(records, None)
    if first is None or not isinstance(first.event, ev.JobAccepted) or first.seq != 1:
        raise IllegalMove(f"the journal of job {job_id} does not begin with job.accepted")
    job = accepted(job_id, first)
    for record in records:
        job = apply(job, record)
    return job


def accepted(job_id: str, record: Recorded) -> Job:
    """Returns the job that `job.accepted` begins."""
    event = record.event
    assert isinstance(event, ev.JobAccepted)
    return Job(
        id=job_id,
        state=JobState.PENDING,
        spec=event.spec,
        holder=event.holder,
        epoch=0,
        adoptions=0,
        stalls=0,
        retries=0,
        reply_bytes=0,
        seq=record.seq,
        accepted_at=record.at,
        begun_at=record.at,
        updated_at=record.at,
        asked_at=None,
        cut=None,
        calls={call.name: Waiting() for call in event.spec.calls},
        judge=Unjudged(),
        outcome=Open(),
        ended_at=None,
        merges=(),
        feedback=None,
    )


def apply(job: Job, record: Recorded) -> Job:
    """Returns the job after one more event.

    Raises:
        IllegalMove: The tables do not list this move, or the number is not the next one.
    """
    event = record.event
    state = MOVES.get((job.state, type(event)))
    if state is None:
        raise IllegalMove(f"{event.kind} cannot happen to job {job.id}, which is {job.state}")
    if record.seq != job.seq + 1:
        raise IllegalMove(f"event {record.seq} of job {job.id} does not follow event {job.seq}")
    moved: dict[str, Any] = {
        "state": state,
        "seq": record.seq,
        "updated_at": record.at,
        "ended_at": record.at if type(event) in ENDS else job.ended_at,
        "stalls": _stalls(job, record),
    }
    if isinstance(event, ev.JobRetried):
        return _retried(changed(job, moved), event, record.at)
    return changed(job, moved | _effect(job, record))


def _effect(job: Job, record: Recorded) -> dict[str, Any]:
    """Returns what else of the job an event changes, by the names of its fields."""
    match record.event:
        case ev.JobAdopted() as event:
            return {"holder": event.holder, "epoch": event.epoch, "adoptions": job.adoptions + 1}
        case ev.CallStarted() as event:
            calls = _with(job, event, record.at)
            return {"calls": calls, "asked_at": record.at} if event.round == 1 else {"calls": calls}
        case ev.CallCompleted() as event:
            return {"reply_bytes": job.reply_bytes + size_bytes(event.reply), "calls": _with(job, event, record.at)}
        case ev.CallFailed() as event:
            return {"calls": _with(job, event, record.at)}
        case ev.JudgeStarted() | ev.JudgeCompleted() | ev.JudgeFailed() as event:
            return _judged(job, event, record.at)
        case ev.GracePassed():
            return {"cut": ev.Cut.GRACE}
        case ev.DeadlinePassed():
            return {"cut": ev.Cut.DEADLINE}
        case ev.JobCompleted() as event:
            return {"outcome": Completed(verdict=event.verdict, merge_s=event.merge_s)}
        case ev.JobFailed() as event:
            return {"outcome": Errored(type=event.type, message=event.message)}
        case ev.JobCancelled():
            return {"outcome": Cancelled()}
        case ev.JobMerged():
            return {"merges": (*job.merges, record)}
        case ev.FeedbackGiven() as event:
            return {"feedback": event}
        case _:
            raise IllegalMove(f"{record.event.kind} has no effect on job {job.id}")


def size_bytes(reply: Reply) -> int:
    """Returns how much of a job's byte limit this reply takes."""
    return len(reply.text.encode())


def _stalls(job: Job, record: Recorded) -> int:
    if not isinstance(record.event, ev.JobAdopted):
        return 0
    quick = (record.at - job.updated_at).total_seconds() < STALL_S
    return job.stalls + 1 if quick else 1


def _retried(job: Job, event: ev.JobRetried, at: datetime) -> Job:
    failed = job.failures()
    return replace(
        job,
        holder=event.holder,
        epoch=event.epoch,
        retries=job.retries + 1,
        begun_at=at,
        spec=replace(job.spec, deadline_at=event.deadline_at),
        cut=None,
        judge=Unjudged(),
        calls={name: _again(status, failed=name in failed) for name, status in job.calls.items()},
        outcome=Open(),
        ended_at=None,
        merges=(),
        feedback=None,
    )


def _again(status: CallStatus, *, failed: bool) -> CallStatus:
    """Returns a call as it stands when its job begins anew; what ran when the job ended was cancelled then."""
    match status:
        case Answered() if failed:
            return Waiting(earlier=(*status.earlier, status.reply))
        case Failed() | Running():
            return Waiting(earlier=status.earlier)
        case _:
            return status


def _with(job: Job, event: CallEvent, at: datetime) -> dict[str, CallStatus]:
    before = job.calls.get(event.call)
    if before is None:
        raise IllegalMove(f"job {job.id} has no call {event.call}")
    after = call_after(before, event, at)
    if after is None:
        raise IllegalMove(f"{event.kind} cannot happen to call {event.call} of job {job.id}")
    return {**job.calls, event.call: after}


def _judged(job: Job, event: JudgeEvent, at: datetime) -> dict[str, Any]:
    after = judge_after(job.judge, event, at)
    if after is None:
        raise IllegalMove(f"{event.kind} cannot happen to the judge of job {job.id}")
    size = size_bytes(event.reply) if isinstance(event, ev.JudgeCompleted) else 0
    return {"judge": after, "reply_bytes": job.reply_bytes + size}


def _misfit(status: Answered) -> Failure:
    reply = status.reply
    elapsed_s = sum(r.elapsed_s for r in (*status.earlier, reply))
    attempts = sum(r.attempts for r in (*status.earlier, reply))
    if reply.finish == "length":
        message = f"the reply was cut off at its length limit: {reply.problem}"
        return Failure(type="Truncated", message=message, attempts=attempts, elapsed_s=elapsed_s)
    return Failure(type="SchemaMismatch", message=str(reply.problem), attempts=attempts, elapsed_s=elapsed_s)
