"""An order says whose call it is, for its turn where a provider limits how much it is asked."""

from __future__ import annotations

from datetime import datetime

from ditto.domain.job import Job
from ditto.runtime.orders import Order, orders
from tests.unit.domain.jobs import at, begun, spec, started


def test_calls_come_under_their_tenant_and_those_of_a_batch_under_that_batch():
    def key(**changes):
        return _order(started(begun(spec("a", **changes))), at(2)).key

    assert key() == key()
    assert (
        len({key(), key(tenant="acme"), key(metadata={"batch": "b1"}), key(tenant="acme", metadata={"batch": "b1"})})
        == 4
    )


def test_an_order_has_its_own_time_and_its_jobs():
    given = _order(started(begun(spec("a", timeout_s=10))), at(60))
    assert (given.timeout_s, given.within_s) == (10, 1740)


def test_orders_of_one_job_carry_one_copy_of_their_messages():
    one, other = orders(started(begun(spec("a", "b"))), ["a", "b"], at(2))
    assert (one.name, other.name) == ("a", "b")
    assert one.request.messages is other.request.messages


def _order(job: Job, now: datetime) -> Order:
    [made] = orders(job, ["a"], now)
    return made
