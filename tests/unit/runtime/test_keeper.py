"""The keeper: spares, actors that linger, jobs that nobody holds, draining, and what another version has left."""

from __future__ import annotations

import asyncio

import pytest

from ditto.domain.events import Reply
from ditto.errors import (
    Unavailable,
)
from ditto.runtime import calling, keeper, placement, retiring, service, sweep, watchdog
from ditto.runtime.runner import utc_now
from ditto.settings import Runtime
from ditto.settings.resolving import resolve
from ditto.tally import Tally
from tests.unit.runtime.house import until
from tests.unit.runtime.town import SETTINGS, WAIT_S, Town, asked, result, spare_ready


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(calling, "PAUSE_S", 0.0)
    monkeypatch.setattr(service, "PAUSE_S", 0.001)
    monkeypatch.setattr(placement, "PAUSE_S", 0.001)
    monkeypatch.setattr(keeper, "PAUSE_S", 0.001)
    monkeypatch.setattr(keeper, "BURST_S", 0.001)


@pytest.fixture
async def town():
    built = Town()
    built.the_service = built.service()
    yield built
    await built.close()


async def test_a_burst_leaves_the_machine_to_the_jobs(town, monkeypatch):
    monkeypatch.setattr(keeper, "BURST_S", 3600.0)
    await spare_ready(town)
    first = await town.the_service.submit(asked(models=["ollama/slow"]))
    jobs = [await town.the_service.submit(asked(models=["ollama/slow"])) for _ in range(20)]
    assert first.job.holder.startswith("job:")
    assert {job.job.holder for job in jobs} == {"host:0"}
    assert sum(name.startswith("job:") for name in town.names()) == 1


async def test_a_spare_that_is_taken_while_others_are_left_is_replaced_at_once(monkeypatch):
    monkeypatch.setattr(keeper, "BURST_S", 3600.0)
    town = Town(spares=2)
    town.the_service = town.service()
    await spare_ready(town)
    await until(lambda: len(town.the_keeper._spares) == 2)
    await town.the_keeper.taken(town.the_keeper._spares[0])
    await until(lambda: len(town.the_keeper._spares) == 2)
    await town.close()


async def test_the_last_spare_too_is_replaced_at_once_where_jobs_come_one_by_one(monkeypatch):
    monkeypatch.setattr(keeper, "BURST_S", 3600.0)
    monkeypatch.setattr(keeper, "EAGER_S", 0.0)
    monkeypatch.setattr(keeper, "SPACED_S", 0.0)
    town = Town(spares=2)
    town.the_service = town.service()
    await spare_ready(town)
    await until(lambda: len(town.the_keeper._spares) == 2)
    for name in list(town.the_keeper._spares):
        await town.the_keeper.taken(name)
    await until(lambda: len(town.the_keeper._spares) == 2)
    await town.close()


async def test_spares_that_are_all_taken_together_are_replaced_later(monkeypatch):
    monkeypatch.setattr(keeper, "BURST_S", 3600.0)
    monkeypatch.setattr(keeper, "EAGER_S", 0.0)
    monkeypatch.setattr(keeper, "SPACED_S", 3600.0)
    town = Town(spares=2)
    town.the_service = town.service()
    await spare_ready(town)
    await until(lambda: len(town.the_keeper._spares) == 2)
    for name in list(town.the_keeper._spares):
        await town.the_keeper.taken(name)
    await asyncio.sleep(0.05)
    assert town.the_keeper._spares == []
    await town.close()


async def test_all_but_one_spare_wait_until_somebody_is_there_for_them():
    town = Town(spares=2)
    town.the_service = town.service()
    await town.begin_keeper()
    await until(lambda: len(town.the_keeper._spares) == 1)
    for _ in range(50):
        await asyncio.sleep(0)
    assert len(town.names()) == 1
    town.spares.start()
    await until(lambda: "host:0" in town.names() and len(town.the_keeper._spares) == 2)
    await town.close()


async def test_an_ended_actor_lingers_and_only_so_many_do(town):
    await town.begin_keeper()
    await town.the_keeper.ended("job:x", Tally())
    assert town.killed == []
    await town.the_keeper.ended("job:y", Tally())
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


async def test_a_holder_that_says_nothing_is_given_its_time_and_its_jobs_are_counted(town, monkeypatch):
    monkeypatch.setattr(retiring, "_PATIENCE_S", 0.01)
    await town.begin_keeper()
    await town.the_service.submit(asked(models=["ollama/slow"], placement="shared"))
    for method in ("status", "drain", "close"):
        monkeypatch.setattr(town.hosts["host:0"], method, lambda: asyncio.Event().wait())
    draining = asyncio.create_task(town.the_keeper.drain(0.2))
    await asyncio.sleep(0.1)
    assert not draining.done()
    assert await draining == 1
    monkeypatch.undo()


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


async def test_a_keeper_that_stumbles_goes_on_with_all_of_its_work(town, monkeypatch, caplog):
    await town.begin_keeper()
    living, fail = town.names, [True]

    def names():
        if fail.pop() if fail else False:
            raise RuntimeError("the head is away")
        return living()

    monkeypatch.setattr(town, "names", names)
    town.spares.start()
    async with asyncio.timeout(WAIT_S):
        while not town.spares._ready:  # noqa: ASYNC110  # the spare has no other sign
            await asyncio.sleep(0.001)
    assert "keeper stumbled" in caplog.text


@pytest.mark.parametrize("name", ["host:0", "job:x"])
async def test_a_frozen_holder_is_ended_and_begun_again(town, monkeypatch, name):
    for pause in ("LOOK_S", "PATIENCE_S"):
        monkeypatch.setattr(watchdog, pause, 0.02)
    town.create_host(name)
    await town.begin_keeper()
    await until(lambda: name in town.answered)
    town.frozen.add(name)
    await until(lambda: bool(town.restarted))
    assert town.restarted == [name]


async def test_a_holder_that_has_never_answered_is_left_to_begin(town, monkeypatch):
    for pause in ("LOOK_S", "PATIENCE_S"):
        monkeypatch.setattr(watchdog, pause, 0.001)
    town.create_host("job:new")
    town.frozen.add("job:new")
    await town.begin_keeper()
    for _ in range(50):
        await asyncio.sleep(0)
    assert town.restarted == []
