"""What models are told: the conversation, the schema to fill, earlier answers to build on, and what was wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ditto.domain import schemas
from ditto.domain.events import Reply
from ditto.domain.job import Job, Running
from ditto.domain.spec import JSON, JobSpec, Message

_FILL = (
    "Answer with one JSON value that satisfies the JSON Schema below, and with nothing else: "
    "no explanation, no code fence.\nJSON Schema: {schema}"
)
_BUILD = (
    "{question}\n\nOther assistants have already answered this:\n\n{answers}\n\n"
    "Build on these answers: keep what is right, mend what is wrong, add what is missing, "
    "and give the complete answer to the question yourself."
)
_MEND = "That does not satisfy the JSON Schema: {problem}\nAnswer again with the corrected JSON value alone."


def with_schema(spec: JobSpec, messages: Sequence[Message]) -> tuple[Message, ...]:
    """Returns the conversation, its last message asking for JSON by the request's schema if it has one."""
    if spec.schema is None:
        return tuple(messages)
    wanted = json.dumps(schemas.wrap(spec.schema), ensure_ascii=False, separators=(",", ":"))
    last = messages[-1]
    asked = f"{last.content}\n\n{_FILL.format(schema=wanted)}"
    return (*messages[:-1], Message(role=last.role, content=asked))


def value(spec: JobSpec, reply: Reply) -> JSON:
    """Returns the value that a usable reply gives for the request's schema, None for text and filtered replies."""
    if spec.schema is None or reply.finish == "content_filter":
        return None
    return schemas.read(reply.text, spec.schema)


def with_earlier_answers(messages: Sequence[Message], answers: Sequence[str]) -> tuple[Message, ...]:
    """Returns the conversation, its last message listing the answers so far, numbered from 1."""
    if not answers:
        return tuple(messages)
    listed = "\n\n".join(f"[{number}] {answer}" for number, answer in enumerate(answers, start=1))
    last = messages[-1]
    return (*messages[:-1], Message(role=last.role, content=_BUILD.format(question=last.content, answers=listed)))


def with_reask(job: Job, call: str, messages: Sequence[Message]) -> tuple[Message, ...]:
    """Returns the conversation, followed by the reply that missed the schema and the validator's words, if so."""
    status = job.calls[call]
    if not isinstance(status, Running) or status.round == 1 or not status.earlier:
        return tuple(messages)
    missed = status.earlier[-1]
    return (
        *messages,
        Message(role="assistant", content=missed.text),
        Message(role="user", content=_MEND.format(problem=missed.problem)),
    )
