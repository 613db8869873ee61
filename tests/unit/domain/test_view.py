"""What callers see of a job whose calls took more than one round."""

from __future__ import annotations

from ditto.domain import events as ev
from ditto.domain.events import Failure
from ditto.domain.view import render
from tests.unit.domain.jobs import after, answered, begun, finished, spec, started

NUMBER = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def failed_after_a_reask():
    """One model answers at once, the other misses the schema and then dies."""
    job = answered(answered(started(begun(spec("a", "b", schema=NUMBER))), "a", '{"n": 1}'), "b", "no idea")
    failure = Failure(type="Overloaded", message="503", attempts=3, elapsed_s=2.0)
    return finished(after(started(job), ev.CallFailed(call="b", round=2, failure=failure)))


def test_the_slowest_model_is_timed_over_all_its_rounds():
    assert render(failed_after_a_reask())["timings"]["slowest"] == 2500.0


def test_attempts_of_a_failed_model_are_those_of_all_its_rounds():
    view = render(failed_after_a_reask())
    assert view["errors"]["b"]["attempts"] == 4
    assert view["usage"]["models"]["b"]["calls"] == 4


def test_attempts_of_a_schema_mismatch_are_counted_once():
    job = answered(answered(started(begun(spec("a", "b", schema=NUMBER))), "a", '{"n": 1}'), "b", "no idea")
    job = finished(answered(started(job), "b", "still none", round_=2))
    assert render(job)["errors"]["b"]["attempts"] == 2
