"""How answers are combined: each strategy is a function from a job to what is to be done next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ditto.domain.job import Job
from ditto.domain.spec import Message, StrategyName
from ditto.domain.strategies import consensus, cooperative, judging
from ditto.domain.strategies.actions import Action, Ask, AskJudge, Drop, Fail, Settle
from ditto.domain.verdict import Verdict

__all__ = [
    "Action",
    "Ask",
    "AskJudge",
    "Drop",
    "Fail",
    "Settle",
    "judge_messages",
    "load_merging",
    "merges",
    "messages",
    "next_actions",
    "verdict",
]

_NEXT: Mapping[StrategyName, Callable[[Job], tuple[Action, ...]]] = MappingProxyType(
    {StrategyName.CONSENSUS: consensus.next_actions, StrategyName.COOPERATIVE: cooperative.next_actions}
)
_MERGES: Mapping[StrategyName, Callable[[Job], bool]] = MappingProxyType(
    {StrategyName.CONSENSUS: consensus.merges, StrategyName.COOPERATIVE: cooperative.merges}
)
_VERDICT: Mapping[StrategyName, Callable[[Job], Verdict]] = MappingProxyType(
    {StrategyName.CONSENSUS: consensus.verdict, StrategyName.COOPERATIVE: cooperative.verdict}
)
_MESSAGES: Mapping[StrategyName, Callable[[Job, str], tuple[Message, ...]]] = MappingProxyType(
    {StrategyName.CONSENSUS: consensus.messages, StrategyName.COOPERATIVE: cooperative.messages}
)


def load_merging() -> None:
    """Loads what compares replies; without it, the first job to settle does."""
    from ditto.domain.strategies import settling  # noqa: F401  # it has all of merging under it


def next_actions(job: Job) -> tuple[Action, ...]:
    """Returns what is to be done now: nothing while replies are awaited, and nothing for a job that has ended."""
    return () if job.state.ended else _NEXT[job.spec.strategy](job)


def merges(job: Job) -> bool:
    """Tells whether `next_actions`, or what follows from it, will compare replies; cheap to ask."""
    return not job.state.ended and _MERGES[job.spec.strategy](job)


def messages(job: Job, call: str) -> tuple[Message, ...]:
    """Returns what this call's model is told: the turns of the conversation, ending with a user's message."""
    return _MESSAGES[job.spec.strategy](job, call)


def judge_messages(job: Job) -> tuple[Message, ...]:
    """Returns what the judge is told, after it has been asked."""
    return judging.messages(job)


def verdict(job: Job) -> Verdict:
    """Returns the merged answer of a job that is to be settled."""
    return _VERDICT[job.spec.strategy](job)
