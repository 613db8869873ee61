"""A new verdict from the replies that a job has: other weights, another schema, another kind of answer, newer skills.

No model is asked again, and the job's own verdict stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ditto.domain import schemas, strategies
from ditto.domain.events import FeedbackGiven, Reply
from ditto.domain.job import Answered, CallStatus, Job, Unjudged
from ditto.domain.request import parse
from ditto.domain.skills.sheet import NOTHING, Skills
from ditto.domain.spec import JSON, AnswerKind
from ditto.domain.verdict import Verdict
from ditto.errors import BadRequest, Conflict

_FIELDS = ("weights", "schema", "answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remerge:
    """How a job's replies are to be merged anew; None: as the job has it.

    Attributes:
        weights: By the model's base name; one that is not named counts 1.
        schema: `{}`: text.
    """

    weights: dict[str, float] | None = None
    schema: dict[str, Any] | None = None
    answer: AnswerKind | tuple[str, ...] | None = None


def parse_remerge(body: JSON) -> Remerge:
    """Returns what decoded JSON asks for; the fields are those of a request.

    Raises:
        BadRequest: `details` lists every wrong field with its path.
    """
    _known(body, _FIELDS)
    request = parse({"prompt": "-", **body})  # so that the fields are checked as a request's are
    answer = request.answer
    return Remerge(
        weights=None if request.weights is None else dict(request.weights),
        schema=request.schema_,
        answer=tuple(answer) if isinstance(answer, list) else answer,
    )


def parse_feedback(body: JSON) -> FeedbackGiven:
    """Returns what decoded JSON says of a result: `{"correct": true}`, `{"correct": false}` or `{"answer": ...}`.

    Raises:
        BadRequest: It is none of these.
    """
    _known(body, ("correct", "answer"))
    correct, answer = body.get("correct"), body.get("answer")
    if (correct is None) == (answer is None) or not isinstance(correct, bool | None):
        message = "give either correct, true or false, or the right answer"
        raise BadRequest("the request is wrong", [{"path": "correct", "message": message}])
    return FeedbackGiven(correct=correct, answer=answer)


def remerged(job: Job, wanted: Remerge, skills: Skills = NOTHING) -> Verdict:
    """Returns the verdict over a complete job's replies, by the newest skills.

    Raises:
        BadRequest: A weight names no model of the job.
        Conflict: No reply satisfies the schema.
    """
    sheet = skills.sheet(call.model for call in job.spec.calls)
    changed = _changed(job, wanted)
    if sheet.skills or sheet.families:
        changed = replace(changed, spec=replace(changed.spec, skills=sheet))
    if not changed.usable():
        raise Conflict(f"no reply of job {job.id} satisfies this schema", None, job.id)
    return strategies.verdict(changed)


def _changed(job: Job, wanted: Remerge) -> Job:
    """Returns the job as if it had been asked so, and without a judge: its word was on another vote."""
    spec = replace(job.spec, judge=None)
    names = {call.model for call in spec.calls}
    wrong = [
        {"path": f"weights.{name}", "message": f"the job has asked no such model; it has asked {', '.join(names)}"}
        for name in wanted.weights or {}
        if name not in names
    ]
    if wrong:
        raise BadRequest("the request is wrong", wrong)
    if wanted.weights is not None:
        weights = wanted.weights
        spec = replace(spec, calls=tuple(replace(call, weight=weights.get(call.model, 1.0)) for call in spec.calls))
    if wanted.answer is not None:
        spec = replace(spec, answer=wanted.answer)
    calls: Mapping[str, CallStatus] = job.calls
    if wanted.schema is not None:
        schema = wanted.schema or None
        spec = replace(spec, schema=schema)
        calls = {name: _reread(status, schema) for name, status in job.calls.items()}
    return replace(job, spec=spec, calls=calls, judge=Unjudged())


def _reread(status: CallStatus, schema: dict[str, Any] | None) -> CallStatus:
    if not isinstance(status, Answered):
        return status
    return replace(status, reply=replace(status.reply, problem=_problem(status.reply, schema)))


def _problem(reply: Reply, schema: dict[str, Any] | None) -> str | None:
    if schema is None or reply.finish == "content_filter":
        return None
    return schemas.problem(reply.text, schema)


def _known(body: JSON, fields: tuple[str, ...]) -> None:
    if not isinstance(body, Mapping):
        raise BadRequest("the request is wrong", [{"path": "", "message": "must be a JSON object"}])
    unknown = [{"path": str(name), "message": "unknown field"} for name in body if name not in fields]
    if unknown:
        raise BadRequest("the request is wrong", unknown)
