"""A model that only fails is left alone for a while; what one job asks never does that to the others."""

from __future__ import annotations

from ditto.providers.limits.circuit import Circuit
from ditto.settings.rates import CircuitRule

RULE = CircuitRule(failures=4, jobs=3, pause_s=10)


def failed_by(*jobs: str, at: float = 0.0) -> Circuit:
    circuit = Circuit(RULE)
    for job in jobs:
        circuit.sent()
        circuit.failed(job, at)
    return circuit


def test_it_opens_after_failures_in_a_row_of_several_jobs():
    assert failed_by("a", "b", "c").open_s(0.0) == 0
    assert failed_by("a", "b", "c", "a").open_s(0.0) == 10


def test_one_job_alone_never_opens_it():
    assert failed_by(*["a"] * 100).open_s(0.0) == 0
    assert failed_by(*["a", "b"] * 100).open_s(0.0) == 0


def test_an_answer_in_between_begins_the_count_anew():
    circuit = failed_by("a", "b", "c")
    circuit.answered()
    circuit.failed("d", 0.0)
    assert circuit.open_s(0.0) == 0


def test_after_the_pause_one_tries_while_the_others_are_still_refused():
    circuit = failed_by("a", "b", "c", "d")
    assert circuit.open_s(9.0) == 1
    assert circuit.open_s(10.0) == 0
    assert circuit.sent() is True
    assert circuit.open_s(10.0) == 10


def test_its_answer_closes_it_and_its_failure_opens_it_anew():
    closed, again = failed_by("a", "b", "c", "d"), failed_by("a", "b", "c", "d")
    for circuit in (closed, again):
        circuit.sent()
    closed.answered()
    again.failed("e", 11.0)
    assert closed.open_s(11.0) == 0
    assert closed.sent() is False
    assert again.open_s(11.0) == 10


def test_a_try_that_was_cancelled_leaves_it_to_the_next_one():
    circuit = failed_by("a", "b", "c", "d")
    circuit.sent()
    circuit.given_up()
    assert circuit.open_s(11.0) == 0
    assert circuit.sent() is True
