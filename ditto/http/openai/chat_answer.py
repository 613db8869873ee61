"""`POST /v1/chat/completions`: a job as a chat completion, whole or chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ditto.domain.job import Job
from ditto.domain.spec import JSON
from ditto.errors import ServiceError
from ditto.http.openai import reply
from ditto.http.openai.errors import openai_error
from ditto.http.openai.reply import First, Said
from ditto.http.openai.telling import event

PATH = "/v1/chat/completions"
_DONE = b"data: [DONE]\n\n"


def completion(job: Job, model: str) -> dict[str, Any]:
    """Returns a complete job as a chat completion.

    Args:
        model: As the client called it.
    """
    said = reply.merged(job)
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": said.text, "refusal": None},
        "logprobs": None,
        "finish_reason": said.finish,
    }
    return {**_head("chat.completion", job, model), "choices": [choice], "usage": _usage(job), "ditto": reply.own(job)}


class Chunks:
    """The answer chunk by chunk; `ditto` comes with the chunk that says how it ended.

    Args:
        usage: Whether the tokens are told in a last chunk of their own, as `stream_options.include_usage` asks.
    """

    def __init__(self, model: str, *, usage: bool) -> None:
        self._model = model
        self._usage = usage

    def begin(self, job: Job) -> Iterable[bytes]:
        """Yields what comes before the reply's text."""
        yield self._chunk(job, {"role": "assistant", "content": "", "refusal": None}, None)

    def piece(self, job: Job, text: str) -> Iterable[bytes]:
        """Yields some of its text."""
        for piece in reply.pieces(text):
            yield self._chunk(job, {"content": piece}, None)

    def done(self, job: Job, said: Said) -> Iterable[bytes]:
        """Returns nothing: the end says that the text was all."""
        return ()

    def end(self, job: Job, said: Said, first: First | None) -> Iterable[bytes]:
        """Yields what comes after the reply."""
        yield self._chunk(job, {}, said.finish, ditto=reply.own(job, first))
        if self._usage:
            yield event({**self._of(job), "choices": [], "usage": _usage(job)})
        yield _DONE

    def failure(self, job: Job | None, error: ServiceError) -> Iterable[bytes]:
        """Yields what went wrong after the stream had begun."""
        yield event(openai_error(error, PATH))

    def _chunk(self, job: Job, delta: dict[str, Any], finish: str | None, **more: JSON) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        usage = {"usage": None} if self._usage else {}
        return event({**self._of(job), "choices": [choice], **usage, **more})

    def _of(self, job: Job) -> dict[str, Any]:
        return _head("chat.completion.chunk", job, self._model)


def _head(kind: str, job: Job, model: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{job.id}", "object": kind, "created": int(job.accepted_at.timestamp()), "model": model}


def _usage(job: Job) -> dict[str, int] | None:
    used = reply.tokens(job)
    if used is None:
        return None
    return {
        "prompt_tokens": used.input,
        "completion_tokens": used.output,
        "total_tokens": used.input + used.output,
    }
