"""When a job stops waiting: for one call, for stragglers once enough have answered, or altogether at its deadline."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from ditto.domain.events import CallFailed, Cut, DeadlinePassed, Event, Failure, GracePassed, JudgeFailed
from ditto.domain.job import NOT_WAITED, Job, Running, Waiting

MARGIN_S = 5.0
"""A caller itself ends a call in time; a job gives up one of which it has heard nothing so much later."""

Waited = Callable[[str], datetime | None]
"""Returns until when a call, by its name, is known to have waited for its turn, because its provider allows no more.

None of that is the call's own time. The judge's name is blank.
"""


def never_waited(call: str) -> datetime | None:
    """Returns None: nobody has waited for a turn."""
    return None


def wakes_at(job: Job, waited: Waited = never_waited) -> datetime | None:
    """Returns when the job must be looked at even if nothing arrives, None when it no longer waits."""
    if job.state.ended:
        return None
    moments = [
        _overdue_at(job, status, waited(call.name)) for call, status in job.seats() if isinstance(status, Running)
    ]
    judging = job.judging()
    if judging is not None:
        moments.append(_overdue_at(job, judging, waited("")))
    if _awaits_deadline(job):
        moments.append(job.spec.deadline_at)
    if job.cut is None:
        moments += _grace_ends_at(job)
    return min(moments, default=None)


def expire(job: Job, now: datetime, waited: Waited = never_waited) -> tuple[Event, ...]:
    """Returns the events by which a job stops waiting at this moment, none while it may wait on."""
    if job.state.ended:
        return ()
    if _awaits_deadline(job) and job.spec.deadline_at <= now:
        message = "no answer before the job's deadline"
        return (DeadlinePassed(), *_given_up(job, now, message), *_judge_given_up(job, now, message))
    if job.cut is None and any(moment <= now for moment in _grace_ends_at(job)):
        assert job.spec.grace_s is not None
        grace_ms = job.spec.grace_s * 1000
        message = f"no answer within the grace of {grace_ms:.0f} ms after enough models had answered"
        return (GracePassed(), *_given_up(job, now, message))
    message = f"no answer in {job.spec.timeout_s * 1000:.0f} ms"
    late = now - timedelta(seconds=job.spec.timeout_s + MARGIN_S)
    overdue: list[Event] = [
        _timed_out(call.name, status, message, now)
        for call, status in job.seats()
        if isinstance(status, Running) and status.since <= late and _overdue_at(job, status, waited(call.name)) <= now
    ]
    judging = job.judging()
    if judging is not None and _overdue_at(job, judging, waited("")) <= now:
        overdue += _judge_given_up(job, now, message)
    return tuple(overdue)


def not_waited_for(name: str, status: Waiting | Running, why: str, now: datetime) -> CallFailed:
    """Returns the event by which a call ends whose reply can change nothing any more."""
    return _ended(name, status, NOT_WAITED, f"not waited for: {why}", now)


def call_timeout_s(job: Job, status: Running, now: datetime) -> float:
    """Returns how many seconds a call may be asked for, by its own time and the job's; 0 or less: none.

    Its own time is all of it but what its earlier rounds took. A caller that has died may have used up some of it for
    a try that is lost with it: nobody knows, and the next caller begins anew.
    """
    own = job.spec.timeout_s - sum(reply.elapsed_s for reply in status.earlier)
    return min(own, (job.spec.deadline_at - now).total_seconds())


def _awaits_deadline(job: Job) -> bool:
    """A grace that has passed has ended every call, but not a judge who was asked after that."""
    return job.cut is None or (job.cut is Cut.GRACE and job.judging() is not None)


def _overdue_at(job: Job, status: Running, waited_until: datetime | None) -> datetime:
    begun_at = status.since if waited_until is None else max(status.since, waited_until)
    return begun_at + timedelta(seconds=job.spec.timeout_s + MARGIN_S)


def _grace_ends_at(job: Job) -> list[datetime]:
    if job.spec.grace_s is None:
        return []
    moments = sorted(max(status.at, job.begun_at) for _, status in job.usable())
    if len(moments) < job.spec.min_responses:
        return []
    return [moments[job.spec.min_responses - 1] + timedelta(seconds=job.spec.grace_s)]


def _given_up(job: Job, now: datetime, message: str) -> list[CallFailed]:
    return [
        _timed_out(call.name, status, message, now)
        for call, status in job.seats()
        if isinstance(status, Waiting | Running)
    ]


def _judge_given_up(job: Job, now: datetime, message: str) -> list[JudgeFailed]:
    judging = job.judging()
    return [] if judging is None else [JudgeFailed(failure=_failure(judging, "Timeout", message, now))]


def _timed_out(name: str, status: Waiting | Running, message: str, now: datetime) -> CallFailed:
    return _ended(name, status, "Timeout", message, now)


def _ended(name: str, status: Waiting | Running, type_: str, message: str, now: datetime) -> CallFailed:
    round_ = status.round if isinstance(status, Running) else 1
    return CallFailed(call=name, round=round_, failure=_failure(status, type_, message, now))


def _failure(status: Waiting | Running, type_: str, message: str, now: datetime) -> Failure:
    match status:
        case Running():
            elapsed_s = (now - status.since).total_seconds()
            return Failure(type=type_, message=message, attempts=1, elapsed_s=elapsed_s)
        case Waiting():
            return Failure(type=type_, message=message, attempts=0)
