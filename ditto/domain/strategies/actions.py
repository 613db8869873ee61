"""What a strategy can ask for."""

from __future__ import annotations

from dataclasses import dataclass

from ditto.domain.events import Cut
from ditto.domain.job import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Ask this seat's model; `round` 2 is the re-ask of a reply that did not satisfy the schema."""

    call: str
    round: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Wait for this call no longer: `why` says what made its reply needless."""

    call: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskJudge:
    """Ask the judge; `order` are the calls as their replies are numbered for it."""

    order: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """Merge what there is and end the job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """End the job without a verdict. `type` is the wire contract's `JobError` or `DeadlineExceeded`."""

    type: str
    message: str


Action = Ask | Drop | AskJudge | Settle | Fail


def ending(job: Job) -> Settle | Fail:
    """Returns how a job ends in which nothing is outstanding any more."""
    usable, wanted = len(job.usable()), job.spec.min_responses
    if usable >= wanted:
        return Settle()
    answered = f"{usable} of {len(job.spec.calls)} models gave a usable answer, {wanted} needed"
    if job.cut is Cut.DEADLINE:
        return Fail(type="DeadlineExceeded", message=f"the deadline passed: {answered}")
    return Fail(type="JobError", message=answered)
