"""The job that both run: four model calls, one after the other or at once, four seconds in all."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

LENGTH_S = 4.0
"""How long the models take for the whole job."""

PROMPT = "What is 17 * 23?"


class Shape(StrEnum):
    SEQUENCE = "one after the other"
    TOGETHER = "at once"


_MODELS = {
    Shape.SEQUENCE: ("terse+slow=1s", "careful+slow=1s", "wordy+slow=1s", "friendly+slow=1s"),
    Shape.TOGETHER: ("terse+slow=1s", "careful+slow=2s", "wordy+slow=3s", "friendly+slow=4s"),
}


def models(shape: Shape) -> tuple[str, ...]:
    """Returns the four simulated models, as their server knows them. A reply comes each second in both shapes."""
    return _MODELS[shape]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """What a system's own journal says of one job; moments are seconds since 1970.

    Attributes:
        resumed_at: When the job's code ran again after the kill; None: it did not have to.
        replies: When each model's reply was recorded.
        ended_at: None: the job has not ended.
    """

    accepted_at: float
    resumed_at: float | None
    replies: dict[str, float]
    ended_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One kill and what followed. Seconds run from the restart, or from the kill where nothing was restarted by hand.

    Attributes:
        moment: The fraction of the job's length at which it was killed.
        recorded: Steps whose reply was in the journal when the kill came.
        repeated: Requests that the models got beyond one for each step.
        recorded_repeated: Those of them for steps that were recorded.
        ready_s: Until new work was taken; None where the service never went away.
        delay_s: How much later than undisturbed the job ended, the time until the restart included.
    """

    moment: float
    recovered: bool
    recorded: int
    repeated: int
    recorded_repeated: int
    ready_s: float | None
    resumed_s: float | None
    reply_s: float | None
    end_s: float | None
    delay_s: float | None


def judged(
    lived: Lived,
    *,
    moment: float,
    killed_at: float,
    from_at: float,
    ready_s: float | None,
    undisturbed_s: float,
    started: dict[str, int],
) -> Round:
    """Returns what this round came to.

    Args:
        killed_at: Replies that were recorded before count as recorded.
        from_at: The restart, or the kill.
        started: How many requests each model got.
    """
    recorded = {model for model, at in lived.replies.items() if at <= killed_at}
    later = [at for at in lived.replies.values() if at > killed_at]
    ended = lived.ended_at
    return Round(
        moment=moment,
        recovered=ended is not None and len(lived.replies) == len(started),
        recorded=len(recorded),
        repeated=sum(started.values()) - len(started),
        recorded_repeated=sum(started[model] - 1 for model in recorded),
        ready_s=ready_s,
        resumed_s=None if lived.resumed_at is None else lived.resumed_at - from_at,
        reply_s=min(later) - from_at if later else None,
        end_s=None if ended is None else ended - from_at,
        delay_s=None if ended is None else ended - lived.accepted_at - undisturbed_s,
    )
