"""Whoever waits for a job sees neither its holder fall silent nor the store go away for a while."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from ditto.domain.events import Failure, Recorded, Reply
from ditto.domain.job import Job, JobState
from ditto.errors import StoreUnavailable, Unavailable
from ditto.runtime import listening, service
from ditto.runtime.service import Service
from ditto.settings import from_args
from ditto.store.memory import MemoryJournal
from ditto.store.port import JobRow
from ditto.tally import Counted
from tests.admitting import admitting
from tests.unit.domain.jobs import answered, begun, finished, spec, started
from tests.unit.runtime.house import WAIT_S, House, asked

SETTINGS = from_args({}, source="x")
DONE = finished(answered(started(begun(spec("a"))), "a", "42"))


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(service, "PAUSE_S", 0.0)
    monkeypatch.setattr(listening, "PATIENCE_S", 0.0)


class Holders:
    """A placer whose holders do in turn what is given: raise, stay silent, or tell that the job has ended."""

    def __init__(self, *deeds: Exception | Job | None) -> None:
        self._deeds = list(deeds)

    def holding(self, name: str) -> Holders:
        return self

    async def wait(self, job_id: str, timeout_s: float) -> Job:
        match self._deeds.pop(0):
            case Job() as job:
                return job
            case None:
                await asyncio.Event().wait()
                raise AssertionError
            case error:
                raise error

    async def cancel(self, job_id: str) -> Job:
        return await self.wait(job_id, 0.0)

    async def events(self, job_id: str, after: int, wait_s: float) -> list[Recorded]:
        await self.wait(job_id, wait_s)
        return []


class Shaky(MemoryJournal):
    """Fails so often before it answers."""

    failures = 0

    async def row(self, job_id: str) -> JobRow | None:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("away")
        return await super().row(job_id)


def waiting(journal: MemoryJournal, *deeds: Exception | Job | None) -> Service:
    async def nothing() -> None:
        return None

    async def count() -> list[Counted]:
        return []

    return Service(
        settings=SETTINGS,
        journal=journal,
        placer=Holders(*deeds),
        check=nothing,
        count=count,
        closing=nothing,
        new_id=lambda: "append",
        **admitting(journal),
    )


@pytest.fixture
async def journal():
    house = House()
    house.journal = Shaky()
    host = await house.host()
    await host.accept("j1", asked("slow"), None)
    yield house.journal
    await house.close()


async def test_a_holder_that_cannot_read_the_store_is_asked_again(journal):
    job = await waiting(journal, StoreUnavailable("away"), DONE).wait("j1")
    assert job.state is JobState.COMPLETE


async def test_a_holder_that_is_silent_is_asked_again(journal, monkeypatch):
    monkeypatch.setattr(service, "POLL_S", 0.01)
    job = await waiting(journal, None, DONE).wait("j1")
    assert job.state is JobState.COMPLETE


async def test_a_holder_that_is_silent_is_asked_again_to_cancel(journal, monkeypatch):
    monkeypatch.setattr(service, "POLL_S", 0.01)
    async with asyncio.timeout(WAIT_S):
        assert await waiting(journal, None, DONE).cancel("j1") == DONE


async def test_a_restart_of_the_store_is_not_seen(journal):
    journal.failures = 3
    job = await waiting(journal, DONE).wait("j1")
    assert job.state is JobState.COMPLETE


async def test_who_has_no_time_left_is_told_that_the_store_is_away(journal):
    journal.failures = 3
    with pytest.raises(Unavailable):
        await waiting(journal).wait("j1", 0.0)


async def test_a_stream_goes_on_when_the_store_is_back(journal):
    journal.failures = 1
    events = waiting(journal, StoreUnavailable("away")).events("j1")
    assert [(await anext(events)).seq for _ in range(2)] == [1, 2]
    await events.aclose()


async def test_who_waits_for_a_job_that_is_retried_as_it_is_read_waits_on(journal, monkeypatch):
    ended = replace(await journal.row("j1"), state=JobState.ERROR)
    rows = [ended]

    async def first_as_it_was(job_id):
        return rows.pop() if rows else await MemoryJournal.row(journal, job_id)

    monkeypatch.setattr(journal, "row", first_as_it_was)
    job = await waiting(journal, DONE).wait("j1")
    assert job.state is JobState.COMPLETE


async def test_a_stream_of_a_job_that_is_retried_as_it_is_read_goes_on(journal, monkeypatch):
    house = House(down=Failure(type="Unreachable", message="no route"))
    host = await house.host()
    await host.accept("j2", asked("down"), None)
    ended = await house.ended(host, "j2")
    row = await house.journal.row("j2")
    del house.models._answers["down"]
    await host.retry("j2")
    rows = [row]

    async def first_as_it_was(job_id):
        return rows.pop() if rows else await MemoryJournal.row(house.journal, job_id)

    monkeypatch.setattr(house.journal, "row", first_as_it_was)
    kinds = []
    async for record in waiting(house.journal, StoreUnavailable("away")).events("j2", ended.seq):
        kinds.append(record.event.kind)
        if kinds == ["job.retried", "call.started"]:
            house.models.release("down", Reply(text="42"))
            await house.ended(host, "j2")
    assert kinds == ["job.retried", "call.started", "call.completed", "job.completed"]
    await house.close()
