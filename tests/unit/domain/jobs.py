"""Jobs for tests: a spec, events with moments one second apart, and a driver that plays a strategy to its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ditto.domain import events as ev
from ditto.domain import schemas, strategies
from ditto.domain.events import Event, Failure, Recorded, Reply
from ditto.domain.job import Job, accepted, apply
from ditto.domain.spec import Call, JobSpec, Message, StrategyName

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def at(second: float) -> datetime:
    """Returns a moment after noon."""
    return NOON + timedelta(seconds=second)


def spec(*models: str, **changes: Any) -> JobSpec:
    """Returns a consensus of these models on one question."""
    plain = JobSpec(
        strategy=StrategyName.CONSENSUS,
        calls=tuple(Call(name=model, model=model) for model in models),
        messages=(Message(role="user", content="What is 6 * 7?"),),
        deadline_at=at(1800),
    )
    return replace(plain, **changes)


def begun(asked: JobSpec) -> Job:
    """Returns the job right after its acceptance."""
    return accepted("j1", Recorded(seq=1, at=NOON, event=ev.JobAccepted(spec=asked, holder="host:0")))


def after(job: Job, *events: Event, second: float | None = None) -> Job:
    """Returns the job after these events, each a second after the last unless `second` says when."""
    for event in events:
        moment = job.updated_at + timedelta(seconds=1) if second is None else at(second)
        job = apply(job, Recorded(seq=job.seq + 1, at=moment, event=event))
    return job


def started(job: Job) -> Job:
    """Returns the job after it has started all that its strategy asks for."""
    for action in strategies.next_actions(job):
        assert isinstance(action, strategies.Ask)
        job = after(job, ev.CallStarted(call=action.call, round=action.round, caller="caller:0"))
    return job


def answered(job: Job, call: str, text: str, *, round_: int = 1, finish: str = "stop") -> Job:
    """Returns the job after this call's reply."""
    problem = None if job.spec.schema is None else schemas.problem(text, job.spec.schema)
    reply = Reply(text=text, finish=finish, input_tokens=3, output_tokens=2, elapsed_s=0.5, problem=problem)
    return after(job, ev.CallCompleted(call=call, round=round_, reply=reply))


def failed(job: Job, call: str, *, round_: int = 1) -> Job:
    """Returns the job after this call's failure."""
    failure = Failure(type="Overloaded", message="503", attempts=3)
    return after(job, ev.CallFailed(call=call, round=round_, failure=failure))


def finished(job: Job) -> Job:
    """Returns the job after what its strategy does when nothing is outstanding."""
    (action,) = strategies.next_actions(job)
    match action:
        case strategies.Settle():
            return after(job, ev.JobCompleted(verdict=strategies.verdict(job), merge_s=0.001))
        case strategies.Fail(type=type_, message=message):
            return after(job, ev.JobFailed(type=type_, message=message))
        case _:
            raise AssertionError(f"{action} does not end the job")


def settled(asked: JobSpec, replies: Mapping[str, str]) -> Job:
    """Returns a consensus job that got these replies, in this order."""
    job = started(begun(asked))
    for call, text in replies.items():
        job = answered(job, call, text)
    return finished(job)
