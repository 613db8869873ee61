"""What an OpenAI client reads of a job: one text, how it ended, the tokens, and the job itself as `ditto`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from ditto.domain import schemas, view
from ditto.domain.events import CallCompleted, Recorded, Reply
from ditto.domain.job import Answered, Completed, Job
from ditto.domain.spec import JSON

Finish = Literal["stop", "length", "content_filter"]
_PIECE_CHARS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A reply to show: its text, and how it ended."""

    text: str
    finish: Finish


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """The first whole reply of a panel, by call, as it is shown before the others have answered."""

    call: str
    value: JSON
    said: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Those of all calls of a job together."""

    input: int
    output: int


def merged(job: Job) -> Said:
    """Returns the result of a complete job; a typed one is written as JSON."""
    assert isinstance(job.outcome, Completed)
    verdict = job.outcome.verdict
    status = None if verdict.chosen is None else job.calls[verdict.chosen]
    finish = _finish(status.reply) if isinstance(status, Answered) else "stop"
    return Said(text=_written(verdict.result), finish=finish)


def first_of(recorded: Recorded, schema: dict[str, Any] | None) -> First | None:
    """Returns the reply that this event brings, None where it brings none that can be used."""
    event = recorded.event
    if not isinstance(event, CallCompleted) or event.reply.problem is not None:
        return None
    value = event.reply.text if schema is None else schemas.read(event.reply.text, schema)
    return First(call=event.call, value=value, said=Said(text=_written(value), finish=_finish(event.reply)))


def agreed(job: Job, first: First) -> bool | None:
    """Returns whether the panel's answer is what its first reply says, None where nothing was compared."""
    assert isinstance(job.outcome, Completed)
    verdict = job.outcome.verdict
    if job.spec.schema is not None:
        return bool(first.value == verdict.result)
    if verdict.agreement is None and verdict.judgement is None:
        return None
    return first.call in verdict.supporting


def tokens(job: Job) -> Tokens | None:
    """Returns what the providers have counted, None where they have not."""
    usage = view.render(job)["usage"]
    if usage["inputTokens"] is None or usage["outputTokens"] is None:
        return None
    return Tokens(input=usage["inputTokens"], output=usage["outputTokens"])


def own(job: Job, first: First | None = None) -> dict[str, Any]:
    """Returns the object `ditto`: the job as `GET /jobs/{id}` shows it, and what of it was streamed early."""
    shown = view.render(job)
    if first is None:
        return shown
    return {**shown, "streamed": {"model": first.call, "agreed": agreed(job, first)}}


def pieces(text: str) -> Iterable[str]:
    """Yields a text piece by piece, none of them long."""
    for begin in range(0, len(text), _PIECE_CHARS):
        yield text[begin : begin + _PIECE_CHARS]


def _written(value: JSON) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)


def _finish(reply: Reply) -> Finish:
    match reply.finish:
        case "length":
            return "length"
        case "content_filter":
            return "content_filter"
        case _:
            return "stop"
