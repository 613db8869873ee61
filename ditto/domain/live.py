"""What is told of a job while it runs and is not kept: text while it is written, tries that failed, who is ahead.

None of it is in the journal, so none of it has a number, and whoever comes later gets it as it then stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ditto.domain.events import Failure
from ditto.domain.job import Job
from ditto.domain.spec import JSON
from ditto.domain.strategies import verdict
from ditto.domain.verdict import Intent


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDelta:
    """A piece of a reply that is being written; `start` is 0 where it begins (again), and then replaces what there was.

    Attributes:
        start: So many characters (code points) of this call's text go before it.
    """

    kind: Literal["call.delta"] = "call.delta"
    call: str
    round: int
    start: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRetried:
    """A request for this call failed, and another one is under way; what the call had said is void.

    Attributes:
        attempt: The number of the new request, from 2.
        failure: Of the one before.
    """

    kind: Literal["call.retried"] = "call.retried"
    call: str
    round: int
    attempt: int
    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictLeading:
    """What the panel would say if no further reply came.

    Attributes:
        replies: So many have come that can be used.
        chosen_model: Whose reply would be the result, None where it would be put together field by field.
    """

    kind: Literal["verdict.leading"] = "verdict.leading"
    replies: int
    intent: Intent
    answer: JSON
    confidence: float | None
    agreement: float | None
    supporting_models: tuple[str, ...]
    chosen_model: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """Such an event and the moment it was told (aware UTC)."""

    at: datetime
    event: CallDelta | CallRetried | VerdictLeading


def leading(job: Job) -> VerdictLeading:
    """Returns what the replies so far come to, of which there must be one."""
    found = verdict(job)
    return VerdictLeading(
        replies=len(job.usable()),
        intent=found.intent,
        answer=found.answer,
        confidence=found.confidence,
        agreement=found.agreement,
        supporting_models=found.supporting,
        chosen_model=found.chosen,
    )
