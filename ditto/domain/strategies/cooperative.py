"""Cooperative: one model after the other, each building on the question and all earlier answers; the last one counts.

Replies that saw each other are not independent, so there is no vote and no confidence.
"""

from __future__ import annotations

from ditto.domain import questions
from ditto.domain.events import Reply
from ditto.domain.job import Answered, Job, Running, Waiting
from ditto.domain.spec import Message
from ditto.domain.strategies.actions import Action, Ask, ending
from ditto.domain.verdict import Intent, Reading, Verdict


def next_actions(job: Job) -> tuple[Action, ...]:
    """Returns the next seat to ask, or how the job ends, or nothing while a reply is awaited."""
    for call, status in job.seats():
        if isinstance(status, Waiting):
            return (Ask(call=call.name, round=1),)
        if isinstance(status, Running):
            return ()
        if job.may_reask(status):
            return (Ask(call=call.name, round=2),)
    return (ending(job),)


def merges(job: Job) -> bool:
    """Tells whether every seat has had its turn."""
    return not job.missing()


def messages(job: Job, call: str) -> tuple[Message, ...]:
    """Returns the conversation with the earlier seats' answers, numbered, and the request to build on them."""
    earlier = _earlier(job, call)
    conversation = questions.with_earlier_answers(job.spec.messages, earlier)
    return questions.with_reask(job, call, questions.with_schema(job.spec, conversation))


def verdict(job: Job) -> Verdict:
    """Returns the last usable answer as the result.

    A reply of weight 0 is the result only where there is no other, a refusal only where there is nothing else.
    """
    usable = job.usable()
    readings = tuple(_reading(call.name, status) for call, status in usable)
    counted = {call.name for call, _ in usable if call.weight > 0} or {call.name for call, _ in usable}
    pool = [reading for reading in readings if reading.call in counted]
    chosen = ([reading for reading in pool if reading.intent is not Intent.REFUSAL] or pool)[-1].call
    reply = next(status.reply for call, status in usable if call.name == chosen)
    last = next(reading for reading in readings if reading.call == chosen)
    intents_seen = {reading.intent for reading in readings}
    return Verdict(
        result=reply.text if job.spec.schema is None else questions.value(job.spec, reply),
        summary=last.summary,
        intent=last.intent,
        confidence=None,
        needs_review=len(intents_seen) > 1,
        needs_clarification=last.intent is Intent.CLARIFICATION,
        supporting=(chosen,),
        chosen=chosen,
        readings=readings,
    )


def _earlier(job: Job, call: str) -> list[str]:
    """Returns the texts of the earlier seats; a filtered or blank reply is nothing to build on."""
    texts = []
    for seat, status in job.seats():
        if seat.name == call:
            break
        if isinstance(status, Answered) and status.reply.problem is None and _says_something(status.reply):
            texts.append(status.reply.text)
    return texts


def _says_something(reply: Reply) -> bool:
    return reply.finish != "content_filter" and bool(reply.text.strip())


def _reading(call: str, status: Answered) -> Reading:
    from ditto.domain.merging import intents, summary  # heavy, and needed when a job settles

    text, finish = status.reply.text, status.reply.finish
    return Reading(call=call, summary=summary.of(text), intent=intents.of(text, finish))
