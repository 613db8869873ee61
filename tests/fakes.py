"""A service in memory: it drives the real strategies with canned replies and folds the real events, without Ray."""

from __future__ import annotations

import asyncio
import copy
import itertools
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from ditto.domain import events as ev
from ditto.domain import schemas, strategies, timers
from ditto.domain.batch_lease import BatchLease
from ditto.domain.events import Event, Failure, Recorded, Reply
from ditto.domain.job import Completed, Job, JobState, Running, Waiting, accepted, apply
from ditto.domain.live import CallDelta, CallRetried, Live, VerdictLeading
from ditto.domain.remerging import Remerge, remerged
from ditto.domain.request import Request, RequestConfident, differing
from ditto.domain.spec import AnswerKind, Call, Confident, JobSpec, Message, Sampling, SettleRule, StrategyName
from ditto.domain.strategies.actions import Ask, AskJudge, Drop, Fail, Settle
from ditto.domain.tenants import OPERATOR, Tenant
from ditto.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    IdempotencyMismatch,
    NotFound,
    RateLimited,
    ServiceError,
    Unauthorized,
)
from ditto.runtime.batch_leases import BatchLeases
from ditto.runtime.runner import utc_now
from ditto.runtime.service import Page, Submitted
from ditto.store.memory import MemoryJournal
from ditto.tally import Counted

DEFAULT_MODELS = ("sim/alpha", "sim/beta", "sim/gamma")
START = datetime(2025, 7, 1, 9, 30, tzinfo=UTC)
TICK = timedelta(milliseconds=10)


@dataclass(frozen=True, slots=True)
class Held:
    """A model that does not answer before it is released."""


Canned = str | Failure | Held


@dataclass(slots=True)
class _Record:
    job: Job
    journal: list[Recorded]
    fingerprint: str
    live: list[Live] = field(default_factory=list)
    followers: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)


class FakeService:
    """Implements `ServicePort`.

    Args:
        replies: By model's name: the text it answers, why it fails, or that it is held. Others say their name.
        unready: Raised by `ready` and by everything that would take a job.

    Attributes:
        followed: For each request whether its replies were to be streamed.
        keys: For whom each opens; without any, whoever asks is the operator.
        limited: What everybody with a key is told.
    """

    def __init__(self, replies: Mapping[str, Canned] | None = None, unready: Exception | None = None) -> None:
        self.replies = dict(replies or {})
        self.unready = unready
        self.asked: list[Request] = []
        self.followed: list[bool] = []
        self.closed = False
        self.told: list[Counted] = []
        self.keys: dict[str, Tenant] = {}
        self.limited: RateLimited | None = None
        self.tenant = OPERATOR
        self._asking = asyncio.Condition()
        self._numbers = itertools.count()
        self._records: dict[str, _Record] = {}
        self._keys: dict[tuple[str, str | None], str] = {}
        self._leases = MemoryJournal()

    async def admit(self, shown: str | None) -> FakeService:
        if not self.keys:
            return self
        if shown not in self.keys:
            raise Unauthorized("a key is needed")
        if self.limited is not None:
            raise self.limited
        seen = copy.copy(self)
        seen.tenant = self.keys[shown]
        return seen

    async def submit(self, request: Request, *, live: bool = False) -> Submitted:
        async with self._asking:
            self.asked.append(request)
            self.followed.append(live)
            self._asking.notify_all()
        if self.unready is not None:
            raise self.unready
        key = (self.tenant.name, request.idempotency_key)
        if key in self._keys:
            return self._known(request, self._keys[key])
        spec = replace(_spec(request), tenant=self.tenant.name)
        if refused := [call.model for call in spec.calls if not self.tenant.allowance.permits(call.model)]:
            details = [{"path": "models", "message": f"{model} may not be asked"} for model in refused]
            raise Forbidden(f"this key may not ask {', '.join(refused)}", details)
        job_id = f"01JOB{next(self._numbers):021d}"
        first = Recorded(seq=1, at=START, event=ev.JobAccepted(spec=spec, holder=f"job:{job_id}"))
        record = _Record(job=accepted(job_id, first), journal=[first], fingerprint=request.fingerprint())
        self._records[job_id] = record
        if request.idempotency_key is not None:
            self._keys[key] = job_id
        taken = record.job
        await self._advance(record)
        return Submitted(job=taken, created=True)

    async def ask(self, request: Request) -> Submitted:
        submitted = await self.submit(request)
        return replace(submitted, job=await self.wait(submitted.job.id))

    async def get(self, job_id: str) -> Job:
        return self._record(job_id).job

    async def wait(self, job_id: str, timeout_s: float | None = None) -> Job:
        record = self._record(job_id)
        try:
            async with asyncio.timeout(timeout_s), record.changed:
                await record.changed.wait_for(lambda: record.job.state.ended)
        except TimeoutError:
            pass
        return record.job

    async def events(self, job_id: str, after: int = 0) -> AsyncIterator[Recorded | Live]:
        record = self._record(job_id)
        heard = len(record.live)
        async with record.changed:
            record.followers += 1
            record.changed.notify_all()
        while True:
            async with record.changed:
                while record.job.seq <= after and not record.job.state.ended and heard == len(record.live):
                    await record.changed.wait()
            for recorded in record.journal[after:]:
                yield recorded
                after = recorded.seq
            while heard < len(record.live):
                heard += 1
                yield record.live[heard - 1]
            if record.job.state.ended and record.job.seq <= after:
                return

    async def cancel(self, job_id: str) -> Job:
        record = self._record(job_id)
        if not record.job.state.ended:
            await self._append(record, ev.JobCancelled())
        return record.job

    async def retry(self, job_id: str) -> Job:
        record = self._record(job_id)
        job = record.job
        if self.unready is not None:
            raise self.unready
        if not job.state.ended or job.state is JobState.CANCELLED:
            raise Conflict(f"job {job_id} is {job.state}", None, job_id)
        if job.state is JobState.COMPLETE and not job.retriable():
            return job
        deadline_at = job.updated_at + timedelta(minutes=30)
        await self._append(record, ev.JobRetried(holder="host:0", epoch=job.epoch + 1, deadline_at=deadline_at))
        retried = record.job
        await self._advance(record)
        return retried

    async def merge(self, job_id: str, wanted: Remerge) -> Job:
        record = self._record(job_id)
        self._check_complete(record.job)
        merged = ev.JobMerged(
            weights=wanted.weights,
            schema=wanted.schema,
            answer=wanted.answer,
            verdict=remerged(record.job, wanted),
            merge_s=0.001,
        )
        await self._append(record, merged)
        return record.job

    async def feedback(self, job_id: str, said: ev.FeedbackGiven) -> Job:
        record = self._record(job_id)
        self._check_complete(record.job)
        await self._append(record, said)
        return record.job

    def _check_complete(self, job: Job) -> None:
        if job.state is not JobState.COMPLETE:
            raise Conflict(f"job {job.id} is {job.state}, not complete", None, job.id)

    async def forget(self, job_id: str) -> None:
        job = self._record(job_id).job
        if not job.state.ended:
            raise Conflict(f"job {job_id} is {job.state}: cancel it first, or wait for its end", None, job_id)
        del self._records[job_id]
        for key in [key for key, named in self._keys.items() if named == job_id]:
            del self._keys[key]

    async def list(
        self,
        *,
        state: JobState | None = None,
        needs_review: bool | None = None,
        metadata: Mapping[str, str] | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page:
        jobs = [record.job for record in reversed(self._records.values()) if self._sees(record)]
        wanted = [
            job
            for job in jobs
            if (state is None or job.state is state)
            and (needs_review is None or _needs_review(job) is needs_review)
            and all(str(job.spec.metadata.get(key)) == value for key, value in (metadata or {}).items())
        ]
        if cursor is not None and cursor not in self._records:
            raise BadRequest("the request is wrong", [{"path": "cursor", "message": "is none that a list has given"}])
        begin = sum(cursor is not None and job.id >= cursor for job in wanted)  # ids rise
        page = wanted[begin : begin + limit]
        more = len(wanted) > begin + limit
        return Page(jobs=tuple(page), cursor=page[-1].id if more else None)

    async def hold_batch(self, asked: BatchLease) -> int:
        return await BatchLeases(self._leases, self.tenant.name, utc_now).hold(asked)

    async def ready(self) -> None:
        if self.unready is not None:
            raise self.unready

    async def counted(self) -> list[Counted]:
        return self.told

    async def close(self) -> None:
        self.closed = True

    async def asked_times(self, times: int) -> None:
        """Returns when so many requests have come."""
        async with self._asking:
            await self._asking.wait_for(lambda: len(self.asked) >= times)

    async def release(self, model: str, reply: str | Failure) -> None:
        """Lets a held model answer, in every job that waits for it."""
        self.replies[model] = reply
        for record in self._records.values():
            for call, status in record.job.seats():
                if call.model == model and isinstance(status, Running):
                    await self._finish(record, call, status.round)
            await self._advance(record)

    async def followed_by(self, job_id: str) -> None:
        """Returns when somebody follows the job."""
        record = self._record(job_id)
        async with record.changed:
            await record.changed.wait_for(lambda: record.followers > 0)

    async def tell(self, job_id: str, event: CallDelta | CallRetried | VerdictLeading) -> None:
        """Tells who follows the job now what is not kept."""
        record = self._record(job_id)
        async with record.changed:
            record.live.append(Live(at=record.job.updated_at, event=event))
            record.changed.notify_all()

    async def expire(self, job_id: str) -> None:
        """Lets the job's deadline pass."""
        record = self._record(job_id)
        for event in timers.expire(record.job, record.job.spec.deadline_at):
            await self._append(record, event)
        await self._advance(record)

    async def _advance(self, record: _Record) -> None:
        while actions := strategies.next_actions(record.job):
            for action in actions:
                match action:
                    case Ask(call=name, round=round_):
                        await self._append(record, ev.CallStarted(call=name, round=round_, caller="caller:0"))
                        call = next(call for call in record.job.spec.calls if call.name == name)
                        if not isinstance(self.replies.get(call.model), Held):
                            await self._finish(record, call, round_)
                    case Drop(call=name, why=why):
                        status = record.job.calls[name]
                        assert isinstance(status, Waiting | Running)
                        await self._append(record, timers.not_waited_for(name, status, why, record.job.updated_at))
                    case AskJudge(order=order):
                        await self._append(record, ev.JudgeStarted(caller="caller:0", order=order))
                        await self._append(record, self._judged(str(record.job.spec.judge)))
                    case Settle():
                        verdict = strategies.verdict(record.job)
                        await self._append(record, ev.JobCompleted(verdict=verdict, merge_s=0.0006))
                    case Fail(type=type_, message=message):
                        await self._append(record, ev.JobFailed(type=type_, message=message))

    async def _finish(self, record: _Record, call: Call, round_: int) -> None:
        canned = self.replies.get(call.model, f"This is {call.model}.")
        match canned:
            case Failure():
                event: Event = ev.CallFailed(call=call.name, round=round_, failure=canned)
            case str():
                schema = record.job.spec.schema
                problem = None if schema is None else schemas.problem(canned, schema)
                reply = Reply(text=canned, input_tokens=21, output_tokens=9, elapsed_s=0.01, problem=problem)
                event = ev.CallCompleted(call=call.name, round=round_, reply=reply)
            case Held():
                return
        await self._append(record, event)

    def _judged(self, judge: str) -> Event:
        canned = self.replies.get(judge, '{"best": 1}')
        if isinstance(canned, str):
            return ev.JudgeCompleted(reply=Reply(text=canned, input_tokens=50, output_tokens=12, elapsed_s=0.01))
        failure = canned if isinstance(canned, Failure) else Failure(type="Timeout", message="it is held")
        return ev.JudgeFailed(failure=failure)

    async def _append(self, record: _Record, event: Event) -> None:
        recorded = Recorded(seq=record.job.seq + 1, at=record.job.updated_at + TICK, event=event)
        async with record.changed:
            record.job = apply(record.job, recorded)
            record.journal.append(recorded)
            record.changed.notify_all()

    def _record(self, job_id: str) -> _Record:
        record = self._records.get(job_id)
        if record is None or not self._sees(record):
            raise NotFound(f"there is no job {job_id}")
        return record

    def _sees(self, record: _Record) -> bool:
        return record.job.spec.tenant == self.tenant.name

    def _known(self, request: Request, job_id: str) -> Submitted:
        record = self._record(job_id)
        if record.fingerprint != request.fingerprint():
            message = "the idempotency key was used with another request"
            raise IdempotencyMismatch(message, differing(record.fingerprint, request.fingerprint()), job_id)
        return Submitted(job=record.job, created=False)


def _needs_review(job: Job) -> bool:
    return isinstance(job.outcome, Completed) and job.outcome.verdict.needs_review


def _spec(request: Request) -> JobSpec:
    names = request.models or DEFAULT_MODELS
    for name in names:
        if not name.startswith("sim/"):
            raise _unknown_model("models", name)
    if request.judge is not None and not request.judge.startswith("sim/"):
        raise _unknown_model("judge", request.judge)
    turns = [Message(role=m.role, content=m.content) for m in request.messages or [] if m.role != "system"]
    answer = request.answer
    return JobSpec(
        strategy=request.strategy or StrategyName.CONSENSUS,
        calls=tuple(Call(name=name, model=name) for name in names),
        messages=tuple(turns) or (Message(role="user", content=request.prompt or ""),),
        system=request.system,
        sampling=Sampling(temperature=request.temperature, top_p=request.top_p),
        schema=request.schema_ or None,
        answer=answer if answer is None or isinstance(answer, AnswerKind) else tuple(answer),
        min_responses=request.min_responses or 1,
        settle=Confident(confident=request.settle.confident)
        if isinstance(request.settle, RequestConfident)
        else request.settle or SettleRule.ALL,
        judge=request.judge,
        timeout_s=300.0 if request.timeout is None else request.timeout / 1000,
        grace_s=None if request.grace is None else request.grace / 1000,
        deadline_at=START + timedelta(minutes=30),
        metadata=request.metadata or {},
    )


def _unknown_model(path: str, name: str) -> ServiceError:
    return BadRequest("the request is wrong", [{"path": path, "message": f"unknown model {name!r}"}])
