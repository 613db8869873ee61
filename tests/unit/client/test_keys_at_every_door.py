"""One key and one request is one job, through whichever door it comes; over the real service, its cluster in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from ditto import AsyncDitto
from ditto.batching import BatchOptions, Reading, Sink, Source, run_batch
from ditto.batching.places import listed
from ditto.client.cluster_backend import ClusterBackend
from ditto.client.http_backend import HttpBackend
from ditto.domain.events import Failure, Reply
from ditto.errors import IdempotencyMismatch, ServiceError, StoreUnavailable
from ditto.http.app import build
from ditto.http.limits import Limits
from ditto.runtime import calling, keeper, placement, service
from ditto.settings import from_args
from ditto.store.memory import MemoryJournal
from ditto.store.port import Append
from tests.unit.client.hasty import Hasty
from tests.unit.runtime.town import Town

DOORS = ["http", "python over http", "python in the cluster", "batch"]
ASKED = {"prompt": "What is 6 * 7?", "models": ["ollama/a", "ollama/b"]}
OTHER = {**ASKED, "temperature": 0.5}
ONE_EACH = {"ollama/a": 1, "ollama/b": 1}


class Fickle(MemoryJournal):
    """Cannot be written as often as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.failing = 0

    async def append(self, append: Append) -> None:
        if self.failing:
            self.failing -= 1
            raise StoreUnavailable("the disk is full")
        await super().append(append)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """One service and all its doors."""

    town: Town
    http: httpx.AsyncClient
    over_http: AsyncDitto
    in_cluster: AsyncDitto
    folder: Path

    async def ask(self, door: str, body: dict[str, Any], key: str) -> str:
        """Returns the id of the job that this door led to.

        Raises:
            ServiceError: The service refused.
        """
        match door:
            case "http":
                return job_id(await self.http.post("/llm", json=body, headers={"Idempotency-Key": key}))
            case "python over http":
                return (await self.over_http.ask(**body, idempotency_key=key)).job_id
            case "python in the cluster":
                return (await self.in_cluster.ask(**body, idempotency_key=key)).job_id
            case _:
                row = await self._batch({**body, "idempotencyKey": key})
                return refused(row) if row["error"] else str(row["jobId"])

    async def _batch(self, row: dict[str, Any]) -> dict[str, Any]:
        source, sink = self.folder / "in.jsonl", self.folder / "out.jsonl"
        source.write_text(json.dumps(row))
        sink.unlink(missing_ok=True)
        with Source(listed(str(source), ""), Reading(given={})) as rows, Sink(sink) as answers:
            await run_batch(ClusterBackend(self.town.the_service), rows, answers, BatchOptions(name="test"))
        written: dict[str, Any] = json.loads(sink.read_text())
        return written


def job_id(response: httpx.Response) -> str:
    body = response.json()
    return refused(body) if "error" in body and body["error"] is not None else str(body["jobId"])


def refused(body: dict[str, Any]) -> str:
    error = body["error"]
    if error["type"] == "IdempotencyMismatch":
        raise IdempotencyMismatch(error["message"], error["details"])
    raise ServiceError(error["message"], error["details"], body.get("jobId") or error.get("jobId"))


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "PAUSE_S", 0.0)
    for module in (service, placement, keeper):
        monkeypatch.setattr(module, "PAUSE_S", 0.001)


@pytest.fixture
async def town(no_pauses: None) -> AsyncIterator[Town]:
    built = Town()
    built.journal = Fickle()
    built.the_service = built.service()
    yield built
    await built.close()


@pytest.fixture
async def house(town: Town, tmp_path: Path) -> AsyncIterator[House]:
    async def opened() -> Any:
        return town.the_service

    app = build(opened, limits=Limits(body_bytes=10_000), settings=from_args({}, source="the tests"))
    transport = httpx.ASGITransport(app)
    backend = HttpBackend("http://ditto", transport=transport, patience=Hasty().patience())
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://ditto") as http,
        AsyncDitto.over(backend) as over_http,
    ):
        yield House(
            town=town,
            http=http,
            over_http=over_http,
            in_cluster=AsyncDitto.over(ClusterBackend(town.the_service, Hasty().patience())),
            folder=tmp_path,
        )


@pytest.mark.parametrize("first", DOORS)
async def test_what_came_through_one_door_is_known_at_all(house: House, first: str) -> None:
    known = await house.ask(first, ASKED, "k")

    assert {await house.ask(door, ASKED, "k") for door in DOORS} == {known}
    assert house.town.models.asked == ONE_EACH


@pytest.mark.parametrize("door", DOORS)
async def test_another_request_under_the_key_is_refused_with_the_fields_that_differ(house: House, door: str) -> None:
    await house.ask("http", ASKED, "k")

    with pytest.raises(IdempotencyMismatch) as caught:
        await house.ask(door, OTHER, "k")

    assert [wrong["path"] for wrong in caught.value.details] == ["temperature"]
    assert house.town.models.asked == ONE_EACH


async def test_metadata_makes_no_other_request(house: House) -> None:
    known = await house.ask("http", ASKED, "k")

    assert await house.ask("http", {**ASKED, "metadata": {"team": "ops"}}, "k") == known


async def test_a_hundred_at_once_are_one_job(house: House) -> None:
    asking = [house.ask(DOORS[number % 3], ASKED, "k") for number in range(100)]

    assert len(set(await asyncio.gather(*asking))) == 1
    assert house.town.models.asked == ONE_EACH


@pytest.mark.parametrize("door", DOORS)
async def test_the_key_of_a_failed_job_returns_that_failure(house: House, door: str) -> None:
    house.town.models.release("ollama/down", Failure(type="Unreachable", message="no route"))
    body = {**ASKED, "models": ["ollama/down"]}

    failures = []
    for _ in range(2):
        with pytest.raises(ServiceError) as caught:
            await house.ask(door, body, "k")
        failures.append(caught.value)

    assert failures[0].job_id is not None
    assert failures[0].job_id == failures[1].job_id
    assert failures[0].message == failures[1].message
    assert house.town.models.asked == {"ollama/down": 1}


@pytest.mark.parametrize("door", DOORS)
async def test_a_retried_jobs_key_returns_what_it_then_came_to(house: House, door: str) -> None:
    models = house.town.models
    models.release("ollama/down", Failure(type="Unreachable", message="no route"))
    body = {**ASKED, "models": ["ollama/a", "ollama/down"]}
    known = await house.ask("http", body, "k")
    del models._answers["ollama/down"]

    await house.over_http.retry(known)
    models.release("ollama/down", Reply(text="42"))

    assert await house.ask(door, body, "k") == known
    assert (await house.in_cluster.get(known)).errors == {}
    assert models.asked == {"ollama/a": 1, "ollama/down": 2}


@pytest.mark.parametrize("door", DOORS)
async def test_the_key_of_a_deleted_job_is_free(house: House, door: str) -> None:
    known = await house.ask(door, ASKED, "k")

    assert (await house.http.delete(f"/jobs/{known}")).status_code == 204

    assert await house.ask(door, OTHER, "k") != known
    assert house.town.models.asked == {"ollama/a": 2, "ollama/b": 2}


async def full(house: House) -> None:
    for _ in range(4):
        await house.in_cluster.submit("Busy?", models=["ollama/slow"], placement="dedicated")


async def without_disk(house: House) -> None:
    house.town.journal.failing = 1


async def as_it_is(house: House) -> None:
    pass


@pytest.mark.parametrize(
    ("body", "becomes", "status"),
    [
        ({**ASKED, "colour": "red"}, as_it_is, 400),
        ({**ASKED, "models": ["nobody/x"]}, as_it_is, 400),
        ({**ASKED, "prompt": "x" * 20_000}, as_it_is, 413),
        ({**ASKED, "placement": "dedicated"}, full, 429),
        (ASKED, without_disk, 503),
    ],
)
@pytest.mark.parametrize("route", ["/llm", "/jobs"])
async def test_a_refused_request_takes_no_key(
    house: House, body: dict[str, Any], becomes: Callable[[House], Any], status: int, route: str
) -> None:
    await becomes(house)

    first = await house.http.post(route, json={**body, "idempotencyKey": "k"})
    then = await house.http.post("/llm", json={**OTHER, "idempotencyKey": "k"})

    assert first.status_code == status
    assert then.status_code == 200, then.text
    assert house.town.models.asked["ollama/a"] == 1
