"""Every journal keeps tenants apart, knows keys by their hashes, and counts what metered jobs have used."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ditto.domain import events as ev
from ditto.domain.access_keys import AccessKey, digest_of
from ditto.domain.tenants import Allowance
from ditto.errors import KeyTaken
from ditto.store.access import Register, Usage
from ditto.store.audit import Audit
from ditto.store.journal import SqlJournal
from ditto.store.opening import open_database
from ditto.store.port import Claim, Filter
from ditto.store.sqlite import SqliteDatabase
from ditto.store.transfer import export_store, import_store
from tests.integration.appends import COMPLETED, STARTED, acceptance, life, more
from tests.unit.domain.jobs import NOON, at

KEY = AccessKey(id="k1", tenant="acme", digest=digest_of("x"), label="laptop", created_at=NOON)
SPENT = ev.CallCompleted(call="a", round=1, reply=ev.Reply(text="42", input_tokens=20, output_tokens=3))


def ids(page):
    return [row.job_id for row in page.rows]


async def test_one_idempotency_key_names_a_job_of_each_tenant(journal):
    for tenant in ("acme", "bolt"):
        claim = Claim(key="k", fingerprint=f"of {tenant}", tenant=tenant)
        await journal.append(acceptance(tenant, claim=claim, tenant=tenant))
    assert await journal.keyed("k", "acme") == ("acme", "of acme")
    assert await journal.keyed("k", "bolt") == ("bolt", "of bolt")
    assert await journal.keyed("k") is None
    with pytest.raises(KeyTaken) as taken:
        await journal.append(acceptance("late", claim=Claim(key="k", fingerprint="x", tenant="bolt"), tenant="bolt"))
    assert (taken.value.job_id, taken.value.fingerprint) == ("bolt", "of bolt")


async def test_lists_show_one_tenants_jobs_alone(journal):
    for number, tenant in enumerate(("acme", "bolt", "acme", "default")):
        await journal.append(acceptance(f"j{number}", second=number, metadata={"team": "red"}, tenant=tenant))
    red = {"team": "red"}
    assert ids(await journal.page(Filter(tenant="acme"), 10, None)) == ["j2", "j0"]
    assert ids(await journal.page(Filter(tenant="bolt", metadata=red), 10, None)) == ["j1"]
    assert ids(await journal.page(Filter(metadata=red), 10, None)) == ["j3"]
    first = await journal.page(Filter(tenant="acme"), 1, None)
    assert ids(await journal.page(Filter(tenant="acme"), 1, first.cursor)) == ["j0"]
    assert {(await journal.row("j1")).tenant, (await journal.row("j3")).tenant} == {"bolt", "default"}


async def test_two_tenants_batches_of_one_name_expire_apart(journal):
    for append in life("done", metadata={"batch": "b"}, tenant="acme"):
        await journal.append(append)
    await journal.append(acceptance("open", metadata={"batch": "b"}, tenant="bolt"))
    assert await journal.expire(at(100), 10) == 1
    assert await journal.read("done") == []


async def test_the_jobs_of_a_tenant_that_have_not_ended_are_counted(journal):
    for append in [*life("done", tenant="acme"), acceptance("one", tenant="acme"), acceptance("two", tenant="acme")]:
        await journal.append(append)
    assert await journal.access.running("acme") == 2
    assert await journal.access.running("bolt") == 0


async def test_what_metered_jobs_use_is_counted_once_by_day(journal):
    begun = replace(acceptance("j1", tenant="acme"), payer="acme")
    spent = replace(more(STARTED, STARTED, SPENT, job_id="j1"), payer="acme")
    for append in (begun, spent, spent, more(COMPLETED, job_id="j1", after=4, append_id="end")):
        await journal.append(append)
    tomorrow = replace(more(STARTED, after=5, append_id="late", second=86_400), payer="acme")
    await journal.append(tomorrow)
    await journal.append(replace(acceptance("free", tenant="acme"), payer=None))
    assert await journal.access.used("acme", at(0)) == Usage(calls=2, tokens=23)
    assert await journal.access.used("acme", at(86_400)) == Usage(calls=1)
    assert await journal.access.used("bolt", at(0)) == Usage()


async def test_what_was_used_stays_when_the_job_is_forgotten(journal):
    for append in life("j1", tenant="acme"):
        await journal.append(replace(append, payer="acme"))
    assert await journal.forget("j1")
    assert await journal.access.used("acme", at(0)) == Usage(calls=1)


async def test_a_key_is_kept_until_and_after_it_is_revoked(journal):
    later = replace(KEY, id="k2", tenant="bolt", created_at=at(5))
    await journal.access.add(later)
    await journal.access.add(KEY)
    assert (await journal.access.register()).keys == (KEY, later)
    assert await journal.access.revoke("k1", at(9))
    assert await journal.access.revoke("k1", at(10))
    assert not await journal.access.revoke("nobody", at(9))
    assert (await journal.access.register()).keys == (replace(KEY, revoked_at=at(9)), later)


async def test_the_last_word_on_what_a_tenant_may_do_counts(journal):
    await journal.access.allow("acme", Allowance(jobs_at_once=3))
    await journal.access.allow("acme", Allowance(models=("sim/*",), calls_per_day=7))
    assert (await journal.access.register()).allowances == {"acme": Allowance(models=("sim/*",), calls_per_day=7)}


async def test_tenants_their_keys_and_their_usage_go_over_with_the_store(store, tmp_path):
    source, target = open_database(store), SqliteDatabase(tmp_path / "other.db")
    journal = SqlJournal(source)
    await journal.access.add(KEY)
    await journal.access.allow("acme", Allowance(jobs_at_once=3))
    claim = Claim(key="k", fingerprint="f", tenant="acme")
    for append in life("j1", tenant="acme", metadata={"batch": "b"}, claim=claim):
        await journal.append(replace(append, payer="acme"))
    lines = []
    export_store(source, lines.append)
    for _ in range(2):
        import_store(target, lines)
    other = SqlJournal(target)
    assert await other.access.register() == Register(keys=(KEY,), allowances={"acme": Allowance(jobs_at_once=3)})
    assert await other.access.used("acme", at(0)) == Usage(calls=1)
    assert await other.keyed("k", "acme") == ("j1", "f")
    assert ids(await other.page(Filter(tenant="acme", metadata={"batch": "b"}), 9, None)) == ["j1"]
    assert list(Audit(target).faults()) == []
    await other.close()
    await journal.close()
