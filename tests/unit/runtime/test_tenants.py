"""The service as two tenants see it: each his own jobs, keys and limits; the other's are as if there were none."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from ditto.domain.access_keys import AccessKey
from ditto.domain.events import Failure, FeedbackGiven, Reply
from ditto.domain.remerging import Remerge
from ditto.domain.tenants import Allowance
from ditto.errors import Forbidden, IdempotencyMismatch, NotFound, RateLimited, StoreUnavailable, Unauthorized
from ditto.runtime import service
from ditto.runtime.keymaking import make_key
from ditto.runtime.service_port import Submitted
from tests.unit.runtime.town import Town, asked

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
async def town():
    town = Town(spares=0)
    town.service_ = town.service()
    await town.begin_keeper()
    yield town
    await town.close()


async def key_of(town: Town, tenant: str) -> tuple[AccessKey, str]:
    """Returns a new key, some time after the register was last read."""
    pass_time(town, 2)
    return await make_key(town.journal, tenant=tenant, label="", now=NOON)


def pass_time(town: Town, seconds: float) -> None:
    town.service_._doorkeeper._read_at_s -= seconds


async def seen_by(town: Town, tenant: str):
    return await town.service_.admit((await key_of(town, tenant))[1])


async def test_a_job_of_another_tenant_is_none_that_there_is(town):
    acme, bolt = await seen_by(town, "acme"), await seen_by(town, "bolt")
    job = (await acme.ask(asked())).job
    for verb in (
        lambda of, job_id: of.get(job_id),
        lambda of, job_id: of.wait(job_id, 0.0),
        lambda of, job_id: anext(of.events(job_id)),
        lambda of, job_id: of.cancel(job_id),
        lambda of, job_id: of.retry(job_id),
        lambda of, job_id: of.merge(job_id, Remerge()),
        lambda of, job_id: of.feedback(job_id, FeedbackGiven(correct=True, answer=None)),
        lambda of, job_id: of.forget(job_id),
    ):
        with pytest.raises(NotFound) as others:
            await verb(bolt, job.id)
        with pytest.raises(NotFound) as nobodys:
            await verb(bolt, "nobody")
        assert str(others.value).replace(job.id, "nobody") == str(nobodys.value)
        await verb(acme, job.id)


async def test_no_stumble_of_the_store_shows_another_tenants_events(town, monkeypatch):
    acme, bolt = await seen_by(town, "acme"), await seen_by(town, "bolt")
    job = (await acme.ask(asked())).job
    look, failures = town.journal.row, iter([StoreUnavailable("away")])

    async def stumbling(job_id):
        if (failure := next(failures, None)) is not None:
            raise failure
        return await look(job_id)

    monkeypatch.setattr(town.journal, "row", stumbling)
    monkeypatch.setattr(service, "PAUSE_S", 0.0)
    with pytest.raises(NotFound):
        await anext(bolt.events(job.id))


async def test_a_list_shows_ones_own_jobs_alone_and_the_operators_too(town):
    acme, bolt = await seen_by(town, "acme"), await seen_by(town, "bolt")
    jobs = {name: (await of.submit(asked())).job.id for name, of in (("acme", acme), ("bolt", bolt))}
    own = (await town.service_.submit(asked())).job.id
    assert [job.id for job in (await acme.list()).jobs] == [jobs["acme"]]
    assert [job.id for job in (await bolt.list()).jobs] == [jobs["bolt"]]
    assert [job.id for job in (await town.service_.list()).jobs] == [own]
    assert (await town.service_.get(jobs["bolt"])).spec.tenant == "bolt"


async def test_one_idempotency_key_of_two_tenants_is_two_jobs(town):
    acme, bolt = await seen_by(town, "acme"), await seen_by(town, "bolt")
    first = await acme.submit(asked(idempotencyKey="k"))
    other = await bolt.submit(asked(idempotencyKey="k", prompt="Another question?"))
    again = await acme.submit(asked(idempotencyKey="k"))
    assert (first.created, other.created, again.created) == (True, True, False)
    assert again.job.id == first.job.id != other.job.id
    with pytest.raises(IdempotencyMismatch) as mismatch:
        await bolt.submit(asked(idempotencyKey="k"))
    assert mismatch.value.job_id == other.job.id


async def test_without_any_key_whoever_asks_is_the_operator_whatever_he_shows(town):
    assert (await town.service_.admit(None)).tenant.name == "default"
    assert (await town.service_.admit("anything")).tenant.name == "default"


async def test_once_there_is_a_key_nobody_gets_in_without_one(town):
    key, shown = await key_of(town, "acme")
    for wrong in (None, "", "x", shown[:-1], f"{shown}x", f"ditto_{key.id}_", key.digest, "ditto_" + "0" * 12 + "_x"):
        with pytest.raises(Unauthorized) as refused:
            await town.service_.admit(wrong)
        assert shown not in str(refused.value)
    assert (await town.service_.admit(shown)).tenant.name == "acme"


async def test_a_revoked_key_opens_nothing_and_its_tenants_other_key_opens_the_same_jobs(town):
    old, shown = await key_of(town, "acme")
    job = (await (await town.service_.admit(shown)).submit(asked())).job
    _, new = await key_of(town, "acme")
    await town.journal.revoke(old.id, NOON)
    pass_time(town, 5.1)
    with pytest.raises(Unauthorized):
        await town.service_.admit(shown)
    assert (await (await town.service_.admit(new)).get(job.id)).id == job.id


async def test_who_follows_a_job_is_told_nothing_more_once_the_key_is_revoked(town):
    key, shown = await key_of(town, "acme")
    acme = await town.service_.admit(shown)
    job = (await acme.submit(asked(models=["ollama/slow"]))).job
    events = acme.events(job.id)
    assert (await anext(events)).seq == 1
    assert (await anext(events)).seq == 2
    await town.journal.revoke(key.id, NOON)
    pass_time(town, 5.1)
    town.models.release("ollama/slow", Reply(text="42"))
    with pytest.raises(Unauthorized):
        await anext(events)


async def test_where_the_last_key_was_revoked_one_is_still_needed(town):
    key, _ = await key_of(town, "acme")
    await town.journal.revoke(key.id, NOON)
    with pytest.raises(Unauthorized):
        await town.service_.admit(None)


async def test_a_key_that_was_made_just_now_opens_within_a_second(town):
    await key_of(town, "acme")
    with pytest.raises(Unauthorized):
        await town.service_.admit("ditto_unknown_x")
    _, shown = await make_key(town.journal, tenant="acme", label="", now=NOON)
    with pytest.raises(Unauthorized):
        await town.service_.admit(shown)
    pass_time(town, 1.1)
    assert (await town.service_.admit(shown)).tenant.name == "acme"


async def test_keys_open_while_the_store_is_away(town, monkeypatch):
    _, shown = await key_of(town, "acme")
    await town.service_.admit(shown)

    async def away():
        raise StoreUnavailable("away")

    monkeypatch.setattr(town.journal, "register", away)
    pass_time(town, 60)
    assert (await town.service_.admit(shown)).tenant.name == "acme"


async def test_a_tenant_may_ask_the_models_that_it_is_allowed_and_no_others(town):
    town.allowances["acme"] = Allowance(models=("ollama/a",))
    acme = await seen_by(town, "acme")
    assert (await acme.submit(asked(models=["ollama/a"]))).created
    for request in (asked(), asked(models=["ollama/a"], judge="ollama/b"), asked(models=["ollama/b", "ollama/a"])):
        with pytest.raises(Forbidden, match="may not ask ollama/b"):
            await acme.submit(request)


async def test_requests_above_a_minutes_limit_are_told_when_to_come_back(town):
    town.allowances["acme"] = Allowance(requests_per_minute=3)
    _, shown = await key_of(town, "acme")
    for _ in range(3):
        await town.service_.admit(shown)
    with pytest.raises(RateLimited) as limited:
        await town.service_.admit(shown)
    assert 0 < limited.value.details["retryAfter"] <= 60_000
    assert (await seen_by(town, "bolt")).tenant.name == "bolt"


async def test_a_known_idempotency_key_is_no_new_job_for_any_limit(town):
    town.allowances["acme"] = Allowance(jobs_per_minute=1, calls_per_day=2)
    acme = await seen_by(town, "acme")
    first = await acme.submit(asked(idempotencyKey="k"))
    assert (await acme.submit(asked(idempotencyKey="k"))).job.id == first.job.id
    with pytest.raises(RateLimited):
        await acme.submit(asked())


async def test_of_jobs_begun_at_the_same_time_as_many_are_taken_as_may_run_at_once(town):
    town.allowances["acme"] = Allowance(jobs_at_once=3)
    acme = await seen_by(town, "acme")
    slow = asked(models=["ollama/slow"])
    results = await asyncio.gather(*(acme.submit(slow) for _ in range(8)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["RateLimited"] * 5 + ["Submitted"] * 3
    taken = next(result for result in results if isinstance(result, Submitted))
    await acme.cancel(taken.job.id)
    assert (await acme.submit(slow)).created


async def test_a_job_that_is_waited_for_holds_up_no_other_of_its_tenant(town):
    town.allowances["acme"] = Allowance(jobs_at_once=2)
    acme = await seen_by(town, "acme")
    asking = asyncio.ensure_future(acme.ask(asked(models=["ollama/slow"])))
    while await town.journal.running("acme") == 0:  # noqa: ASYNC110  # the job has no other sign
        await asyncio.sleep(0.001)
    assert (await acme.ask(asked(models=["ollama/a"]))).created
    assert not asking.done()
    town.models.release("ollama/slow", Reply(text="42"))
    assert (await asking).job.state.ended


async def test_the_calls_of_a_day_are_counted_also_of_jobs_that_are_forgotten(town):
    town.allowances["acme"] = Allowance(calls_per_day=5)
    acme = await seen_by(town, "acme")
    for _ in range(2):
        await acme.forget((await acme.ask(asked())).job.id)
    with pytest.raises(RateLimited, match="5 calls a day: 4 were made, 2 more asked") as limited:
        await acme.submit(asked())
    assert limited.value.details["retryAfter"] <= 86_400_000
    assert (await acme.submit(asked(models=["ollama/a"]))).created


async def test_the_tokens_of_a_day_are_counted_when_they_are_known(town):
    town.allowances["acme"] = Allowance(tokens_per_day=10)
    town.models.release("ollama/long", Reply(text="42", input_tokens=6, output_tokens=4))
    acme = await seen_by(town, "acme")
    await acme.ask(asked(models=["ollama/long"]))
    with pytest.raises(RateLimited, match="10 tokens a day: 10 were used"):
        await acme.submit(asked())


async def test_a_retry_is_a_job_too(town):
    town.allowances["acme"] = Allowance(jobs_per_minute=1)
    town.models.release("ollama/dead", Failure(type="Unreachable", message="refused"))
    acme = await seen_by(town, "acme")
    job = (await acme.ask(asked(models=["ollama/dead"]))).job
    with pytest.raises(RateLimited):
        await acme.retry(job.id)


async def test_the_operators_own_jobs_have_no_limits(town):
    town.allowances["acme"] = Allowance(jobs_per_minute=1)
    for _ in range(2):
        assert (await town.service_.ask(asked())).created
