"""What can happen to a job: the events of its journal, and their JSON form.

An event is written once and never changed. `kind` is its name on disk and on the wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter

from ditto.domain.spec import JSON, AnswerKind, JobSpec
from ditto.domain.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A model's reply as it was used.

    Attributes:
        text: Reasoning blocks removed.
        finish: `stop`, `length`, `content_filter` or `other`.
        attempts: Requests that were sent for it, 1 or more.
        elapsed_s: From its turn to the whole reply, pauses included: what it waited for its turn is no part of it.
        warnings: What was adapted or left out for this model.
        problem: With a schema: why the reply does not satisfy it, in the validator's words; None when it does.
    """

    text: str
    finish: str = "stop"
    input_tokens: int | None = None
    output_tokens: int | None = None
    attempts: int = 1
    elapsed_s: float = 0.0
    warnings: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a call has no reply. `type` is the wire contract's name of the error."""

    type: str
    message: str
    attempts: int = 1
    elapsed_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class JobAccepted:
    kind: Literal["job.accepted"] = "job.accepted"
    spec: JobSpec
    holder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobAdopted:
    """Another holder, or a later instance of the same one, goes on with the job."""

    kind: Literal["job.adopted"] = "job.adopted"
    holder: str
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRetried:
    """The failed calls of a job that had ended are asked again, until a new deadline; the replies that came stay."""

    kind: Literal["job.retried"] = "job.retried"
    holder: str
    epoch: int
    deadline_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStarted:
    """A call is about to be given to `caller`. `round` is 1, and 2 for the re-ask of a reply that did not validate."""

    kind: Literal["call.started"] = "call.started"
    call: str
    round: int
    caller: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCompleted:
    kind: Literal["call.completed"] = "call.completed"
    call: str
    round: int
    reply: Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFailed:
    kind: Literal["call.failed"] = "call.failed"
    call: str
    round: int
    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeStarted:
    """The judge is about to be asked through `caller`; `order` are the calls as their replies are numbered for it."""

    kind: Literal["judge.started"] = "judge.started"
    caller: str
    order: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeCompleted:
    kind: Literal["judge.completed"] = "judge.completed"
    reply: Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeFailed:
    kind: Literal["judge.failed"] = "judge.failed"
    failure: Failure


class Cut(StrEnum):
    """The timer that ended a job's waiting."""

    GRACE = "grace"
    DEADLINE = "deadline"


@dataclass(frozen=True, slots=True, kw_only=True)
class GracePassed:
    """Enough models have answered, and the others were waited for long enough."""

    kind: Literal["job.grace_passed"] = "job.grace_passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlinePassed:
    kind: Literal["job.deadline_passed"] = "job.deadline_passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCompleted:
    kind: Literal["job.completed"] = "job.completed"
    verdict: Verdict
    merge_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailed:
    """The job ended without a verdict. `type` is `JobError`, `DeadlineExceeded`, `CrashLoop` or `InternalError`."""

    kind: Literal["job.failed"] = "job.failed"
    type: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCancelled:
    kind: Literal["job.cancelled"] = "job.cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobMerged:
    """The stored replies of a complete job were merged anew; its own verdict stays. None: as the job has it.

    Attributes:
        schema: `{}`: text.
    """

    kind: Literal["job.merged"] = "job.merged"
    weights: dict[str, float] | None
    schema: dict[str, Any] | None
    answer: AnswerKind | tuple[str, ...] | None
    verdict: Verdict
    merge_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackGiven:
    """Somebody who knows has said whether the result is right, or what the right answer is; one of the two is None."""

    kind: Literal["job.feedback"] = "job.feedback"
    correct: bool | None
    answer: JSON


Event = (
    JobAccepted
    | JobAdopted
    | JobRetried
    | CallStarted
    | CallCompleted
    | CallFailed
    | JudgeStarted
    | JudgeCompleted
    | JudgeFailed
    | GracePassed
    | DeadlinePassed
    | JobCompleted
    | JobFailed
    | JobCancelled
    | JobMerged
    | FeedbackGiven
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An event with its place in the job's journal (from 1, without gaps) and the moment it was written (aware UTC)."""

    seq: int
    at: datetime
    event: Event


_adapter: TypeAdapter[Event] = TypeAdapter(
    Annotated[Event, Field(discriminator="kind")], config=ConfigDict(extra="forbid")
)
"""A field that this version does not know is refused: what a newer version wrote is not half understood."""

_write = _adapter.serializer.to_json
"""What the adapter's own `dump_json` calls, after a dozen arguments that say nothing."""


def encode(event: Event) -> bytes:
    """Returns the event as JSON, UTF-8."""
    return _write(event)


def decode(data: bytes | str) -> Event:
    """Returns the event that `encode` wrote.

    Raises:
        pydantic.ValidationError: It is none that this version knows.
    """
    return _adapter.validate_json(data)


def as_json(event: Event) -> dict[str, Any]:
    """Returns the event as decoded JSON with snake_case names."""
    decoded: dict[str, Any] = _adapter.dump_python(event, mode="json")
    return decoded
