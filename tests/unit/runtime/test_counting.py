"""What is counted of calls, jobs and actors, and the line that an ended job leaves in the log."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from ditto.domain.events import Failure, Reply
from ditto.providers.limits.gates import Gate
from ditto.runtime import measures, noting
from ditto.runtime.actors.logs import Lines
from ditto.runtime.caller import Caller
from ditto.runtime.orders import NOTHING_SEEN
from ditto.tally import OTHER, SERIES, Kind, Measure, Tally
from tests.unit.runtime.callers import CannedModels
from tests.unit.runtime.house import House, asked, until
from tests.unit.runtime.test_caller import WAIT_S, order
from tests.unit.runtime.town import Town

NAMED = Measure(name="named_total", kind=Kind.COUNTER, about="Named.", labels=("name",))
SPREAD = Measure(name="spread", kind=Kind.HISTOGRAM, about="Spread.", labels=("name",), bounds=(1.0, 2.0))
SECRET = "the prompt that nobody may see"
SAID = "42, says the reply that nobody may see"


@pytest.fixture
async def house():
    built = House(a=Reply(text=SAID), bad=Failure(type="Timeout", message="late"))
    yield built
    await built.close()


def numbers(tally: Tally, measure: Measure) -> dict[tuple[str, ...], list[float]]:
    return tally.series().get(measure, {})


def test_a_histogram_knows_each_bucket_what_is_above_and_the_sum():
    tally = Tally()
    for value in (0.5, 1.0, 1.5, 7.0):
        tally.observe(SPREAD, ("a",), value)
    assert numbers(tally, SPREAD) == {("a",): [2, 1, 1, 10.0]}


def test_what_two_processes_have_counted_adds_up_and_changes_neither():
    first, second = Tally(), Tally()
    first.count(NAMED, ("a",))
    second.count(NAMED, ("a",), 2)
    second.observe(SPREAD, ("b",), 1.5)
    both = first.copy().add(second)
    assert numbers(both, NAMED) == {("a",): [3.0]}
    assert numbers(both, SPREAD) == numbers(second, SPREAD)
    assert numbers(first, NAMED) == {("a",): [1.0]}


async def test_a_caller_tells_what_is_limited_just_now():
    gates = [
        Gate(provider="p", model="p/slow", waiting=7, rate=2.5, open=False),
        Gate(provider="p", model="p/dead", waiting=0, rate=None, open=True),
    ]
    counted = Caller("caller:0", "i", CannedModels({}), standing=lambda: gates).counted()
    assert numbers(counted, measures.CALLS_WAITING) == {("p", "p/slow"): [7], ("p", "p/dead"): [0]}
    assert numbers(counted, measures.FOUND_RATE) == {("p", "p/slow"): [2.5]}
    assert numbers(counted, measures.CIRCUITS_OPEN)["p", "p/dead"] == [1]


def test_names_that_clients_invent_do_not_grow_what_is_kept():
    tally = Tally()
    for number in range(SERIES + 100):
        tally.count(NAMED, (f"{number}",))
    tally.count(NAMED, ("x" * 10_000,))
    tally.count(NAMED, ("0",))
    assert len(numbers(tally, NAMED)) == SERIES + 1
    assert numbers(tally, NAMED)[(OTHER,)] == [101]
    assert numbers(tally, NAMED)[("0",)] == [2]
    assert numbers(Tally().add(tally).add(tally), NAMED)[(OTHER,)] == [202]


async def test_a_caller_counts_each_call_at_its_end():
    reply = Reply(text="42", attempts=3, input_tokens=7, output_tokens=2, elapsed_s=0.3)
    models = CannedModels({"a": reply})
    caller = Caller("caller:0", "i", models)
    await caller.call_models("host:0", 1, [order("j1"), order("j2")], [])
    await caller.poll("host:0", 1, NOTHING_SEEN, [], WAIT_S)
    await until(lambda: caller.status()["running"] == 0)
    counted = caller.counted()
    assert numbers(counted, measures.CALLS) == {("p", "a", "reply"): [2]}
    assert numbers(counted, measures.RETRIES) == {("p", "a"): [4]}
    assert numbers(counted, measures.TOKENS) == {("p", "a", "input"): [14], ("p", "a", "output"): [4]}
    assert numbers(counted, measures.CALL_SECONDS)["p", "a"][3] == 2
    assert numbers(counted, measures.CALLS_RUNNING) == {(): [0]}


async def test_a_call_that_is_cancelled_counts_as_such():
    caller = Caller("caller:0", "i", CannedModels({}))
    await caller.call_models("host:0", 1, [order("j1")], [])
    await asyncio.sleep(0)
    assert numbers(caller.counted(), measures.CALLS_RUNNING) == {(): [1]}
    await caller.call_models("host:0", 1, [], [order("j1").id])
    await until(lambda: caller.status()["running"] == 0)
    assert numbers(caller.counted(), measures.CALLS) == {("p", "a", "Cancelled"): [1]}


async def test_a_holder_counts_its_jobs_by_strategy_and_state(house):
    host = await house.host()
    for job_id, model in (("good", "a"), ("failed", "bad"), ("cancelled", "slow")):
        await host.accept(job_id, asked(model), None)
    await host.cancel("cancelled")
    for job_id in ("good", "failed"):
        await house.ended(host, job_id)
    await until(lambda: not len(host._jobs))
    counted = (await host.status()).counted
    assert numbers(counted, measures.JOBS) == {
        ("consensus", "complete"): [1],
        ("consensus", "error"): [1],
        ("consensus", "cancelled"): [1],
    }
    assert sum(numbers(counted, measures.JOB_SECONDS)["consensus",][:-1]) == 3
    assert numbers(counted, measures.JOBS_OPEN) == {(): [0]}


async def test_a_job_that_had_ended_is_not_counted_by_who_takes_it_up(house):
    first = await house.host()
    await first.accept("j1", asked("a"), None)
    await house.ended(first, "j1")
    second = await house.host()
    await second.adopt("j1")
    assert numbers((await second.status()).counted, measures.JOBS) == {}


async def test_an_ended_job_leaves_one_line_without_its_prompt_or_replies(house, caplog):
    caplog.set_level(logging.INFO, logger="ditto.jobs")
    host = await house.host()
    await host.accept("j1", asked("a", "bad", system=SECRET), None)
    await house.ended(host, "j1")
    await until(lambda: "ditto.jobs" in {record.name for record in caplog.records})
    (record,) = [record for record in caplog.records if record.name == "ditto.jobs"]
    line = json.loads(Lines().format(record))
    assert (line["said"], line["level"], line["job_id"], line["state"]) == ("job ended", "info", "j1", "complete")
    assert (line["models"], line["failed"], line["calls"]) == (["a", "bad"], {"bad": "Timeout"}, 2)
    assert {"strategy", "host", "input_tokens", "output_tokens", "total_ms", "confidence", "needs_review"} <= set(line)
    assert SECRET not in str(line)
    assert SAID not in str(line)


async def test_a_job_is_noted_before_its_holder_is_gone_and_before_it_is_counted(house, caplog):
    caplog.set_level(logging.INFO, logger="ditto.jobs")
    host = await house.host()
    for number, leaves in enumerate((host.status, host.close)):
        await host.accept(f"j{number}", asked("a"), None)
        await house.ended(host, f"j{number}")
        await until(lambda: not len(host._jobs))
        await leaves()
        assert len([record for record in caplog.records if record.name == "ditto.jobs"]) == number + 1


async def test_a_job_whose_end_cannot_be_noted_keeps_no_other_from_it(house, caplog, monkeypatch):
    caplog.set_level(logging.INFO, logger="ditto.jobs")

    def stumble(job):
        if job.id == "j0":
            raise ValueError("a bug")

    monkeypatch.setattr(noting.tracing, "job_ended", stumble)
    host = await house.host()
    for number in range(2):
        await host.accept(f"j{number}", asked("a"), None)
    await until(lambda: not len(host._jobs))
    await host.close()
    noted = [record.job_id for record in caplog.records if record.name == "ditto.jobs"]
    assert noted == ["j1"]
    assert [record.job_id for record in caplog.records if record.message == "job not noted"] == ["j0"]


async def test_the_keeper_counts_what_a_jobs_own_actor_tells_once():
    town = Town()
    town.the_service = town.service()
    await town.begin_keeper()
    told = Tally()
    told.count(measures.JOBS, ("consensus", "complete"))
    for _ in range(2):
        await town.the_keeper.ended("job:x", told)
    counted = await town.the_keeper.counted()
    assert numbers(counted, measures.JOBS) == {("consensus", "complete"): [1]}
    assert set(numbers(counted, measures.SPARES)) == {()}
    await town.close()


def test_an_error_in_the_log_has_its_trace_and_fields_on_one_line():
    try:
        raise ValueError("no")
    except ValueError as error:
        record = logging.makeLogRecord(
            {"name": "ditto.x", "levelname": "ERROR", "msg": "it failed", "exc_info": (type(error), error, None)}
        )
    record.model = "sim/terse"
    line = json.loads(Lines().format(record))
    assert (line["log"], line["said"], line["model"]) == ("ditto.x", "it failed", "sim/terse")
    assert line["error"] == "ValueError: no"
