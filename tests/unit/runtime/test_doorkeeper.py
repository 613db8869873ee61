"""Where a service may be opened, and how seldom the doorkeeper looks into the register."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ditto.domain.tenants import Allowance
from ditto.errors import ConfigurationError, StoreUnavailable, Unauthorized, Unavailable
from ditto.runtime.doorkeeper import Doorkeeper
from ditto.runtime.keymaking import make_key
from ditto.runtime.ports import is_loopback
from ditto.store.memory import MemoryJournal

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class CountedJournal(MemoryJournal):
    """Counts how often the register is read; may be away."""

    reads = 0
    away = False

    async def register(self):
        self.reads += 1
        if self.away:
            raise StoreUnavailable("away")
        return await super().register()


def doorkeeper(journal, *, local: bool = True, **allowances: Allowance) -> Doorkeeper:
    return Doorkeeper(journal, local=local, allowances=allowances, clock=lambda: 0.0)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_only_this_machine_reaches_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "10.0.0.1", "192.168.1.5", "ditto.example.com", "", "localhost.evil"]
)
def test_other_machines_may_reach_any_other_address(host):
    assert not is_loopback(host)


async def test_a_service_that_other_machines_reach_is_not_opened_without_a_key():
    journal = MemoryJournal()
    await doorkeeper(journal).check("127.0.0.1")
    with pytest.raises(ConfigurationError, match=r"listen on 0\.0\.0\.0.* `ditto keys create`"):
        await doorkeeper(journal, local=False).check("0.0.0.0")
    await make_key(journal, tenant="acme", label="", now=NOON)
    await doorkeeper(journal, local=False).check("0.0.0.0")


async def test_where_other_machines_reach_it_nobody_gets_in_without_a_key():
    with pytest.raises(Unauthorized):
        await doorkeeper(MemoryJournal(), local=False).admit(None)


async def test_the_register_is_not_read_for_each_request():
    journal = CountedJournal()
    _, shown = await make_key(journal, tenant="acme", label="", now=NOON)
    door = doorkeeper(journal)
    for _ in range(100):
        await door.admit(shown)
        with pytest.raises(Unauthorized):
            await door.admit("ditto_unknown_key")
    assert journal.reads == 1


async def test_nobody_gets_in_before_the_register_was_read_once():
    journal = CountedJournal()
    journal.away = True
    door = doorkeeper(journal)
    with pytest.raises(Unavailable):
        await door.admit("anything")
    journal.away = False
    assert (await door.admit("anything")).name == "default"


async def test_what_the_settings_allow_counts_before_what_the_store_keeps():
    journal = MemoryJournal()
    for tenant in ("acme", "bolt"):
        await journal.allow(tenant, Allowance(jobs_at_once=1))
    shown = [(await make_key(journal, tenant=tenant, label="", now=NOON))[1] for tenant in ("acme", "bolt", "new")]
    door = doorkeeper(journal, acme=Allowance(jobs_at_once=9))
    assert [(await door.admit(key)).allowance.jobs_at_once for key in shown] == [9, 1, None]
