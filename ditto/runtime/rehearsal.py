"""A job that a holder plays through before it takes any: what runs for the first time takes three times as long.

Nothing of it leaves the process: it is in no journal, and no model is asked.
"""

from __future__ import annotations

from datetime import timedelta

from ditto.domain.events import Reply
from ditto.domain.job import Job
from ditto.domain.spec import Call, JobSpec, Message, StrategyName
from ditto.runtime.orders import Outcome, order_id, orders
from ditto.runtime.runner import Clock, Turn, first_turn
from ditto.store.port import Append
from ditto.store.writing import Rows

_NAME = "rehearsal"
_REPLIES = ("17 * 23 = 391", "The answer is 391.", "It is 381.")


def rehearsed(clock: Clock) -> Job:
    """Returns a job of three models, two of which agree, that has gone from its acceptance to its verdict."""
    calls = tuple(Call(name=f"sim/{number}", model=f"sim/{number}") for number in range(len(_REPLIES)))
    spec = JobSpec(
        strategy=StrategyName.CONSENSUS,
        calls=calls,
        messages=(Message(role="user", content="What is 17 * 23?"),),
        deadline_at=clock() + timedelta(minutes=1),
    )
    begun = first_turn(_NAME, spec, _NAME, _NAME, clock)
    orders(begun.job, [call.name for call in calls], clock())
    ended = Turn(begun.job, clock)
    for call, text in zip(calls, _REPLIES, strict=True):
        ended.take(Outcome(order_id=order_id(begun.job, call.name, 1), caller=_NAME, result=Reply(text=text)))
    ended.decide(_NAME)
    for after, turn in ((0, begun), (begun.job.seq, ended)):
        Rows.of(Append(job_id=_NAME, id=_NAME, after=after, events=tuple(turn.events)))
    return ended.job
