"""What goes between a job's holder and a caller of models: orders one way, outcomes the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from typing import Protocol

from ditto.domain import schemas, strategies
from ditto.domain.events import Failure, Reply
from ditto.domain.job import Job, Judged, Running
from ditto.domain.spec import Message
from ditto.domain.strategies import briefing
from ditto.domain.timers import call_timeout_s
from ditto.providers.port import ModelRequest
from ditto.settings.endpoints import split

_BATCH = "batch"
"""Where a batch leaves its name in its jobs' metadata."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One model call that a caller is asked to make.

    Attributes:
        id: As `order_id` makes it: the same order again is the same call.
        adoptions: Of the job, as its holder knows it: of two holders the one with more has taken the job over.
        live: The reply is to be streamed, for who follows the job.
        timeout_s: Its own time, which runs while it is being asked, and not while it waits for its turn.
        within_s: How long the job has left.
        key: What it comes under where calls wait for their turn: those under different keys take turns.
    """

    id: str
    adoptions: int
    provider: str
    name: str
    request: ModelRequest
    timeout_s: float
    max_retries: int
    live: bool = False
    within_s: float = inf
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The order belongs to another holder, which has taken the job over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an order; `caller` keeps it until it is acknowledged."""

    order_id: str
    caller: str
    result: Reply | Failure | Moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How far a holder has taken a caller's outcomes.

    Attributes:
        instance: The caller's process: another one numbers anew, and has lost what the last one had under way.
        last: The number of the last outcome taken, from 1.
    """

    instance: str
    last: int


NOTHING_SEEN = Seen(instance="", last=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Outcomes from one caller, and from where to poll on.

    Attributes:
        waiting: Orders that wait for their turn just now; that is told from time to time.
    """

    seen: Seen
    outcomes: list[Outcome]
    waiting: list[str] = field(default_factory=list)


class Calls(Protocol):
    """What a job needs of the callers."""

    def pick(self, job_id: str) -> str:
        """Returns the name of the caller that makes this job's next calls."""
        ...

    def submit(self, caller: str, order: Order) -> None: ...

    def acknowledge(self, caller: str, order_ids: list[str]) -> None:
        """Tells that these outcomes are in the journal."""
        ...

    def cancel(self, caller: str, order_ids: list[str]) -> None: ...

    def waited_until(self, caller: str, order_id: str) -> datetime | None:
        """Returns until when an order is known to have waited for its turn; None: it is not known to have waited."""
        ...

    def forget(self, order_ids: list[str]) -> None:
        """Waits for these no longer; their calls go on for whoever has the job."""
        ...


def order_id(job: Job, call_name: str, round_: int) -> str:
    """Returns the id under which a call is made: `<job>/<retry>.<round>/<call>`."""
    return f"{job.id}/{job.retries}.{round_}/{call_name}"


def judge_order_id(job: Job) -> str:
    """Returns the id under which the judge is asked: `<job>/<retry>.judge/<model>`."""
    return f"{job.id}/{job.retries}.judge/{job.spec.judge}"


def orders(job: Job, call_names: Iterable[str], now: datetime) -> list[Order]:
    """Returns the orders for running calls of this job, each with the time that it has left.

    Messages that are the same are one value, so that orders that travel together carry one copy of a long prompt.
    """
    spec = job.spec
    calls = {call.name: call for call in spec.calls}
    schema = None if spec.schema is None else schemas.wrap(spec.schema)
    within_s, key = _within_s(job, now), _key(job)
    made = []
    messages: tuple[Message, ...] = ()
    for name in call_names:
        status, call = job.calls[name], calls[name]
        assert isinstance(status, Running)
        provider, model = split(call.model)
        told = strategies.messages(job, name)
        messages = messages if told == messages else told
        request = ModelRequest(
            model=model, messages=messages, system=spec.system, sampling=spec.sampling, seed=call.seed, schema=schema
        )
        made.append(
            Order(
                id=order_id(job, name, status.round),
                adoptions=job.adoptions,
                provider=provider,
                name=call.model,
                request=request,
                timeout_s=call_timeout_s(job, status, now),
                max_retries=spec.max_retries,
                live=spec.live,
                within_s=within_s,
                key=key,
            )
        )
    return made


def judge_order(job: Job, now: datetime) -> Order:
    """Returns the order for this job's judge, who is being asked.

    What the request passes on to the panel's models (a length limit, stop sequences) is not meant for the judge.
    """
    judge, name = job.judge, job.spec.judge
    assert isinstance(judge, Judged)
    assert isinstance(judge.call, Running)
    assert name is not None
    provider, model = split(name)
    return Order(
        id=judge_order_id(job),
        adoptions=job.adoptions,
        provider=provider,
        name=name,
        request=ModelRequest(
            model=model, messages=strategies.judge_messages(job), schema=briefing.schema(len(judge.order))
        ),
        timeout_s=call_timeout_s(job, judge.call, now),
        max_retries=job.spec.max_retries,
        within_s=_within_s(job, now),
        key=_key(job),
    )


def _within_s(job: Job, now: datetime) -> float:
    return (job.spec.deadline_at - now).total_seconds()


def _key(job: Job) -> str:
    """Returns what a job's calls come under: its tenant, and there each batch by itself."""
    batch = job.spec.metadata.get(_BATCH)
    return job.spec.tenant if batch is None else f"{job.spec.tenant}/{batch}"
