"""A client of the service: it has a job done, looks at it in several ways, and tells the ledger what it is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from ditto.domain.events import CallCompleted, CallStarted, FeedbackGiven
from ditto.domain.job import Job
from ditto.domain.live import CallDelta, Live
from ditto.errors import Conflict, NotFound, RateLimited, Unavailable
from ditto.runtime.service import Service
from tests.simulation.ledger import Ledger
from tests.simulation.plans import ClientPlan, Then

T = TypeVar("T")
PAUSE_S = 0.5
LOOK_S = 2.0


class Client:
    """One client, in the process through which it came.

    Args:
        name: Of that process.
    """

    def __init__(self, name: str, service: Service, plan: ClientPlan, ledger: Ledger) -> None:
        self._name = name
        self._service = service
        self._plan = plan
        self._ledger = ledger

    async def run(self, *, comes_back: bool) -> None:
        """Returns when the client has seen all that it wanted to see.

        Args:
            comes_back: Its connection broke: without a key it has lost its job and leaves.
        """
        if comes_back and not self._plan.keyed:
            return
        job = await self._submitted()
        if job is None:
            return
        self._ledger.accepted(self._plan.tag, self._plan.keyed, job.id)
        self._ledger.shown(self._name, job)
        await asyncio.gather(*(self._do(then, job.id) for then in self._plan.then))

    async def _submitted(self) -> Job | None:
        """Returns the accepted job; None where there was an error and no key to come back with."""
        live = Then.FOLLOW in self._plan.then
        if self._plan.then == (Then.WAIT,):
            begin = partial(self._service.ask, self._plan.request)
        else:
            begin = partial(self._service.submit, self._plan.request, live=live)
        if self._plan.keyed:
            return (await self._persistently(begin)).job
        try:
            return (await begin()).job
        except (RateLimited, Unavailable):
            return None

    async def _do(self, then: Then, job_id: str) -> None:
        match then:
            case Then.WAIT:
                self._show_ended(await self._persistently(lambda: self._service.wait(job_id)))
            case Then.FOLLOW:
                await self._follow(job_id)
            case Then.LOOK:
                await self._look(job_id)
            case Then.CANCEL:
                await asyncio.sleep(self._plan.cancel_after_s)
                job = await self._persistently(lambda: self._service.cancel(job_id))
                self._ledger.shown(self._name, job)
                if not job.state.ended and not job.retries:  # one that had ended may have been retried since
                    self._ledger.broken("a cancelled job has ended", f"{job_id} is {job.state}")
            case Then.RETRY:
                await self._retry(job_id)
            case Then.FEEDBACK:
                await self._give_feedback(job_id)
            case Then.LEAVE:
                pass

    def _show_ended(self, job: Job) -> None:
        self._ledger.shown(self._name, job)
        if not job.state.ended:
            self._ledger.broken("waiting ends with the job", f"{self._name} was shown {job.id} as {job.state}")

    async def _follow(self, job_id: str) -> None:
        after = 0

        async def follow() -> None:
            nonlocal after
            texts: dict[str, str] = {}
            async for told in self._service.events(job_id, after):
                if isinstance(told, Live):
                    self._hear(job_id, told, texts)
                    continue
                self._ledger.streamed(self._name, job_id, told, after)
                after = told.seq
                if isinstance(told.event, CallStarted):
                    texts.pop(told.event.call, None)  # another round, or the job was retried: what was heard is void
                if isinstance(told.event, CallCompleted):
                    self._check_heard(job_id, told.event, texts)

        await self._persistently(follow)
        if (job_id, after) not in self._ledger.ends:
            self._ledger.broken("events go on to the job's end", f"{self._name}'s of {job_id} ended at {after}")

    def _hear(self, job_id: str, told: Live, texts: dict[str, str]) -> None:
        """Does with a piece of a reply as the wire says: it begins the text, or goes on where it is."""
        if isinstance(told.event, CallDelta):
            before = texts.get(told.event.call, "")
            if told.event.start not in (0, len(before)):
                self._ledger.broken("a text goes on where it is", f"{self._name}'s of {job_id} at {told.event.start}")
            texts[told.event.call] = before[: told.event.start] + told.event.text

    def _check_heard(self, job_id: str, event: CallCompleted, texts: dict[str, str]) -> None:
        heard = texts.pop(event.call, event.reply.text)
        if heard not in ("", event.reply.text):
            self._ledger.broken("who reads along has read the reply", f"{self._name} of {job_id} read {heard!r}")

    async def _look(self, job_id: str) -> None:
        while True:
            job = await self._persistently(lambda: self._service.get(job_id))
            self._ledger.shown(self._name, job)
            if job.state.ended:
                return
            job = await self._persistently(lambda: self._service.wait(job_id, LOOK_S))
            self._ledger.shown(self._name, job)

    async def _retry(self, job_id: str) -> None:
        """Asks once more what has failed; who was slower than another client, or than a cancel, lets it be."""
        await self._persistently(lambda: self._service.wait(job_id))
        try:
            job = await self._persistently(lambda: self._service.retry(job_id))
        except Conflict:
            return
        self._ledger.shown(self._name, job)
        self._show_ended(await self._persistently(lambda: self._service.wait(job_id)))

    async def _give_feedback(self, job_id: str) -> None:
        """Says that the result is right; of a job that is not complete, or not any more, there is nothing to say."""
        await self._persistently(lambda: self._service.wait(job_id))
        said = FeedbackGiven(correct=True, answer=None)
        try:
            self._ledger.shown(self._name, await self._persistently(lambda: self._service.feedback(job_id, said)))
        except Conflict:
            return

    async def _persistently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Returns what the service says once it can, as Ditto's own clients do."""
        while True:
            try:
                return await ask()
            except (RateLimited, Unavailable):
                await asyncio.sleep(PAUSE_S)
            except NotFound as error:
                self._ledger.broken("an accepted job is found", f"{self._name}: {error}")
                raise
