"""The judge: when it is asked, in which order it sees the replies, and what its word makes of the vote.

It is asked once, after all calls have ended, where the vote cannot decide: over open prose, at a tie, or where the
winner is less sure than the review threshold. Refusals and replies that were cut off are not shown to it. Where it
names a reply, that reply is the result; the vote stays readable in `readings`, `dissent` and `fields`. Where it fails,
or names none, the vote stands, and a warning says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b

from ditto.domain import questions
from ditto.domain.events import Cut, Reply
from ditto.domain.job import Answered, Failed, Job, Judged, Unjudged
from ditto.domain.spec import JSON, Message
from ditto.domain.strategies import briefing
from ditto.domain.strategies.actions import AskJudge
from ditto.domain.verdict import BasisKind, Dissent, FieldVerdict, Intent, Judgement, Verdict

_FEWEST = 2
_ABSENT = object()


def asked(job: Job, vote: Verdict) -> AskJudge | None:
    """Returns that the judge is to be asked, None where it is not needed, was asked already, or no time is left."""
    if not isinstance(job.judge, Unjudged) or job.cut is Cut.DEADLINE or not _needed(job, vote):
        return None
    return AskJudge(order=_order(job, _candidates(job, vote)))


def messages(job: Job) -> tuple[Message, ...]:
    """Returns what the judge of this job, who has been asked, is told."""
    assert isinstance(job.judge, Judged)
    typed = job.spec.schema is not None
    replies = [_reply_of(job, call) for call in job.judge.order]
    shown = [briefing.shown(reply, questions.value(job.spec, reply), typed=typed) for reply in replies]
    return briefing.messages(job.id, job.spec, shown)


def applied(job: Job, vote: Verdict) -> Verdict:
    """Returns the verdict of a job that has a judge: the judge's choice, or the vote where it has made none."""
    match job.judge:
        case Unjudged() if job.cut is Cut.DEADLINE and _needed(job, vote):
            return _stands(vote, f"the judge {job.spec.judge} was not asked: the deadline left no time")
        case Judged(call=Failed(failure=failure)):
            return _stands(vote, f"the judge {job.spec.judge} failed: {failure.type}: {failure.message}")
        case Judged(call=Answered(reply=reply), order=order):
            word = briefing.word(reply, len(order))
            if word is None:
                return _stands(vote, f"the judge {job.spec.judge} named none of the replies")
            judgement = Judgement(
                model=str(job.spec.judge),
                chosen=order[word.best - 1],
                reason=word.reason,
                confidence=word.confidence,
                order=order,
            )
            return _decided(job, vote, judgement)
        case _:
            return vote


def _needed(job: Job, vote: Verdict) -> bool:
    return job.spec.judge is not None and _undecided(job, vote) and len(_candidates(job, vote)) >= _FEWEST


def _undecided(job: Job, vote: Verdict) -> bool:
    """Tells whether the vote leaves the answer open; where nobody answers there is nothing to judge."""
    if vote.intent is not Intent.ANSWER:
        return False
    if vote.agreement is None:
        return True
    if vote.confidence is None:
        return _tied(job, vote)
    rivals = [
        reading.confidence
        for reading in vote.readings
        if reading.call not in vote.supporting and reading.confidence is not None
    ]
    tied = any(rival > vote.confidence or math.isclose(rival, vote.confidence) for rival in rivals)
    return tied or vote.confidence < job.spec.review_threshold


def _tied(job: Job, vote: Verdict) -> bool:
    weights = {call.name: call.weight for call in job.spec.calls}
    lead = math.fsum(weights[call] for call in vote.supporting)
    others = [math.fsum(weights[call] for call in dissent.models) for dissent in vote.dissent]
    return any(other > lead or math.isclose(other, lead) for other in others)


def _candidates(job: Job, vote: Verdict) -> list[str]:
    """Returns the calls whose replies the judge is shown, in the panel's order."""
    found = []
    for (call, status), reading in zip(job.usable(), vote.readings, strict=True):
        speaks = reading.intent not in (Intent.REFUSAL, Intent.UNKNOWN)
        whole = status.reply.finish not in ("length", "content_filter") and bool(status.reply.text.strip())
        fits = job.spec.schema is None or reading.abstained is None
        if call.weight > 0 and speaks and whole and fits:
            found.append(call.name)
    return found


def _order(job: Job, calls: Sequence[str]) -> tuple[str, ...]:
    """Returns the calls shuffled: by a hash, so that the same job shows them in the same order again."""

    def drawn(call: str) -> bytes:
        return blake2b(f"{job.id}\0{job.retries}\0{call}".encode()).digest()

    return tuple(sorted(calls, key=drawn))


def _stands(vote: Verdict, why: str) -> Verdict:
    return replace(vote, warnings=(*vote.warnings, f"{why}; the vote stands"))


def _decided(job: Job, vote: Verdict, judgement: Judgement) -> Verdict:
    reading = next(each for each in vote.readings if each.call == judgement.chosen)
    reply = _reply_of(job, judgement.chosen)
    result = reply.text if job.spec.schema is None else questions.value(job.spec, reply)
    composite = job.spec.schema is not None and isinstance(result, dict | list)
    groups = _groups(vote, composite)
    own = next((group for group in groups if judgement.chosen in group.models), None)
    return replace(
        vote,
        result=result,
        summary=reading.summary,
        intent=reading.intent,
        confidence=judgement.confidence,
        needs_review=_review(job, vote, judgement.confidence),
        supporting=(judgement.chosen,) if own is None else own.models,
        answer=None if composite else reading.answer if own is None else own.answer,
        chosen=judgement.chosen,
        agreement=None if own is None else own.share,
        basis=replace(vote.basis, kind=BasisKind.JUDGE),
        dissent=tuple(group for group in groups if group is not own),
        fields={
            pointer: field
            for pointer, voted in vote.fields.items()
            if (field := _field(voted, _at(vote.result, pointer), _at(result, pointer))) is not None
        },
        judgement=judgement,
    )


def _groups(vote: Verdict, composite: bool) -> list[Dissent]:
    """Returns every answer of the vote, the winner's first."""
    if vote.agreement is None or not vote.supporting:
        return list(vote.dissent)
    answer = vote.result if composite else vote.answer
    return [Dissent(answer=answer, models=vote.supporting, share=vote.agreement), *vote.dissent]


def _review(job: Job, vote: Verdict, confidence: float | None) -> bool:
    if confidence is not None:
        return confidence < job.spec.review_threshold
    counted = {call.name for call in job.spec.calls if call.weight > 0}
    return len({reading.intent for reading in vote.readings if reading.call in counted}) > 1


def _field(voted: FieldVerdict, before: JSON, now: JSON) -> FieldVerdict | None:
    """Returns the vote on one field as it stands for the judge's object, None where nobody voted on what it holds."""
    if now is _ABSENT:
        return None
    if now == before:
        return voted
    own = next((dissent for dissent in voted.dissent if dissent.answer == now), None)
    if own is None:
        return None
    votes = len(voted.supporting) + sum(len(dissent.models) for dissent in voted.dissent)
    answer = None if before is _ABSENT else before
    lost = Dissent(answer=answer, models=voted.supporting, share=len(voted.supporting) / votes)
    others = tuple(dissent for dissent in voted.dissent if dissent is not own)
    return FieldVerdict(confidence=None, supporting=own.models, dissent=(lost, *others))


def _at(value: JSON, pointer: str) -> JSON:
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return _ABSENT
    return value


def _reply_of(job: Job, call: str) -> Reply:
    status = job.calls[call]
    assert isinstance(status, Answered)
    return status.reply
