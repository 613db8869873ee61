"""When a job stops waiting: its deadline, and the grace that stragglers get once enough models have answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ditto.domain.events import CallFailed, Cut, DeadlinePassed, Event, Failure, GracePassed
from ditto.domain.job import Job, Running, Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    cut: Cut
    at: datetime


def next_timer(job: Job) -> Timer | None:
    """Returns what the job waits for at most, None when it no longer waits."""
    if job.state.ended or job.cut is not None:
        return None
    deadline = Timer(cut=Cut.DEADLINE, at=job.spec.deadline_at)
    grace = _grace_ends_at(job)
    if grace is not None and grace < deadline.at:
        return Timer(cut=Cut.GRACE, at=grace)
    return deadline


def expire(job: Job, cut: Cut, now: datetime) -> tuple[Event, ...]:
    """Returns the events by which a job stops waiting: the timer, and a failure for each seat without a reply."""
    marker: Event = GracePassed() if cut is Cut.GRACE else DeadlinePassed()
    unfinished = [(call, status) for call, status in job.seats() if isinstance(status, Waiting | Running)]
    return (marker, *(_given_up(call.name, status, cut, job, now) for call, status in unfinished))


def call_timeout_s(job: Job, status: Running, now: datetime) -> float:
    """Returns how many seconds a running call has left, of its own time and the job's; 0 or less: none."""
    own = job.spec.timeout_s - (now - status.since).total_seconds()
    return min(own, (job.spec.deadline_at - now).total_seconds())


def _grace_ends_at(job: Job) -> datetime | None:
    if job.spec.grace_s is None:
        return None
    moments = sorted(status.at for _, status in job.usable())
    if len(moments) < job.spec.min_responses:
        return None
    return moments[job.spec.min_responses - 1] + timedelta(seconds=job.spec.grace_s)


def _given_up(name: str, status: Waiting | Running, cut: Cut, job: Job, now: datetime) -> CallFailed:
    if cut is Cut.GRACE:
        assert job.spec.grace_s is not None
        message = f"no answer within the grace of {job.spec.grace_s * 1000:.0f} ms after enough models had answered"
    else:
        message = "no answer before the job's deadline"
    round_ = status.round if isinstance(status, Running) else 1
    elapsed_s = (now - status.since).total_seconds() if isinstance(status, Running) else 0.0
    attempts = 1 if isinstance(status, Running) else 0
    failure = Failure(type="Timeout", message=message, attempts=attempts, elapsed_s=elapsed_s)
    return CallFailed(call=name, round=round_, failure=failure)
