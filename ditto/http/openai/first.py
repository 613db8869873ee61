"""The first reply of a panel while it is written: the model whose text comes first is the one that is shown.

What has been shown cannot be taken back in OpenAI's contract. Where that model fails after all, or begins its reply
anew with other words, the stream ends with an error that names the job, and the job goes on. With a schema a reply is
shown once it is whole and known to satisfy it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from ditto.domain.events import CallCompleted, CallFailed, Recorded
from ditto.domain.job import Job
from ditto.domain.live import CallDelta, CallRetried, Live
from ditto.errors import JobError
from ditto.http.openai import reply
from ditto.http.openai.reply import First


async def first_reply(events: AsyncIterator[Recorded | Live], job: Job) -> AsyncGenerator[str | First, None]:
    """Yields the first reply's text piece by piece, and at its end the reply; nothing where there is none.

    Raises:
        JobError: What was shown is not how the reply goes on.
    """
    showing = _Showing(job)
    async for told in events:
        if isinstance(told, Live):
            piece = showing.delta(told.event) if isinstance(told.event, CallDelta) else showing.other(told.event)
            if piece:
                yield piece
        elif (first := showing.ended(told)) is not None:
            piece = showing.rest(first.said.text)
            if piece:
                yield piece
            yield first
            return


class _Showing:
    """What has been shown of which call, and what is known of its text."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._whole_only = job.spec.schema is not None
        self._call: str | None = None
        self._shown = ""
        self._known = ""

    def delta(self, delta: CallDelta) -> str:
        """Returns what this piece adds to what is shown."""
        if self._whole_only or self._call not in (None, delta.call) or not (delta.text or self._call):
            return ""
        self._call = delta.call
        self._known = self._known[: delta.start] + delta.text
        return self._added(self._known)

    def other(self, event: object) -> str:
        """Forgets what is known where the call begins anew; it may come to the same."""
        if isinstance(event, CallRetried) and event.call == self._call:
            self._known = ""
        return ""

    def ended(self, recorded: Recorded) -> First | None:
        """Returns the reply that is shown, or is to be, where this event brings it."""
        event = recorded.event
        if isinstance(event, CallFailed) and event.call == self._call:
            raise self._lost()
        if self._call is not None and not (isinstance(event, CallCompleted) and event.call == self._call):
            return None
        return reply.first_of(recorded, self._job.spec.schema)

    def rest(self, text: str) -> str:
        """Returns what of the whole reply has not been shown."""
        added = self._added(text)
        if len(text) < len(self._shown):
            raise self._lost()
        return added

    def _added(self, text: str) -> str:
        if text.startswith(self._shown):
            added = text[len(self._shown) :]
            self._shown = text
            return added
        if self._shown.startswith(text):
            return ""
        raise self._lost()

    def _lost(self) -> JobError:
        message = f"{self._call} did not go on with the reply that was being streamed; the panel's answer is the job's"
        return JobError(message, None, self._job.id)
