"""Consensus: all models get the same question at the same time, and their answers are put to the vote."""

from __future__ import annotations

from ditto.domain import merging, questions
from ditto.domain.job import Job, Running, Waiting
from ditto.domain.spec import Message
from ditto.domain.strategies.actions import Action, Ask, ending
from ditto.domain.verdict import Ballot, Verdict


def next_actions(job: Job) -> tuple[Action, ...]:
    """Returns the seats to ask now, or how the job ends, or nothing while replies are awaited."""
    asks: list[Action] = []
    awaited = False
    for call, status in job.seats():
        if isinstance(status, Waiting):
            asks.append(Ask(call=call.name, round=1))
        elif job.may_reask(status):
            asks.append(Ask(call=call.name, round=2))
        awaited = awaited or isinstance(status, Running)
    if asks or awaited:
        return tuple(asks)
    return (ending(job),)


def messages(job: Job, call: str) -> tuple[Message, ...]:
    """Returns the conversation, and after a reply that missed the schema that reply and what is wrong with it."""
    return questions.with_reask(job, call, questions.with_schema(job.spec, job.spec.messages))


def verdict(job: Job) -> Verdict:
    """Returns the vote over the usable replies; the order in which they came does not matter."""
    spec = job.spec
    ballots = [
        Ballot(
            call=call.name,
            model=call.model,
            text=status.reply.text,
            value=questions.value(spec, status.reply),
            weight=call.weight,
            finish=status.reply.finish,
        )
        for call, status in job.usable()
    ]
    return merging.merge(
        spec.question, ballots, schema=spec.schema, answer=spec.answer, review_threshold=spec.review_threshold
    )
