"""An order says whose call it is, for its turn where a provider limits how much it is asked."""

from __future__ import annotations

from ditto.runtime.orders import order
from tests.unit.domain.jobs import at, begun, spec, started


def test_calls_come_under_their_tenant_and_those_of_a_batch_under_that_batch():
    def key(**changes):
        return order(started(begun(spec("a", **changes))), "a", at(2)).key

    assert key() == key()
    assert (
        len({key(), key(tenant="acme"), key(metadata={"batch": "b1"}), key(tenant="acme", metadata={"batch": "b1"})})
        == 4
    )


def test_an_order_has_its_own_time_and_its_jobs():
    given = order(started(begun(spec("a", timeout_s=10))), "a", at(60))
    assert (given.timeout_s, given.within_s) == (10, 1740)
