"""`POST /v1/responses`: a job as a response, whole or event by event."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ditto.domain.job import Job
from ditto.domain.spec import JSON
from ditto.errors import ServiceError
from ditto.http.openai import reply
from ditto.http.openai.errors import openai_error
from ditto.http.openai.reply import First, Said
from ditto.http.openai.responses_request import ResponsesRequest
from ditto.http.openai.telling import event

PATH = "/v1/responses"
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


def response(job: Job, asked: ResponsesRequest) -> dict[str, Any]:
    """Returns a complete job as a response."""
    return _ended(job, asked, reply.merged(job), None)


class Events:
    """The answer event by event; `ditto` comes with the last one."""

    def __init__(self, asked: ResponsesRequest) -> None:
        self._asked = asked
        self._number = 0

    def begin(self, job: Job) -> Iterable[bytes]:
        """Yields what comes before the reply's text."""
        begun = _head(job, self._asked, "in_progress")
        item = {"type": "message", "id": _message_id(job), "status": "in_progress", "role": "assistant", "content": []}
        yield self._event("response.created", response=begun)
        yield self._event("response.in_progress", response=begun)
        yield self._event("response.output_item.added", output_index=0, item=item)
        yield self._event("response.content_part.added", **_place(job), part=_part(""))

    def piece(self, job: Job, text: str) -> Iterable[bytes]:
        """Yields some of its text."""
        for piece in reply.pieces(text):
            yield self._event("response.output_text.delta", **_place(job), delta=piece, logprobs=[])

    def done(self, job: Job, said: Said) -> Iterable[bytes]:
        """Yields the whole text, which the contract has once more."""
        yield self._event("response.output_text.done", **_place(job), text=said.text, logprobs=[])
        yield self._event("response.content_part.done", **_place(job), part=_part(said.text))
        yield self._event("response.output_item.done", output_index=0, item=_message(job, said))

    def end(self, job: Job, said: Said, first: First | None) -> Iterable[bytes]:
        """Yields what comes after the reply."""
        ended = _ended(job, self._asked, said, first)
        yield self._event(f"response.{ended['status']}", response=ended)

    def failure(self, job: Job | None, error: ServiceError) -> Iterable[bytes]:
        """Yields what went wrong after the stream had begun."""
        told = openai_error(error, PATH)["error"]
        if job is None:
            yield self._event("error", code=told["code"], message=told["message"], param=told["param"])
            return
        failed = {
            **_head(job, self._asked, "failed"),
            "error": {"code": "server_error", "message": told["message"]},
            "ditto": told["ditto"],
        }
        yield self._event("response.failed", response=failed)

    def _event(self, kind: str, **fields: JSON) -> bytes:
        told = event({"type": kind, "sequence_number": self._number, **fields}, kind)
        self._number += 1
        return told


def _ended(job: Job, asked: ResponsesRequest, said: Said, first: First | None) -> dict[str, Any]:
    why = _INCOMPLETE.get(said.finish)
    return {
        **_head(job, asked, "completed" if why is None else "incomplete"),
        "completed_at": None if job.ended_at is None or why is not None else int(job.ended_at.timestamp()),
        "incomplete_details": None if why is None else {"reason": why},
        "output": [_message(job, said)],
        "usage": _usage(job),
        "ditto": reply.own(job, first),
    }


def _head(job: Job, asked: ResponsesRequest, status: str) -> dict[str, Any]:
    """Returns a response before its end: what it is, and what was asked of it."""
    form = None if asked.text is None else asked.text.format
    return {
        "id": f"resp_{job.id}",
        "object": "response",
        "created_at": int(job.accepted_at.timestamp()),
        "status": status,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "instructions": asked.instructions,
        "max_output_tokens": asked.max_output_tokens,
        "model": asked.model,
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": None,
        "store": False,
        "temperature": asked.temperature,
        "text": {"format": {"type": "text"} if form is None else form.model_dump(by_alias=True, exclude_none=True)},
        "tool_choice": "auto",
        "tools": [],
        "top_p": asked.top_p,
        "truncation": "disabled",
        "usage": None,
        "user": asked.user,
        "metadata": asked.metadata or {},
    }


def _message(job: Job, said: Said) -> dict[str, Any]:
    return {
        "type": "message",
        "id": _message_id(job),
        "status": "incomplete" if said.finish in _INCOMPLETE else "completed",
        "role": "assistant",
        "content": [_part(said.text)],
    }


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _place(job: Job) -> dict[str, Any]:
    return {"item_id": _message_id(job), "output_index": 0, "content_index": 0}


def _message_id(job: Job) -> str:
    return f"msg_{job.id}"


def _usage(job: Job) -> dict[str, Any] | None:
    """Returns the tokens. The contract wants cached and reasoning tokens apart; Ditto does not count them: 0."""
    used = reply.tokens(job)
    if used is None:
        return None
    return {
        "input_tokens": used.input,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": used.output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": used.input + used.output,
    }
