"""A job as its callers see it: the response of the wire contract, and how it is made from a job.

`render` makes decoded JSON in the wire's spelling; `JobView` is the same for Python, with snake_case names.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from pydantic import AliasGenerator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from ditto.domain.events import JobMerged, Recorded, Reply
from ditto.domain.job import (
    NOT_WAITED,
    Answered,
    CallStatus,
    Cancelled,
    Completed,
    Errored,
    Failed,
    Job,
    JobState,
    Judged,
    Running,
    Waiting,
)
from ditto.domain.verdict import BasisKind, Intent, Verdict
from ditto.domain.verdict_view import render_verdict
from ditto.errors import CrashLoop, DeadlineExceeded, InternalError, JobCancelled, JobError, ServiceError

T = TypeVar("T")


class _Wire(BaseModel):
    model_config = ConfigDict(
        alias_generator=AliasGenerator(alias=to_camel), populate_by_name=True, frozen=True, extra="ignore"
    )


class BasisView(_Wire):
    """What a confidence rests on."""

    kind: BasisKind
    skills: int | None = None


class ReplyView(_Wire):
    """One model's reply: raw, its own summary, what it does, and how likely its answer is right."""

    model: str
    raw: str
    summary: str
    intent: Intent
    confidence: float | None = None


class DissentView(_Wire):
    """An answer that lost, who gave it, and its share of the replies."""

    answer: Any = None
    models: list[str]
    share: float


class FieldView(_Wire):
    """The vote on one field of a typed result."""

    confidence: float | None = None
    supporting_models: list[str]
    dissent: list[DissentView] = []


class JudgeView(_Wire):
    """What the judge decided: whose reply is best, why, and how probably right it calls it.

    Attributes:
        order: The models in the order in which their replies were shown to it, without their names.
    """

    model: str
    chosen: str
    reason: str
    confidence: float | None = None
    order: list[str]


class StructuredView(_Wire):
    """The verdict."""

    summary: str
    intent: Intent
    confidence: float | None = None
    needs_clarification: bool
    supporting_models: list[str]
    responses: list[ReplyView]
    answer: Any = None
    chosen_model: str | None = None
    agreement: float | None = None
    needs_review: bool
    basis: BasisView
    dissent: list[DissentView] = []
    fields: dict[str, FieldView] = {}
    judge: JudgeView | None = None


class TimingsView(_Wire):
    """Milliseconds: accepted to merged, until the last first call was sent, the slowest model, the merge."""

    total: float
    fanout: float
    slowest: float
    merge: float


class CallErrorView(_Wire):
    """Why a model has no reply."""

    type: str
    message: str
    attempts: int


class ModelUsageView(_Wire):
    calls: int
    input_tokens: int | None = None
    output_tokens: int | None = None


class UsageView(ModelUsageView):
    """Calls and tokens, re-asks and the judge included; `cost` is null while no prices are known.

    Attributes:
        saved: Calls that were not waited for, since their replies could change nothing.
    """

    saved: int = 0
    cost: float | None = None
    models: dict[str, ModelUsageView] = {}


class JobErrorView(_Wire):
    """Why a job ended without a verdict."""

    type: str
    message: str
    details: Any = None


class MergeView(_Wire):
    """What the stored replies were merged to anew, and with what; None: as the job has it."""

    at: datetime
    weights: dict[str, float] | None = None
    merged_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    answer: Any = None
    result: Any = None
    structured: StructuredView


class FeedbackView(_Wire):
    """What was said of the result: whether it is right, or what is."""

    correct: bool | None = None
    answer: Any = None


class JobView(_Wire, Generic[T]):
    """A job as its callers see it.

    Attributes:
        job_id: Names the job, also as the actor `job:<id>`.
        host: The name of the actor that holds or held it.
        result: The merged answer: text, or the typed value. None until the job is complete.
        responses: Each model's reply as it was used.
        progress: Each model's state: `waiting`, `running`, `answered` or `failed`.
        error: Why the job failed, None where it did not.
        merges: What its replies were merged to anew, in order; `result` and `structured` stay the first verdict's.
        feedback: What was said last of the result.
    """

    job_id: str
    state: JobState
    host: str
    created_at: datetime
    ended_at: datetime | None = None
    result: T | None = None
    responses: dict[str, str] = {}
    structured: StructuredView | None = None
    timings: TimingsView | None = None
    errors: dict[str, CallErrorView] = {}
    warnings: list[str] = []
    usage: UsageView
    progress: dict[str, str] = {}
    error: JobErrorView | None = None
    merges: list[MergeView] = []
    feedback: FeedbackView | None = None
    metadata: dict[str, Any] = {}


def render(job: Job) -> dict[str, Any]:
    """Returns the job as decoded JSON in the wire's spelling."""
    view: dict[str, Any] = {
        "jobId": job.id,
        "state": str(job.state),
        "host": job.holder,
        "createdAt": _moment(job.accepted_at),
        "endedAt": None if job.ended_at is None else _moment(job.ended_at),
        "result": None,
        "responses": {call.name: status.reply.text for call, status in job.usable()},
        "structured": None,
        "timings": _timings(job),
        "errors": errors(job),
        "warnings": _warnings(job),
        "usage": usage(job),
        "progress": {call.name: _progress(status) for call, status in job.seats()},
        "error": None,
        "merges": [_merge(job, record) for record in job.merges],
        "feedback": None,
        "metadata": job.spec.metadata,
    }
    if job.feedback is not None:
        view["feedback"] = {"correct": job.feedback.correct, "answer": job.feedback.answer}
    match job.outcome:
        case Completed(verdict=verdict):
            view["result"] = verdict.result
            view["structured"] = _structured(job, verdict)
        case Errored(type=type_, message=message):
            view["error"] = {"type": type_, "message": message, "details": errors(job)}
    return view


def error(job: Job) -> ServiceError | None:
    """Returns the error that a client who waited for this job gets, None where the job has not failed."""
    match job.outcome:
        case Errored(type="DeadlineExceeded", message=message):
            return DeadlineExceeded(message, errors(job), job.id)
        case Errored(type="InternalError", message=message):
            return InternalError(message, None, job.id)
        case Errored(type="CrashLoop", message=message):
            return CrashLoop(message, None, job.id)
        case Errored(message=message):
            return JobError(message, errors(job), job.id)
        case Cancelled():
            return JobCancelled(f"job {job.id} was cancelled", None, job.id)
        case _:
            return None


def errors(job: Job) -> dict[str, Any]:
    """Returns one entry for each model that failed; its attempts are those of every round."""
    return {
        name: {
            "type": failure.type,
            "message": failure.message,
            "attempts": failure.attempts + _earlier_attempts(job.calls[name]),
        }
        for name, failure in job.failures().items()
    }


def _earlier_attempts(status: CallStatus) -> int:
    return sum(reply.attempts for reply in status.earlier) if isinstance(status, Failed) else 0


def _merge(job: Job, record: Recorded) -> dict[str, Any]:
    event = record.event
    assert isinstance(event, JobMerged)
    return {
        "at": _moment(record.at),
        "weights": event.weights,
        "schema": event.schema,
        "answer": list(event.answer) if isinstance(event.answer, tuple) else event.answer,
        "result": event.verdict.result,
        "structured": _structured(job, event.verdict),
    }


def _end(job: Job) -> datetime:
    return job.updated_at if job.ended_at is None else job.ended_at


def _structured(job: Job, verdict: Verdict) -> dict[str, Any]:
    texts = {call.name: status.reply.text for call, status in job.seats() if isinstance(status, Answered)}
    return render_verdict(verdict, texts)


def _timings(job: Job) -> dict[str, float] | None:
    if not isinstance(job.outcome, Completed):
        return None
    slowest_s = max((_elapsed_s(status) for _, status in job.seats()), default=0.0)
    fanout_s = (job.asked_at - job.begun_at).total_seconds() if job.asked_at is not None else 0.0
    return {
        "total": _ms((_end(job) - job.begun_at).total_seconds()),
        "fanout": _ms(fanout_s),
        "slowest": _ms(slowest_s),
        "merge": _ms(job.outcome.merge_s),
    }


def _elapsed_s(status: CallStatus) -> float:
    match status:
        case Answered():
            return sum(reply.elapsed_s for reply in (*status.earlier, status.reply))
        case Failed():
            return status.failure.elapsed_s + sum(reply.elapsed_s for reply in status.earlier)
        case _:
            return 0.0


def _warnings(job: Job) -> list[str]:
    found: dict[str, None] = {}
    for call, status in job.seats():
        for reply in _replies(status):
            found.update(dict.fromkeys(reply.warnings))
        if isinstance(status, Answered) and status.reply.finish == "length":
            found[f"{call.name} was cut off at its length limit: its reply is no vote"] = None
    if isinstance(job.judge, Judged):
        found.update(dict.fromkeys(warning for reply in _replies(job.judge.call) for warning in reply.warnings))
    if isinstance(job.outcome, Completed):
        found.update(dict.fromkeys(job.outcome.verdict.warnings))
    return list(found)


def usage(job: Job) -> dict[str, Any]:
    """Returns what was asked of the models, re-asks and the judge included."""
    models = {call.name: _used(status) for call, status in job.seats()}
    if isinstance(job.judge, Judged):
        name, judge = str(job.spec.judge), _used(job.judge.call)
        seat = models.get(name)
        models[name] = judge if seat is None else {key: _sum([seat[key], judge[key]]) for key in seat}
    return {
        "calls": sum(model["calls"] for model in models.values()),
        "inputTokens": _sum([model["inputTokens"] for model in models.values()]),
        "outputTokens": _sum([model["outputTokens"] for model in models.values()]),
        "saved": sum(isinstance(status, Failed) and status.failure.type == NOT_WAITED for _, status in job.seats()),
        "cost": None,
        "models": models,
    }


def _used(status: CallStatus) -> dict[str, Any]:
    replies = _replies(status)
    failed = status.failure.attempts if isinstance(status, Failed) else 0
    return {
        "calls": sum(reply.attempts for reply in replies) + failed,
        "inputTokens": _sum([reply.input_tokens for reply in replies]),
        "outputTokens": _sum([reply.output_tokens for reply in replies]),
    }


def _replies(status: CallStatus) -> tuple[Reply, ...]:
    match status:
        case Answered():
            return (*status.earlier, status.reply)
        case Waiting() | Running() | Failed():
            return status.earlier


def _progress(status: CallStatus) -> str:
    match status:
        case Waiting():
            return "waiting"
        case Running():
            return "running"
        case Answered(reply=reply) if reply.problem is None:
            return "answered"
        case _:
            return "failed"


def _sum(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
