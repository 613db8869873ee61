"""The clients: each asks one case in its own way, comes back if it may, and writes down what it saw.

Those with a key use Ditto's own client and come back with it for as long as it takes. Those without are foreign ones: a
plain HTTP client that takes an error for an answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from ditto.client.async_client import AsyncDitto
from ditto.errors import DittoError
from tests.chaos.cases import Case, Way

PATIENCE_S = 150.0
"""Longer than any job of the run takes, whatever is done to the service."""
PAUSE_S = 0.3
GIVE_UP_S = 400.0
_LOOKS = 30
_ENDED = ("complete", "error", "cancelled")


@dataclass(slots=True, kw_only=True)
class Sighting:
    """What one client saw.

    Attributes:
        jobs: The ids that it was told, each once, in their order.
        accepted: It was promised a job, or given an answer.
        answers: Each answer that it got: state, result, and how many models had replied.
        answered_at: The moment of each.
        troubles: The moment and the name of each error that it got on the way.
        served: It got an answer by itself.
        torn: What was wrong with the numbers of its events, blank where nothing was.
    """

    case: Case
    asked_at: float
    jobs: list[str] = field(default_factory=list)
    accepted: bool = False
    answers: list[tuple[str, Any, int]] = field(default_factory=list)
    answered_at: list[float] = field(default_factory=list)
    troubles: list[tuple[float, str]] = field(default_factory=list)
    served: bool = False
    torn: str = ""

    def told(self, job_id: str) -> None:
        self.accepted = True
        if job_id not in self.jobs:
            self.jobs.append(job_id)

    def answered(self, job_id: str, state: str, result: Any, replies: int) -> None:
        self.told(job_id)
        self.answers.append((state, result, replies))
        self.answered_at.append(time.time())

    def trouble(self, name: str) -> None:
        self.troubles.append((time.time(), name))


class Clients:
    """Everybody who asks this service.

    Args:
        url: Where the service listens, also after a restart.
    """

    def __init__(self, url: str) -> None:
        self._ditto = AsyncDitto(url)
        self._http = httpx.AsyncClient(base_url=url, timeout=PATIENCE_S, trust_env=False)
        self.sightings: list[Sighting] = []

    async def ask(self, case: Case) -> None:
        """Asks one case; returns when its client has its answer, or has none to expect."""
        seen = Sighting(case=case, asked_at=time.time())
        self.sightings.append(seen)
        match case.way:
            case Way.FOREIGN_WAIT:
                await self._foreign_wait(seen)
            case Way.FOREIGN_POLL:
                await self._foreign_poll(seen)
            case _:
                await self._come_back(seen)
        seen.served = bool(seen.answers)

    async def look_again(self) -> None:
        """Asks every keyed case once more with its key, and every other known job by its id.

        Nothing is struck any more: what cannot be reached now is left out, and found to be lost in the journal.
        """
        for seen in list(self.sightings):
            for _ in range(_LOOKS):
                try:
                    _take(seen, await self._looked_up(seen))
                    break
                except (httpx.HTTPStatusError, httpx.TransportError):
                    await asyncio.sleep(PAUSE_S)

    async def _looked_up(self, seen: Sighting) -> httpx.Response | None:
        if seen.case.way.keyed:
            return await self._http.post("/llm", json={**seen.case.body(), "idempotencyKey": seen.case.key})
        return await self._http.get(f"/jobs/{seen.jobs[0]}") if seen.jobs else None

    async def close(self) -> None:
        await self._ditto.close()
        await self._http.aclose()

    async def _come_back(self, seen: Sighting) -> None:
        until = time.monotonic() + GIVE_UP_S
        while not seen.answers and time.monotonic() < until:
            with _troubles(seen):
                async with asyncio.timeout(PATIENCE_S):
                    await self._with_key(seen)
                return
            await asyncio.sleep(PAUSE_S)

    async def _with_key(self, seen: Sighting) -> None:
        case = seen.case
        asked: dict[str, Any] = {
            "models": case.models,
            "metadata": {"case": case.number},
            "placement": "shared" if case.shared else None,
            "idempotency_key": case.key,
        }
        if case.way is Way.WAIT:
            view = await self._ditto.ask(case.prompt, **asked)
        else:
            job = await self._ditto.submit(case.prompt, **asked)
            seen.told(job.id)
            if case.way is Way.FOLLOW:
                await self._follow(seen, job.id)
            view = await job.wait()
        seen.answered(view.job_id, str(view.state), view.result, len(view.responses))

    async def _follow(self, seen: Sighting, job_id: str) -> None:
        last = 0
        async for event in self._ditto.events(job_id):
            if event.seq is None:
                continue
            if event.seq != last + 1:
                seen.torn = f"event {event.seq} after {last}"
            last = event.seq

    async def _foreign_wait(self, seen: Sighting) -> None:
        with _troubles(seen):
            _take(seen, await self._http.post("/llm", json=seen.case.body()))

    async def _foreign_poll(self, seen: Sighting) -> None:
        with _troubles(seen):
            response = await self._http.post("/jobs", json=seen.case.body())
            response.raise_for_status()
            seen.told(response.json()["jobId"])
        until = time.monotonic() + GIVE_UP_S
        while seen.jobs and not seen.answers and time.monotonic() < until:
            with _troubles(seen):
                response = await self._http.get(f"/jobs/{seen.jobs[0]}")
                response.raise_for_status()
                if response.json()["state"] in _ENDED:
                    _take(seen, response)
            await asyncio.sleep(PAUSE_S)


@asynccontextmanager
async def clients(url: str) -> AsyncIterator[Clients]:
    """Yields clients of the service at this address."""
    everybody = Clients(url)
    try:
        yield everybody
    finally:
        await everybody.close()


def _take(seen: Sighting, response: httpx.Response | None) -> None:
    """Notes the answer in a response; an error is raised."""
    if response is None:
        return
    response.raise_for_status()
    body = response.json()
    seen.answered(body["jobId"], body["state"], body["result"], len(body["responses"]))


@contextmanager
def _troubles(seen: Sighting) -> Iterator[None]:
    """Notes an error that a client gets, by name."""
    try:
        yield
    except httpx.HTTPStatusError as error:
        seen.trouble(f"status {error.response.status_code}")
    except (httpx.TransportError, DittoError) as error:
        seen.trouble(type(error).__name__)
    except TimeoutError:
        seen.trouble("silence")
