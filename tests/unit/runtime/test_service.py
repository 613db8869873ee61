"""The service that the doors share: it places jobs, and whoever waits for one does not see its holder die."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

import pytest

from ditto.domain.events import Failure, Reply
from ditto.domain.job import Completed, JobState
from ditto.domain.request import parse
from ditto.errors import (
    BadRequest,
    Conflict,
    HolderGone,
    IdempotencyMismatch,
    NotFound,
    RateLimited,
    StoreUnavailable,
    Unavailable,
)
from ditto.runtime import calling, keeper, placement, service, sweep
from ditto.runtime.host import PREFIX, Host
from ditto.runtime.keeper import Keeper
from ditto.runtime.placement import Placer, Spares
from ditto.runtime.runner import utc_now
from ditto.runtime.service import Service
from ditto.settings import Runtime, from_args
from ditto.settings.resolving import resolve
from ditto.store.memory import MemoryJournal
from ditto.store.port import Append
from tests.unit.runtime.callers import CannedModels, KillableCaller

WAIT_S = 5.0
SETTINGS = from_args({"ensembles": {"default": {"models": ["ollama/a", "ollama/b"]}}}, source="x")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(calling, "PAUSE_S", 0.0)
    monkeypatch.setattr(service, "PAUSE_S", 0.001)
    monkeypatch.setattr(placement, "PAUSE_S", 0.001)
    monkeypatch.setattr(keeper, "PAUSE_S", 0.001)


class Town:
    """A cluster in memory: holders by name that can be killed, a keeper, one caller."""

    def __init__(self, *, spares: int = 1) -> None:
        self.journal: MemoryJournal = MemoryJournal()
        self.models = CannedModels({"ollama/a": Reply(text="42"), "ollama/b": Reply(text="It is 42.")})
        self.caller = KillableCaller(self.models)
        self.hosts: dict[str, Host] = {}
        self.killed: list[str] = []
        self._ids = itertools.count(1)
        self.runtime = Runtime(spares=spares, linger_limit=1, lease_s=2)
        self.the_keeper: Keeper | None = None
        self.clock = utc_now

    def new_id(self) -> str:
        return f"id{next(self._ids)}"

    # the directory of actors

    def host(self, name: str) -> Reached:
        return Reached(lambda: self._living(name))

    def create_host(self, name: str) -> Reached:
        if name not in self.hosts:
            self.revive(name)
        return self.host(name)

    def keeper(self) -> Keeper:
        if self.the_keeper is None:
            raise HolderGone("there is no keeper")
        return self.the_keeper

    def kill(self, name: str) -> None:
        self.killed.append(name)
        self.hosts.pop(name, None)

    def names(self) -> list[str]:
        return list(self.hosts)

    # what happens to it

    def revive(self, name: str) -> None:
        host = Host(
            name,
            journal=self.journal,
            callers={"caller:0": self.caller},
            new_id=self.new_id,
            lease_s=2,
        )
        self.hosts[name] = host
        host.starting = asyncio.ensure_future(host.start())

    async def kill_9(self, name: str) -> None:
        host = self.hosts.pop(name)
        host._jobs.abandon()
        await host._lines.close()

    async def begin_keeper(self) -> Keeper:
        self.the_keeper = Keeper(
            directory=self,
            journal=self.journal,
            runtime=self.runtime,
            hosts=["host:0"],
            callers=["caller:0"],
            dedicated_jobs=4,
            new_id=self.new_id,
            clock=self.clock,
        )
        await self.the_keeper.start()
        return self.the_keeper

    def service(self) -> Service:
        async def nothing() -> None:
            return None

        self.spares = Spares(self)
        placer = Placer(self, self.spares, hosts=["host:0"], dedicated_jobs=4, new_id=self.new_id)
        return Service(settings=SETTINGS, journal=self.journal, placer=placer, check=nothing, closing=nothing)

    async def close(self) -> None:
        if self.the_keeper is not None:
            await self.the_keeper.close()
        await self.spares.close()
        for host in list(self.hosts.values()):
            await host.close()
        await self.caller.caller.close()

    def _living(self, name: str) -> Host:
        if name not in self.hosts:
            raise HolderGone(f"{name} is dead")
        return self.hosts[name]


class Reached:
    """A holder as another process reaches it: every call may find it dead, also in the middle."""

    def __init__(self, living: Callable[[], Host]) -> None:
        self._living = living

    def __getattr__(self, method: str):
        async def call(*args):
            host = self._living()
            working = asyncio.ensure_future(getattr(host, method)(*args))
            while not working.done():
                await asyncio.wait([working], timeout=0.005)
                try:
                    alive = self._living() is host
                except HolderGone:
                    alive = False
                if not alive:
                    working.cancel()
                    await asyncio.gather(working, return_exceptions=True)
                    raise HolderGone("it died in the middle")
            return working.result()

        return call


@pytest.fixture
async def town():
    built = Town()
    built.the_service = built.service()
    yield built
    await built.close()


def asked(**changes):
    return parse({"prompt": "What is 6 * 7?", **changes})


def result(job):
    assert isinstance(job.outcome, Completed)
    return job.outcome.verdict.result


async def spare_ready(town: Town) -> None:
    async with asyncio.timeout(WAIT_S):
        await town.begin_keeper()
        town.spares.start()
        while not town.spares._ready:  # noqa: ASYNC110  # the spare has no other sign
            await asyncio.sleep(0.001)


async def test_without_a_spare_a_job_goes_to_a_shared_host(town):
    submitted = await town.the_service.ask(asked())
    assert result(submitted.job) in ("42", "It is 42.")
    assert submitted.job.holder == "host:0"


async def test_with_a_spare_a_job_has_an_actor_of_its_own_and_the_spare_is_refilled(town):
    await spare_ready(town)
    submitted = await town.the_service.ask(asked())
    assert submitted.job.holder == f"{PREFIX}{submitted.job.id}"
    async with asyncio.timeout(WAIT_S):
        while not town.spares._ready:  # noqa: ASYNC110  # as above
            await asyncio.sleep(0.001)


async def test_placement_shared_leaves_the_spares_alone(town):
    await spare_ready(town)
    submitted = await town.the_service.submit(asked(placement="shared"))
    assert submitted.job.holder == "host:0"


async def test_placement_dedicated_starts_an_actor_when_no_spare_is_left(town):
    submitted = await town.the_service.submit(asked(placement="dedicated"))
    assert submitted.job.holder == f"{PREFIX}{submitted.job.id}"


async def test_a_waiting_client_does_not_see_the_holder_die(town):
    submitted = await town.the_service.submit(asked(models=["ollama/a", "ollama/slow"]))
    waiting = asyncio.ensure_future(town.the_service.wait(submitted.job.id))
    await asyncio.sleep(0.01)
    await town.kill_9("host:0")
    await asyncio.sleep(0.01)
    town.revive("host:0")
    town.models.release("ollama/slow", Reply(text="42"))
    async with asyncio.timeout(WAIT_S):
        assert result(await waiting) == "42"
    assert town.models.asked == {"ollama/a": 1, "ollama/slow": 1}


async def test_events_go_on_over_the_holders_death_without_gap_or_repeat(town):
    submitted = await town.the_service.submit(asked(models=["ollama/a", "ollama/slow"]))
    seen = []
    async with asyncio.timeout(WAIT_S):
        async for record in town.the_service.events(submitted.job.id):
            seen.append(record.seq)
            if record.event.kind == "call.completed" and len(seen) == 4:
                await town.kill_9("host:0")
                town.revive("host:0")
                town.models.release("ollama/slow", Reply(text="42"))
    assert seen == list(range(1, len(seen) + 1))
    assert record.event.kind == "job.completed"


async def test_a_dead_spare_is_passed_over(town):
    await spare_ready(town)
    await town.kill_9(town.spares._ready[0])
    submitted = await town.the_service.ask(asked())
    assert result(submitted.job) in ("42", "It is 42.")


async def test_the_same_key_is_the_same_job_also_a_hundred_times_at_once(town):
    requests = [town.the_service.ask(asked(idempotencyKey="k")) for _ in range(100)]
    submitted = await asyncio.gather(*requests)
    assert len({each.job.id for each in submitted}) == 1
    assert sum(each.created for each in submitted) == 1
    assert town.models.asked == {"ollama/a": 1, "ollama/b": 1}


async def test_the_same_key_with_another_request_names_the_fields_that_differ(town):
    await town.the_service.ask(asked(idempotencyKey="k"))
    with pytest.raises(IdempotencyMismatch) as refused:
        await town.the_service.ask(asked(idempotencyKey="k", temperature=0.5, metadata={"not": "compared"}))
    assert [detail["path"] for detail in refused.value.details] == ["temperature"]


async def test_a_cancelled_job_says_so_and_cancelling_again_is_harmless(town):
    submitted = await town.the_service.submit(asked(models=["ollama/slow"]))
    assert (await town.the_service.cancel(submitted.job.id)).state is JobState.CANCELLED
    assert (await town.the_service.cancel(submitted.job.id)).state is JobState.CANCELLED
    assert (await town.the_service.wait(submitted.job.id)).state is JobState.CANCELLED


async def test_an_unknown_job_is_not_found(town):
    with pytest.raises(NotFound, match="there is no job nobody"):
        await town.the_service.get("nobody")
    with pytest.raises(NotFound):
        await town.the_service.wait("nobody")
    with pytest.raises(NotFound):
        await town.the_service.cancel("nobody")


async def test_jobs_are_listed_with_what_they_came_to(town):
    for n in range(3):
        await town.the_service.ask(asked(metadata={"n": n}))
    page = await town.the_service.list(limit=2)
    assert [job.spec.metadata["n"] for job in page.jobs] == [2, 1]
    rest = await town.the_service.list(limit=2, cursor=page.cursor)
    assert ([job.spec.metadata["n"] for job in rest.jobs], rest.cursor) == ([0], None)


async def test_a_bad_request_starts_nothing(town):
    with pytest.raises(BadRequest):
        await town.the_service.submit(asked(models=["nobody/x"]))
    assert town.hosts == {}


async def test_a_store_that_cannot_be_written_is_said_and_nothing_is_begun(town):
    class Full(MemoryJournal):
        async def append(self, append: Append) -> None:
            raise StoreUnavailable("the disk is full")

    town.journal = Full()
    full = town.service()
    with pytest.raises(Unavailable, match="the disk is full"):
        await full.submit(asked())
    assert town.models.asked == {}


async def test_an_ended_actor_lingers_and_only_so_many_do(town):
    await town.begin_keeper()
    await town.the_keeper.ended("job:x")
    assert town.killed == []
    await town.the_keeper.ended("job:y")
    assert town.killed == ["job:x"]


async def test_jobs_that_nobody_holds_are_found_and_finished(town, monkeypatch):
    submitted = await town.the_service.submit(asked(models=["ollama/a", "ollama/slow"]))
    await town.kill_9("host:0")
    town.clock = lambda: utc_now().replace(year=2998)
    town.models.release("ollama/slow", Reply(text="42"))
    town.runtime = Runtime(spares=0, lease_s=2, retention_s=10**9)
    await town.begin_keeper()
    async with asyncio.timeout(WAIT_S):
        assert result(await town.the_service.wait(submitted.job.id)) == "42"
    assert town.models.asked == {"ollama/a": 1, "ollama/slow": 1}


async def test_an_actor_that_holds_nothing_and_that_nobody_told_about_is_found_and_ended(town):
    the_keeper = await town.begin_keeper()
    await town.create_host("job:lost").status()
    await the_keeper._account_for(["job:lost"])
    assert "job:lost" not in the_keeper._lingering
    await the_keeper._account_for(["job:lost"])
    assert "job:lost" in the_keeper._lingering


async def test_a_spare_that_another_process_was_quicker_to_take_is_no_failure(town):
    await spare_ready(town)
    town.runtime = Runtime(spares=0)
    for name in list(town.spares._ready):
        await town.hosts[name].accept("other", resolve(asked(), SETTINGS, utc_now()), None)
    submitted = await town.the_service.ask(asked())
    assert result(submitted.job) in ("42", "It is 42.")


async def test_a_retry_asks_only_what_failed(town):
    town.models._answers["ollama/down"] = asyncio.get_running_loop().create_future()
    town.models.release("ollama/down", Failure(type="Unreachable", message="no route"))
    submitted = await town.the_service.ask(asked(models=["ollama/a", "ollama/down"]))
    del town.models._answers["ollama/down"]
    retried = await town.the_service.retry(submitted.job.id)
    assert retried.state is JobState.RUNNING
    town.models.release("ollama/down", Reply(text="42"))
    assert (await town.the_service.wait(submitted.job.id)).failures() == {}
    assert town.models.asked == {"ollama/a": 1, "ollama/down": 2}


async def test_a_job_that_has_ended_is_forgotten_with_its_key(town):
    keyed = asked(idempotency_key="k")
    first = await town.the_service.ask(keyed)
    await town.the_service.forget(first.job.id)
    with pytest.raises(NotFound):
        await town.the_service.get(first.job.id)
    again = await town.the_service.ask(keyed)
    assert again.created
    assert again.job.id != first.job.id


async def test_a_job_that_runs_is_not_forgotten(town):
    submitted = await town.the_service.submit(asked(models=["ollama/slow"]))
    with pytest.raises(Conflict, match="running"):
        await town.the_service.forget(submitted.job.id)
    assert (await town.the_service.get(submitted.job.id)).state is JobState.RUNNING


async def test_so_many_jobs_may_have_an_actor_of_their_own(town):
    dedicated = asked(models=["ollama/slow"], placement="dedicated")
    for _ in range(4):
        await town.the_service.submit(dedicated)
    with pytest.raises(RateLimited, match="4 jobs have an actor of their own"):
        await town.the_service.submit(dedicated)


async def test_a_draining_service_takes_nothing_new_and_says_how_much_is_left(town):
    await spare_ready(town)
    await town.the_service.submit(asked(models=["ollama/slow"], placement="shared"))
    left = await town.the_keeper.drain(0.0)
    assert left == 1
    async with asyncio.timeout(WAIT_S):
        while not town.spares.draining:  # noqa: ASYNC110  # the poll has no other sign
            await asyncio.sleep(0.001)
    with pytest.raises(Unavailable, match="draining"):
        await town.the_service.submit(asked())


async def test_the_hosts_that_another_version_left_are_drained_and_their_jobs_go_on(town, monkeypatch):
    monkeypatch.setattr(keeper, "OTHERS_S", 0.001)
    monkeypatch.setattr(sweep, "QUIET_S", 0.0)
    monkeypatch.setattr(sweep, "SWEEP_S", 0.001)
    spec = resolve(asked(models=["ollama/slow"]), SETTINGS, utc_now())
    await town.create_host("host:old").accept("j1", spec, None)
    town.runtime = Runtime(spares=0, lease_s=2, drain_s=0)
    await town.begin_keeper()
    async with asyncio.timeout(WAIT_S):
        while (await town.the_service.get("j1")).holder != "host:0":  # noqa: ASYNC110  # it is another process's work
            await asyncio.sleep(0.001)
    assert "host:old" in town.killed
    town.models.release("ollama/slow", Reply(text="42"))
    assert result(await town.the_service.wait("j1")) == "42"
    assert town.models.asked == {"ollama/slow": 1}
