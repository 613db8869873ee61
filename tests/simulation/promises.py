"""What must hold once a run is over: every accepted job has ended, once, with the verdict of the uncrashed run."""

from __future__ import annotations

from collections.abc import Callable

from ditto.domain import events as ev
from ditto.domain import schemas, strategies
from ditto.domain.events import Failure, Recorded, Reply
from ditto.domain.job import ENDS, Completed, Errored, Job, JobState, accepted, apply
from ditto.domain.spec import SettleRule
from ditto.domain.verdict import Verdict
from ditto.errors import IllegalMove
from ditto.runtime.orders import judge_order_id, order_id
from tests.simulation import plans
from tests.simulation.ledger import SHARED_DEATHS, Ledger
from tests.simulation.plans import Plan
from tests.simulation.poison import is_poison

_UNTIMED_MOVES = 100


def check(plan: Plan, ledger: Ledger, journals: dict[str, list[Recorded]]) -> None:
    """Reports to the ledger every promise that the journals of a finished run break."""
    for job_id in sorted(ledger.promised - journals.keys()):
        ledger.broken("an accepted job is in the journal", f"{job_id} is not")
    for job_id, records in journals.items():
        try:
            job = _check_steps(plan.seed, ledger, job_id, records)
        except IllegalMove as error:
            ledger.broken("journals fold", f"{job_id}: {error}")
            continue
        ends = sum(type(record.event) in ENDS for record in records)
        if ends != 1 + job.retries or not job.state.ended:
            ledger.broken("every accepted job ends once", f"{job_id} is {job.state}, and has {ends} ends")
            continue
        _check_undisturbed(plan.seed, ledger, job, records)
    if plan.calm and (ledger.counts["adoptions"] or ledger.counts["in flight repeated"]):
        ledger.broken("a calm run needs no recovery", f"{ledger.counts['adoptions']} jobs were adopted")


def _check_steps(seed: int, ledger: Ledger, job_id: str, records: list[Recorded]) -> Job:
    """Folds a journal and returns its job.

    Each reply is what that model said to that order of that job, each verdict what the replies before it come to.
    """
    job = accepted(job_id, records[0])
    tag = str(job.spec.metadata["tag"])
    for record in records[1:]:
        match record.event:
            case ev.CallCompleted(call=call, round=round_, reply=reply):
                said = plans.answering(seed, tag, call, order_id(job, call, round_)).result
                if not isinstance(said, Reply) or said.text != reply.text:
                    ledger.broken("replies stay with their calls", f"{job_id} has {reply.text!r} of {call}")
            case ev.JudgeCompleted(reply=reply):
                said = plans.answering(seed, tag, plans.JUDGE, judge_order_id(job)).result
                if not isinstance(said, Reply) or said.text != reply.text:
                    ledger.broken("replies stay with their calls", f"{job_id} has {reply.text!r} of its judge")
            case ev.JobCompleted(verdict=verdict) if merged(job) != verdict:
                ledger.broken("the verdict is that of its replies", f"{job_id} has another one")
        job = apply(job, record)
    return job


def _check_undisturbed(seed: int, ledger: Ledger, job: Job, records: list[Recorded]) -> None:
    """Where no timer had a say, the job ended as it would have on machines that never fail."""
    if job.spec.settle is not SettleRule.ALL or any(_timed(record.event) for record in records):
        ledger.counts["ended by a timer or a cancel"] += 1
        return
    if _crash_loop(job):
        ledger.counts["crash loops" if is_poison(job) else "crash loops of the innocent"] += 1
        return
    expected = uncrashed(seed, job)
    if is_poison(job) and expected.state is JobState.COMPLETE:
        if not job.retries:
            ledger.broken("poison ends as a crash loop", f"{job.id} ended as {job.outcome}")
    elif (expected.state, expected.outcome) != (job.state, _without_times(job)):
        ledger.broken("the verdict is the uncrashed run's", f"{job.id} ended as {job.state}, not {expected.state}")


def _crash_loop(job: Job) -> bool:
    """Tells whether a job was given up because whoever took it up died, again and again, of it or beside it."""
    return isinstance(job.outcome, Errored) and job.outcome.type == "CrashLoop" and job.adoptions > SHARED_DEATHS


def _timed(event: ev.Event) -> bool:
    match event:
        case ev.GracePassed() | ev.DeadlinePassed() | ev.JobCancelled():
            return True
        case ev.CallFailed(failure=failure) | ev.JudgeFailed(failure=failure):
            return failure.type == "Timeout"
        case _:
            return False


def _without_times(job: Job) -> object:
    match job.outcome:
        case Completed(verdict=verdict):
            return Completed(verdict=verdict, merge_s=0.0)
        case outcome:
            return outcome


def uncrashed(seed: int, job: Job) -> Job:
    """Returns the job as it ends when its models are asked one after the other and nothing ever fails.

    It is retried as often as the given one was.
    """
    tag = str(job.spec.metadata["tag"])
    now = begun = accepted(job.id, Recorded(seq=1, at=job.accepted_at, event=ev.JobAccepted(spec=job.spec, holder="")))

    def add(event: ev.Event) -> None:
        nonlocal now
        now = apply(now, Recorded(seq=now.seq + 1, at=begun.accepted_at, event=event))

    for _ in range(_UNTIMED_MOVES):
        for action in strategies.next_actions(now):
            match action:
                case strategies.Ask(call=call, round=round_):
                    add(ev.CallStarted(call=call, round=round_, caller=""))
                    _answer(now, call, round_, plans.answering(seed, tag, call, order_id(now, call, round_)), add)
                case strategies.AskJudge(order=order):
                    add(ev.JudgeStarted(caller="", order=order))
                    _judge(now, plans.answering(seed, tag, plans.JUDGE, judge_order_id(now)), add)
                case strategies.Drop():
                    raise AssertionError(f"job {job.id} settles early")
                case strategies.Settle():
                    add(ev.JobCompleted(verdict=merged(now), merge_s=0.0))
                case strategies.Fail(type=type_, message=message):
                    add(ev.JobFailed(type=type_, message=message))
        if now.state.ended and now.retries == job.retries:
            return now
        if now.state.ended:
            add(ev.JobRetried(holder="", epoch=0, deadline_at=job.spec.deadline_at))
    raise AssertionError(f"job {job.id} does not end")


def _answer(job: Job, call: str, round_: int, answering: plans.Answering, add: Callable[[ev.Event], None]) -> None:
    match answering.result:
        case Reply() as reply:
            problem = None if job.spec.schema is None else schemas.problem(reply.text, job.spec.schema)
            told = Reply(text=reply.text, finish=reply.finish, problem=problem)
            add(ev.CallCompleted(call=call, round=round_, reply=told))
        case Failure() as failure:
            add(ev.CallFailed(call=call, round=round_, failure=failure))


def _judge(job: Job, answering: plans.Answering, add: Callable[[ev.Event], None]) -> None:
    match answering.result:
        case Reply() as reply:
            add(ev.JudgeCompleted(reply=Reply(text=reply.text, finish=reply.finish)))
        case Failure() as failure:
            add(ev.JudgeFailed(failure=failure))


def merged(job: Job) -> Verdict:
    """Returns what the replies of a job come to, as a journal gives it back; the same replies are merged but once."""
    spec = job.spec
    replies = tuple((call.name, status.reply.text, status.reply.finish) for call, status in job.usable())
    kind = (spec.strategy, spec.schema is None, spec.answer, spec.judge, job.cut)
    asked = (kind, tuple(call.name for call in spec.calls), replies, repr(job.judge))
    if asked not in _MERGED:
        event = ev.decode(ev.encode(ev.JobCompleted(verdict=strategies.verdict(job), merge_s=0.0)))
        assert isinstance(event, ev.JobCompleted)
        _MERGED[asked] = event.verdict
    return _MERGED[asked]


_MERGED: dict[object, Verdict] = {}
