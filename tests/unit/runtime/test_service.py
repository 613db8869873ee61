"""The service that the doors share: it places jobs, and whoever waits for one does not see its holder die."""

from __future__ import annotations

import asyncio

import pytest

from ditto.domain.events import Failure, FeedbackGiven, Reply
from ditto.domain.job import JobState
from ditto.domain.remerging import Remerge
from ditto.domain.skills.sheet import NOTHING
from ditto.errors import (
    BadRequest,
    Conflict,
    IdempotencyMismatch,
    JournalUnreadable,
    NotFound,
    RateLimited,
    StoreUnavailable,
    Unavailable,
)
from ditto.runtime import calling, keeper, listening, placement, service
from ditto.runtime.host import Host
from ditto.runtime.roles import JOB
from ditto.runtime.runner import utc_now
from ditto.settings import Runtime, from_args
from ditto.settings.resolving import resolve
from ditto.store.memory import MemoryJournal
from ditto.store.port import Append
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


async def test_without_a_spare_a_job_goes_to_a_shared_host(town):
    submitted = await town.the_service.ask(asked())
    assert result(submitted.job) in ("42", "It is 42.")
    assert submitted.job.holder == "host:0"


async def test_with_a_spare_a_job_has_an_actor_of_its_own_and_the_spare_is_refilled(town):
    await spare_ready(town)
    submitted = await town.the_service.ask(asked())
    assert submitted.job.holder == f"{JOB}{submitted.job.id}"
    async with asyncio.timeout(WAIT_S):
        while not town.spares._ready:  # noqa: ASYNC110  # as above
            await asyncio.sleep(0.001)


async def test_placement_shared_leaves_the_spares_alone(town):
    await spare_ready(town)
    submitted = await town.the_service.submit(asked(placement="shared"))
    assert submitted.job.holder == "host:0"


async def test_a_batchs_jobs_leave_the_spares_alone_unless_they_are_to_have_actors_of_their_own(town):
    await spare_ready(town)
    batch = {"metadata": {"batch": "night"}}

    shared = await town.the_service.submit(asked(**batch))
    dedicated = await town.the_service.submit(asked(**batch, placement="dedicated"))

    assert shared.job.holder == "host:0"
    assert dedicated.job.holder == f"{JOB}{dedicated.job.id}"


async def test_placement_dedicated_starts_an_actor_when_no_spare_is_left(town):
    submitted = await town.the_service.submit(asked(placement="dedicated"))
    assert submitted.job.holder == f"{JOB}{submitted.job.id}"


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


async def test_who_asks_does_not_see_the_holder_die_either(town):
    asking = asyncio.ensure_future(town.the_service.ask(asked(models=["ollama/a", "ollama/slow"])))
    async with asyncio.timeout(WAIT_S):
        while not town.models.asked["ollama/slow"]:  # noqa: ASYNC110  # nothing else tells
            await asyncio.sleep(0.001)
    await town.kill_9("host:0")
    await asyncio.sleep(0.01)
    town.revive("host:0")
    town.models.release("ollama/slow", Reply(text="42"))
    async with asyncio.timeout(WAIT_S):
        assert result((await asking).job) == "42"
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


async def test_a_long_journal_of_a_job_that_was_retried_is_told_to_its_end_in_pages(town, monkeypatch):
    monkeypatch.setattr(service, "PAGE", 2)
    submitted = await town.the_service.ask(asked(models=["ollama/a", "ollama/b"]))
    said = FeedbackGiven(correct=True, answer=None)
    ended = await town.the_service.feedback(submitted.job.id, said)
    seen = [told.seq async for told in town.the_service.events(submitted.job.id)]
    assert seen == list(range(1, ended.seq + 1))


async def test_only_jobs_that_are_submitted_to_be_followed_are_streamed_and_no_batchs(town):
    batch = {"metadata": {"batch": "night"}}
    jobs = [
        (await town.the_service.submit(asked(), live=True)).job,
        (await town.the_service.submit(asked(**batch), live=True)).job,
        (await town.the_service.submit(asked())).job,
        (await town.the_service.ask(asked())).job,
    ]
    assert [job.spec.live for job in jobs] == [True, False, False, False]


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


async def test_the_same_key_is_the_same_job_also_when_its_ensemble_is_configured_no_more(town):
    request = asked(ensemble="default", idempotencyKey="k")
    first = await town.the_service.ask(request)
    town.the_service.settings = from_args({"ensembles": {"other": {"models": ["ollama/c"]}}}, source="x")
    again = await town.the_service.ask(request)
    assert (again.job.id, again.created) == (first.job.id, False)


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


async def test_a_job_that_cannot_be_read_or_that_goes_meanwhile_leaves_the_others_listed(town, monkeypatch):
    jobs = [(await town.the_service.ask(asked())).job.id for _ in range(3)]
    read = town.journal.read

    async def unreadable(job_id, after=0, limit=None):
        if job_id == jobs[0]:
            raise JournalUnreadable("an event of a later version")
        return [] if job_id == jobs[1] else await read(job_id, after, limit)

    monkeypatch.setattr(town.journal, "read", unreadable)
    assert [job.id for job in (await town.the_service.list()).jobs] == jobs[2:]


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


async def test_a_spare_that_another_process_was_quicker_to_take_is_no_failure(town):
    await spare_ready(town)
    town.runtime = Runtime(spares=0)
    for name in list(town.spares._ready):
        await town.hosts[name].accept("other", resolve(asked(), SETTINGS, utc_now()), None)
    submitted = await town.the_service.ask(asked())
    assert result(submitted.job) in ("42", "It is 42.")


async def test_nobody_gets_the_job_of_another_request_that_has_got_his_spares_id_and_died(town):
    await spare_ready(town)
    town.runtime = Runtime(spares=0)
    others = resolve(asked(prompt="What is 2 * 3?"), SETTINGS, utc_now())
    for name in list(town.spares._ready):
        await town.hosts[name].accept(name.removeprefix("job:"), others, None)
        await town.kill_9(name)
    submitted = await town.the_service.ask(asked())
    assert submitted.job.spec.messages != others.messages
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


async def test_what_is_said_of_a_result_is_not_kept_with_the_result_of_a_retry(town):
    town.models.release("ollama/down", Failure(type="Unreachable", message="connection refused"))
    submitted = await town.the_service.ask(asked(models=["ollama/a", "ollama/down"]))
    del town.models._answers["ollama/down"]
    town.models.release("ollama/down", Reply(text="41"))
    await town.the_service.retry(submitted.job.id)
    await town.the_service.wait(submitted.job.id)
    said = FeedbackGiven(correct=True, answer=None)
    with pytest.raises(Conflict, match="retried"):
        await town.the_service._afterwards.say(submitted.job, said)
    assert (await town.the_service.feedback(submitted.job.id, said)).feedback == said


async def test_a_merge_during_which_the_job_is_retried_is_one_of_the_new_replies(town):
    town.models.release("ollama/down", Failure(type="Unreachable", message="connection refused"))
    submitted = await town.the_service.ask(asked(models=["ollama/a", "ollama/down"]))
    del town.models._answers["ollama/down"]
    town.models.release("ollama/down", Reply(text="42"))
    await town.the_service.retry(submitted.job.id)
    await town.the_service.wait(submitted.job.id)
    merged = await town.the_service._afterwards.merge(submitted.job, Remerge(weights={}), NOTHING)
    assert set(merged.merges[-1].event.verdict.supporting) == {"ollama/a", "ollama/down"}


async def test_a_frozen_holder_does_not_keep_who_retries_a_job(town, monkeypatch):
    monkeypatch.setattr(service, "ACCEPT_S", 0.01)
    monkeypatch.setattr(listening, "PATIENCE_S", 0.01)
    submitted = await town.the_service.ask(asked(placement="shared"))
    monkeypatch.setattr(Host, "retry", lambda host, job_id: asyncio.Event().wait())
    with pytest.raises(Unavailable):
        await town.the_service.retry(submitted.job.id)


async def test_a_job_that_has_ended_is_forgotten_with_its_key(town):
    keyed = asked(idempotency_key="k")
    first = await town.the_service.ask(keyed)
    await town.the_service.forget(first.job.id)
    with pytest.raises(NotFound):
        await town.the_service.get(first.job.id)
    again = await town.the_service.ask(keyed)
    assert again.created
    assert again.job.id != first.job.id


async def test_a_key_whose_job_is_deleted_at_this_very_moment_is_free_for_a_new_one(town, monkeypatch):
    keyed = asked(idempotency_key="k")
    first = await town.the_service.ask(keyed)
    look = town.journal.keyed

    async def look_and_lose(key, tenant):
        found = await look(key, tenant)
        await town.journal.forget(first.job.id)
        return found

    monkeypatch.setattr(town.journal, "keyed", look_and_lose)
    second = await town.the_service.submit(keyed)
    assert second.created
    assert second.job.id != first.job.id


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


async def test_a_job_whose_near_host_is_gone_is_taken_by_another_under_the_same_id(town, monkeypatch):
    ids: list[str] = []
    mint = town.new_id
    town.new_id = lambda: ids.append(mint()) or ids[-1]
    the_service = town.service(near=["host:gone"])
    begin = town.create_host
    monkeypatch.setattr(town, "create_host", lambda name: town.host(name) if name == "host:gone" else begin(name))

    submitted = await the_service.submit(asked(placement="shared"))

    assert (submitted.job.id, submitted.job.holder) == (ids[0], "host:0")
