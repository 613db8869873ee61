"""An answer as a stream, to a client that waits for it and may hang up.

Nothing is sent before there is something to say: a job that fails at once is answered by its own status, as OpenAI's
clients expect. Where it takes longer, the stream begins with a comment line, and another one follows after each pause,
so that nobody on the way takes the connection for dead; what fails then is told as an event. A reader that takes
nothing for a minute has as good as hung up.

A consensus is told once it is decided. `ditto.stream: "first"` has the reply that begins first told while it is
written; the panel's end then says whether it agreed.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from fastapi.sse import KEEPALIVE_COMMENT
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ditto.domain import view
from ditto.domain.job import Job
from ditto.errors import DittoError
from ditto.http import hang_up, responses
from ditto.http.door import Door
from ditto.http.following import ReaderStalled, taken
from ditto.http.openai import reply
from ditto.http.openai.asked import Asked
from ditto.http.openai.first import first_reply
from ditto.http.openai.reply import First
from ditto.http.openai.telling import Telling

_log = logging.getLogger(__name__)


class AnswerStream(Response):
    """Begins the job, and sends its answer as it is told.

    Args:
        telling: Of this one answer.
    """

    media_type = "text/event-stream"

    def __init__(self, asked: Asked, door: Door, telling: Telling) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._asked = asked
        self._door = door
        self._telling = telling
        self._job: Job | None = None
        self._started = False
        self._send: Send

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._send = send
        line = hang_up.Line(receive, self._door.limits.waiting_s, self._say_alive)
        try:
            live = self._asked.streaming == "first" and self._asked.request.schema_ is None
            begun = hang_up.begun(self._door.service, self._asked.request, self._door.background, live=live)
            async with line, begun as accepted:
                self._job = (await line.until(accepted)).job
                await self._tell(line, self._job)
        except DittoError as error:
            if not self._started:
                raise
            _log.warning("a streamed answer failed", extra={"error": type(error).__name__})
            await self._put(self._telling.failure(self._job, responses.service_error_of(error)))
        await self._pass_on(b"", more=False)

    async def _tell(self, line: hang_up.Line, begun: Job) -> None:
        first = await self._tell_first(line, begun) if self._asked.streaming == "first" else None
        job = await line.until(self._door.service.wait(begun.id))
        failure = view.error(job)
        if failure is not None:
            raise failure
        said = reply.merged(job) if first is None else first.said
        if first is None:
            await self._put(self._telling.begin(job))
            await self._put(self._telling.piece(job, said.text))
            await self._put(self._telling.done(job, said))
        await self._put(self._telling.end(job, said, first))

    async def _tell_first(self, line: hang_up.Line, job: Job) -> First | None:
        """Tells the first reply as it comes and returns it, None where the job ends without one."""
        events = self._door.service.events(job.id)
        begun = False
        try:
            async with aclosing(first_reply(events, job)) as told:
                while (news := await line.until(_next(told))) is not None:
                    if not begun:
                        await self._put(self._telling.begin(job))
                        begun = True
                    if isinstance(news, First):
                        await self._put(self._telling.done(job, news.said))
                        return news
                    await self._put(self._telling.piece(job, news))
        finally:
            close = getattr(events, "aclose", None)
            if close is not None:
                await close()
        return None

    async def _say_alive(self) -> None:
        await self._put([KEEPALIVE_COMMENT])

    async def _put(self, chunks: Iterable[bytes]) -> None:
        if not self._started:
            self._started = True
            if self._job is not None:
                self.headers[responses.JOB_ID] = self._job.id
            await self._send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for chunk in chunks:
            await self._pass_on(chunk, more=True)

    async def _pass_on(self, chunk: bytes, *, more: bool) -> None:
        message = {"type": "http.response.body", "body": chunk, "more_body": more}
        try:
            await taken(self._send(message), self._door.limits.stalled_s)
        except ReaderStalled:
            raise ClientDisconnect from None


async def _next(told: AsyncGenerator[str | First, None]) -> str | First | None:
    return await anext(told, None)
