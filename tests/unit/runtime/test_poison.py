"""A job that kills its process is taken up apart, then alone, and then given up; the others go on."""

from __future__ import annotations

import pytest

from ditto.domain import strategies
from ditto.domain.events import JobAdopted, Reply
from ditto.domain.job import STALL_S, Errored, JobState, fold
from ditto.domain.stalling import Handling, handling
from ditto.errors import HolderGone
from tests.unit.domain.jobs import after, begun, started
from tests.unit.runtime.house import House, asked, result, until


class Killed(BaseException):
    """The process is no more."""


@pytest.fixture
async def house():
    built = House(a=Reply(text="42"), poison=Reply(text="this reply kills who merges it"))
    yield built
    await built.close()


@pytest.fixture
def poisonous(monkeypatch):
    """Has every merge of a reply by `poison` stop the loop of its job for good, as the end of a process does."""
    dead = []
    merged = strategies.verdict

    def verdict(job):
        if "poison" in job.calls:
            dead.append(job.holder)
            raise Killed
        return merged(job)

    monkeypatch.setattr(strategies, "verdict", verdict)
    return dead


def adopted(job, times, *, apart_s=1.0):
    for _ in range(times):
        second = (job.updated_at - begun(asked("a")).accepted_at).total_seconds() + apart_s
        job = after(job, JobAdopted(holder="host:0", epoch=1), second=second)
    return job


@pytest.mark.parametrize(
    ("times", "way"),
    [
        (0, Handling.TOGETHER),
        (1, Handling.TOGETHER),
        (2, Handling.APART),
        (3, Handling.ALONE),
        (4, Handling.NOT),
        (9, Handling.NOT),
    ],
)
def test_each_adoption_without_progress_makes_the_next_more_careful(times, way):
    assert handling(adopted(begun(asked("a")), times)) is way


def test_any_progress_makes_a_job_sound_again():
    assert handling(started(adopted(begun(asked("a")), 3))) is Handling.TOGETHER


def test_a_holder_that_lived_for_a_minute_was_not_killed_by_the_job():
    assert handling(adopted(begun(asked("a")), 5, apart_s=STALL_S + 1)) is Handling.TOGETHER


async def dies_of(house, host, dead, deaths):
    await until(lambda: len(dead) == deaths)
    await house.kill_9(host)


async def test_a_job_that_kills_its_process_ends_as_a_crash_loop_and_the_others_end_well(house, poisonous):
    apart: list[str] = []
    host = await house.host(isolate=apart.append)
    await host.accept("bad", asked("poison"), None)
    await host.accept("good", asked("slow"), None)
    await dies_of(house, host, poisonous, 1)
    for deaths in (2, 3, 4):
        host = await house.host(isolate=apart.append)
        await dies_of(house, host, poisonous, deaths)
    shared = await house.host(isolate=apart.append)
    await until(lambda: bool(apart))
    assert set(apart) == {"bad"}
    alone = await house.host("job:bad")
    await alone.adopt("bad")
    await dies_of(house, alone, poisonous, 5)
    last = await house.host("job:bad")
    with pytest.raises(HolderGone):
        await last.wait("bad", 0.0)
    ended = fold("bad", await house.journal.read("bad"))
    assert ended.outcome == Errored(type="CrashLoop", message=ended.outcome.message)
    assert len(poisonous) == 5
    house.models.release("slow", Reply(text="42"))
    good = await house.ended(shared, "good")
    assert good.state is JobState.COMPLETE
    assert result(good) == "42"
    assert house.models.asked == {"poison": 1, "slow": 1}


async def test_suspects_are_adopted_one_after_the_other(house, monkeypatch):
    host = await house.host()
    for number in range(3):
        await host.accept(f"j{number}", asked("slow"), None)
    await house.kill_9(host)
    for _ in range(2):
        await house.kill_9(await house.host())
    host = await house.host()
    assert (await host.status()).open_jobs == 3
    assert len(host._adopter.suspects) >= 2
    house.models.release("slow", Reply(text="42"))
    for number in range(3):
        assert result(await house.ended(host, f"j{number}")) == "42"
