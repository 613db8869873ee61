"""Consensus: all models get the same question at the same time, and their answers are put to the vote.

A job that waits for all settles when no call is open. By another rule it settles as soon as the rule is satisfied:
the open calls are dropped, and what has come is merged. After that a judge may be asked, if the request names one.
"""

from __future__ import annotations

from ditto.domain import questions
from ditto.domain.job import Job, Running, Waiting
from ditto.domain.spec import Confident, Message, SettleRule
from ditto.domain.strategies import judging
from ditto.domain.strategies.actions import Action, Ask, Drop, Settle, ending
from ditto.domain.verdict import Ballot, Verdict


def next_actions(job: Job) -> tuple[Action, ...]:
    """Returns the seats to ask now, or how the job ends, or nothing while replies are awaited."""
    open_calls = job.missing()
    if not open_calls:
        return (_ended(job),) if job.judging() is None else ()
    satisfied = _satisfied(job)
    if satisfied is None:
        return _asks(job)
    return (*_drops(job, satisfied), _ended(job))


def merges(job: Job) -> bool:
    """Tells whether `next_actions` will compare replies, which takes its time in a large panel."""
    if job.missing():
        return job.spec.settle is not SettleRule.ALL and len(job.usable()) >= job.spec.min_responses
    return job.judging() is None


def messages(job: Job, call: str) -> tuple[Message, ...]:
    """Returns the conversation, and after a reply that missed the schema that reply and what is wrong with it."""
    return questions.with_reask(job, call, questions.with_schema(job.spec, job.spec.messages))


def verdict(job: Job) -> Verdict:
    """Returns what the panel and its judge come to; the order in which the replies came does not matter."""
    return judging.applied(job, _vote(job))


def _vote(job: Job) -> Verdict:
    from ditto.domain import merging  # heavy, and needed when replies are compared

    spec = job.spec
    return merging.merge(
        spec.question,
        _ballots(job),
        schema=spec.schema,
        answer=spec.answer,
        review_threshold=spec.review_threshold,
        skills=spec.skills,
        calibration=spec.calibration,
    )


def _ballots(job: Job) -> list[Ballot]:
    """Returns the usable replies; those that are the same to the letter have one value between them."""
    usable = job.usable()
    replies = {(status.reply.text, status.reply.finish): status.reply for _, status in usable}
    values = {said: questions.value(job.spec, reply) for said, reply in replies.items()}
    return [
        Ballot(
            call=call.name,
            model=call.model,
            text=status.reply.text,
            value=values[status.reply.text, status.reply.finish],
            weight=call.weight,
            finish=status.reply.finish,
        )
        for call, status in usable
    ]


def _asks(job: Job) -> tuple[Action, ...]:
    asks: list[Action] = []
    for call, status in job.seats():
        if isinstance(status, Waiting):
            asks.append(Ask(call=call.name, round=1))
        elif job.may_reask(status):
            asks.append(Ask(call=call.name, round=2))
    return tuple(asks)


def _satisfied(job: Job) -> str | None:
    """Returns why the open calls need not be waited for, None where they must be."""
    spec = job.spec
    if spec.settle is SettleRule.ALL or len(job.usable()) < spec.min_responses:
        return None
    from ditto.domain.strategies import settling  # likewise

    if isinstance(spec.settle, Confident):
        answered, wanted = len(job.usable()), spec.settle.confident
        enough = settling.confident(_vote(job), answered, wanted, spec.min_responses)
        return f"the confidence had reached {wanted:g}" if enough else None
    decided = settling.decided(
        spec.question,
        _ballots(job),
        job.missing(),
        schema=spec.schema,
        answer=spec.answer,
        review_threshold=spec.review_threshold,
        min_responses=spec.min_responses,
        skills=spec.skills,
    )
    return "the answer was decided" if decided else None


def _drops(job: Job, why: str) -> tuple[Action, ...]:
    """A reply that missed the schema is simply not asked for again."""
    return tuple(Drop(call=call.name, why=why) for call, status in job.seats() if isinstance(status, Waiting | Running))


def _ended(job: Job) -> Action:
    """Returns what follows when no reply is awaited any more."""
    end = ending(job)
    if not isinstance(end, Settle) or job.spec.judge is None:
        return end
    return judging.asked(job, _vote(job)) or end
