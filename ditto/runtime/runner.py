"""One job being run: what its strategy asks for is journalled, then done; what comes back is journalled, then used.

Write, then act. Every turn of the loop takes what has arrived, asks the strategy, and writes the whole turn as one
append; only then are calls made, outcomes acknowledged and clients told. A crash between any two steps leaves a
journal from which the same loop goes on: `run` gives the running calls to their callers again, under the same ids.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from ditto.domain import events as ev
from ditto.domain import schemas, strategies
from ditto.domain.events import Event, Failure, Recorded, Reply
from ditto.domain.job import Job, Running, Waiting, accepted, apply, size_bytes
from ditto.domain.spec import JobSpec, SettleRule
from ditto.domain.timers import expire, not_waited_for, wakes_at
from ditto.errors import AppendConflict, StoreUnavailable
from ditto.runtime.orders import Calls, Moved, Outcome, judge_order, judge_order_id, order_id, orders
from ditto.store.port import Append, Journal

Clock = Callable[[], datetime]
STORE_PAUSE_S = 0.5
_SMALL_PANEL = 20
"""Up to so many replies are merged in a few milliseconds; more are merged on a thread."""


def utc_now() -> datetime:
    """Returns this moment, aware UTC."""
    return datetime.now(UTC)


class JobRunner:
    """Runs one job to its end.

    Args:
        job: As its journal tells it; its acceptance is durable.
        told: Called with the job after each append, in order.
        decided: Whether its journal has what the strategy asks for as it stands.
    """

    def __init__(
        self,
        job: Job,
        *,
        journal: Journal,
        calls: Calls,
        told: Callable[[Job, tuple[Recorded, ...]], None],
        new_id: Callable[[], str],
        decided: bool = False,
        clock: Clock = utc_now,
    ) -> None:
        self.job = job
        self._journal = journal
        self._calls = calls
        self._told = told
        self._new_id = new_id
        self._clock = clock
        self._outcomes: dict[str, Outcome] = {}
        self._cancelled = False
        self._let_go = False
        self._looked_at = job.seq if decided else 0
        self._arrived = asyncio.Event()

    def deliver(self, outcome: Outcome) -> None:
        """Hands in what came of one of this job's orders; the same one again does nothing."""
        self._outcomes.setdefault(outcome.order_id, outcome)
        self._arrived.set()

    def outstanding(self) -> list[str]:
        """Returns the ids of the orders that this job waits for."""
        running = {name: status for name, status in self.job.calls.items() if isinstance(status, Running)}
        judge = [judge_order_id(self.job)] if self.job.judging() is not None else []
        return [order_id(self.job, name, status.round) for name, status in running.items()] + judge

    def cancel(self) -> None:
        """Asks the job to end without a verdict."""
        self._cancelled = True
        self._arrived.set()

    def let_go(self) -> None:
        """Has the job stop here: another holder has taken it over."""
        self._let_go = True
        self._arrived.set()

    async def run(self) -> Job:
        """Returns the job when it has ended.

        Raises:
            AppendConflict: Another holder has taken the job over; this one must do nothing more for it.
        """
        if self.job.state.ended:
            self._stop(self.job, set())
            return self.job
        self._submit([name for name, status in self.job.calls.items() if isinstance(status, Running)])
        self._submit_judge()
        await asyncio.sleep(0)  # of many orders the first go out before the times of all are looked at
        while not self.job.state.ended:
            await self._turn()
            if not self.job.state.ended:
                await self._wait()
        return self.job

    async def _turn(self) -> None:
        before = self.job
        taken, self._outcomes = list(self._outcomes.values()), {}
        if self._let_go or any(isinstance(outcome.result, Moved) for outcome in taken):
            raise AppendConflict(f"job {self.job.id} has been taken over")
        events = await self._written(taken)
        self._acknowledge(taken)
        started = [event.call for _, event in events if isinstance(event, ev.CallStarted)]
        self._stop(before, {outcome.order_id for outcome in taken})
        if not self.job.state.ended:
            self._submit(started)
            if any(isinstance(event, ev.JudgeStarted) for _, event in events):
                self._submit_judge()

    async def _written(self, outcomes: list[Outcome]) -> list[tuple[datetime, Event]]:
        """Returns the events of this turn, which are in the journal."""
        turn = Turn(self.job, self._clock)
        for outcome in outcomes:
            turn.take(outcome)
        if self._cancelled and not turn.job.state.ended:
            turn.add(ev.JobCancelled())
        else:
            for event in expire(turn.job, self._clock(), self._waited_until):
                turn.add(event)
        if turn.job.seq == self._looked_at:
            return []
        caller = self._calls.pick(self.job.id)
        if _takes_a_while(turn.job):
            await asyncio.to_thread(turn.decide, caller)
        else:
            turn.decide(caller)
        self._looked_at = turn.job.seq
        if turn.events:
            events, payer = tuple(turn.events), self.job.spec.payer
            append = Append(job_id=self.job.id, id=self._new_id(), after=self.job.seq, events=events, payer=payer)
            await persistently(self._journal, append)
            self.job = turn.job
            self._told(self.job, numbered(append))
        return turn.events

    def _submit(self, names: list[str]) -> None:
        for name, order in zip(names, orders(self.job, names, self._clock()), strict=True):
            status = self.job.calls[name]
            assert isinstance(status, Running)
            self._calls.submit(status.caller, order)

    def _submit_judge(self) -> None:
        judging = self.job.judging()
        if judging is not None:
            self._calls.submit(judging.caller, judge_order(self.job, self._clock()))

    def _acknowledge(self, outcomes: list[Outcome]) -> None:
        by_caller: dict[str, list[str]] = {}
        for outcome in outcomes:
            by_caller.setdefault(outcome.caller, []).append(outcome.order_id)
        for caller, keys in by_caller.items():
            self._calls.acknowledge(caller, keys)

    def _stop(self, before: Job, taken: set[str]) -> None:
        """Cancels what was under way and is not waited for any more: all of it, where the job has ended."""
        ended = self.job.state.ended
        for name, status in before.calls.items():
            if isinstance(status, Running) and (ended or self.job.calls[name] is not status):
                self._cancel(status.caller, order_id(before, name, status.round), taken)
        judging = before.judging()
        if judging is not None and (ended or self.job.judging() is None):
            self._cancel(judging.caller, judge_order_id(before), taken)

    def _cancel(self, caller: str, key: str, taken: set[str]) -> None:
        if key not in taken:
            self._calls.cancel(caller, [key])

    def _waited_until(self, call: str) -> datetime | None:
        if not call:
            judging = self.job.judging()
            return None if judging is None else self._calls.waited_until(judging.caller, judge_order_id(self.job))
        status = self.job.calls[call]
        if not isinstance(status, Running):
            return None
        return self._calls.waited_until(status.caller, order_id(self.job, call, status.round))

    async def _wait(self) -> None:
        moment = wakes_at(self.job, self._waited_until)
        left_s = None if moment is None else max(0.0, (moment - self._clock()).total_seconds())
        try:
            async with asyncio.timeout(left_s):
                await self._arrived.wait()
        except TimeoutError:
            return
        self._arrived.clear()


def first_turn(job_id: str, spec: JobSpec, holder: str, caller: str, clock: Clock) -> Turn:
    """Returns the turn with which a job begins: its acceptance, and the calls that its strategy makes at once."""
    at, event = clock(), ev.JobAccepted(spec=spec, holder=holder)
    turn = Turn(accepted(job_id, Recorded(seq=1, at=at, event=event)), clock)
    turn.events.append((at, event))
    turn.decide(caller)
    return turn


def retry_turn(job: Job, holder: str, epoch: int, caller: str, clock: Clock) -> Turn:
    """Returns the turn by which a job that has ended goes on: its failed calls are asked again."""
    turn = Turn(job, clock)
    now = clock()
    deadline_at = now + (job.spec.deadline_at - job.begun_at)
    turn.add(ev.JobRetried(holder=holder, epoch=epoch, deadline_at=deadline_at))
    turn.decide(caller)
    return turn


class Turn:
    """The events of one turn, each applied as it is added, so that the strategy sees them.

    Attributes:
        job: As it stands after them.
    """

    def __init__(self, job: Job, clock: Clock) -> None:
        self.job = job
        self.events: list[tuple[datetime, Event]] = []
        self._clock = clock

    def add(self, event: Event) -> None:
        at = self._clock()
        self.job = apply(self.job, Recorded(seq=self.job.seq + 1, at=at, event=event))
        self.events.append((at, event))

    def take(self, outcome: Outcome) -> None:
        """Adds what came of an order, unless the job no longer waits for it."""
        if outcome.order_id == judge_order_id(self.job):
            self._take_judge(outcome)
            return
        call = outcome.order_id.split("/", 2)[2]
        status = self.job.calls.get(call)
        if not isinstance(status, Running) or self.job.state.ended:
            return
        if outcome.order_id != order_id(self.job, call, status.round):
            return
        match outcome.result:
            case Reply() as reply if _too_large(reply, self.job):
                self.add(ev.CallFailed(call=call, round=status.round, failure=_above_limit(reply, self.job)))
            case Reply() as reply:
                self.add(ev.CallCompleted(call=call, round=status.round, reply=_checked(reply, self.job)))
            case Failure() as failure:
                self.add(ev.CallFailed(call=call, round=status.round, failure=failure))

    def _take_judge(self, outcome: Outcome) -> None:
        if self.job.judging() is None or self.job.state.ended:
            return
        match outcome.result:
            case Reply() as reply if _too_large(reply, self.job):
                self.add(ev.JudgeFailed(failure=_above_limit(reply, self.job)))
            case Reply() as reply:
                self.add(ev.JudgeCompleted(reply=reply))
            case Failure() as failure:
                self.add(ev.JudgeFailed(failure=failure))

    def decide(self, caller: str) -> None:
        """Adds what the strategy asks for: calls to start or to end, the judge to ask, or the job's end."""
        for action in strategies.next_actions(self.job):
            match action:
                case strategies.Ask(call=call, round=round_):
                    self.add(ev.CallStarted(call=call, round=round_, caller=caller))
                case strategies.Drop(call=call, why=why):
                    status = self.job.calls[call]
                    assert isinstance(status, Waiting | Running)
                    self.add(not_waited_for(call, status, why, self._clock()))
                case strategies.AskJudge(order=order_shown):
                    self.add(ev.JudgeStarted(caller=caller, order=order_shown))
                case strategies.Settle():
                    began = time.perf_counter()
                    verdict = strategies.verdict(self.job)
                    self.add(ev.JobCompleted(verdict=verdict, merge_s=time.perf_counter() - began))
                case strategies.Fail(type=type_, message=message):
                    self.add(ev.JobFailed(type=type_, message=message))


async def persistently(journal: Journal, append: Append) -> None:
    """Appends, and while the store is away tries again: the same append twice is one.

    Raises:
        AppendConflict: Another writer has written at that place.
    """
    while True:
        try:
            await journal.append(append)
        except StoreUnavailable:
            await asyncio.sleep(STORE_PAUSE_S)
        else:
            return


def numbered(append: Append) -> tuple[Recorded, ...]:
    """Returns the append's events as the journal numbers them."""
    return tuple(
        Recorded(seq=append.after + place, at=at, event=event) for place, (at, event) in enumerate(append.events, 1)
    )


def _takes_a_while(job: Job) -> bool:
    """Tells whether deciding on this job would hold the loop up: whether an answer is decided takes many merges."""
    large = len(job.spec.calls) > _SMALL_PANEL or job.spec.settle is SettleRule.DECIDED
    return large and strategies.merges(job)


def _too_large(reply: Reply, job: Job) -> bool:
    return job.reply_bytes + size_bytes(reply) > job.spec.replies_limit_bytes


def _above_limit(reply: Reply, job: Job) -> Failure:
    message = f"all replies of this job together are above {job.spec.replies_limit_bytes} bytes"
    return Failure(type="TooLarge", message=message, attempts=reply.attempts, elapsed_s=reply.elapsed_s)


def _checked(reply: Reply, job: Job) -> Reply:
    if job.spec.schema is None or reply.finish == "content_filter":
        return reply
    found = schemas.problem(reply.text, job.spec.schema)
    return replace(reply, problem=found)
