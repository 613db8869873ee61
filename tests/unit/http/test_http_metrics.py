"""What was counted, as Prometheus's own parser reads it."""

from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families

from ditto.runtime import measures
from ditto.tally import Counted, Tally
from tests.fakes import FakeService

ODD = 'lab/"x"\\\n'


def samples(text: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.items())] = sample.value
    return found


async def test_each_actor_tells_its_own_counts(door: httpx.AsyncClient, service: FakeService) -> None:
    keeper, caller = Tally(), Tally()
    keeper.count(measures.JOBS, ("consensus", "complete"), 2)
    keeper.count(measures.SPARES, by=3)
    caller.count(measures.CALLS, ("lab", ODD, "reply"))
    for value in (0.3, 500.0):
        caller.observe(measures.CALL_SECONDS, ("lab", ODD), value)
    service.told = [
        Counted(actor="keeper", tally=keeper),
        Counted(actor="caller:0", tally=caller),
        Counted(actor="host:0", tally=None),
    ]

    response = await door.get("/metrics")

    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = samples(response.text)
    assert found["ditto_up"] == {
        (("actor", "keeper"),): 1,
        (("actor", "caller:0"),): 1,
        (("actor", "host:0"),): 0,
    }
    assert found["ditto_jobs_total"] == {(("actor", "keeper"), ("strategy", "consensus"), ("state", "complete")): 2}
    assert found["ditto_spares"] == {(("actor", "keeper"),): 3}
    labels = (("actor", "caller:0"), ("provider", "lab"), ("model", ODD))
    assert found["ditto_calls_total"] == {(*labels, ("outcome", "reply")): 1}
    assert found["ditto_call_seconds_sum"] == {labels: 500.3}
    assert found["ditto_call_seconds_count"] == {labels: 2}
    buckets = found["ditto_call_seconds_bucket"]
    assert [buckets[(*labels, ("le", bound))] for bound in ("0.25", "0.5", "320", "+Inf")] == [0, 1, 1, 2]
