"""Two callers of one service hold a provider's limit together, find one that nobody has set, and lose no call."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import ray

from ditto.runtime import cluster
from tests.acceptance.conftest import Serving, service, simulated_models
from tests.acceptance.test_metrics import counts

SET, UNSET = "sim/terse+allow=20", "sim/wordy+allow=50"
ENOUGH_S = 200.0


@pytest.fixture(scope="module")
def two_callers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder: Path = tmp_path_factory.mktemp("limits")
    limits = {
        "DITTO_RATE_LIMITS": json.dumps({SET: {"requests_per_second": 20}}),
        "DITTO_RUNTIME__CALLERS": "2",
        "DITTO_RUNTIME__SPARES": "0",
    }
    with simulated_models(folder) as sim, service(folder, sim, **limits) as running:
        yield running


async def asked_at_once(serving: Serving, model: str, times: int) -> Counter[str]:
    """Returns how so many jobs ended that were all given at once."""
    async with httpx.AsyncClient(base_url=serving.url, timeout=ENOUGH_S) as client:

        async def ask(number: int) -> str:
            body = {"prompt": f"What is {number} + 1?", "models": [model], "placement": "shared", "maxRetries": 6}
            return str((await client.post("/llm", json=body)).json().get("state", "error"))

        return Counter(await asyncio.gather(*(ask(number) for number in range(times))))


def statuses(serving: Serving) -> dict[str, int]:
    found: dict[str, int] = httpx.get(f"{serving.sim}/sim/counts").json()["statuses"]
    return found


def test_two_callers_keep_to_a_set_limit_together_also_while_the_keeper_is_begun_anew(two_callers):
    cluster.join(two_callers.ray)
    try:
        ray.kill(ray.get_actor("keeper", namespace="ditto"), no_restart=False)
    finally:
        cluster.leave()
    began = time.monotonic()
    ended = asyncio.run(asked_at_once(two_callers, SET, 100))
    assert ended == {"complete": 100}
    assert statuses(two_callers).get("429", 0) <= 10  # some, where the machine stands still for a moment
    assert time.monotonic() - began >= 100 / 20 * 0.9


def test_two_callers_find_a_limit_that_nobody_has_set_and_lose_no_call(two_callers):
    ended = asyncio.run(asked_at_once(two_callers, UNSET, 150))
    with httpx.Client(base_url=two_callers.url, timeout=60) as http:
        counted = counts(http)
    assert ended == {"complete": 150}
    assert counted["ditto_calls_total", "sim", UNSET, "reply"] == 150
    assert 0 < counted["ditto_rate_limited_total", "sim", UNSET] <= statuses(two_callers)["429"]
    assert counted["ditto_rate_limited_seconds_total", "sim", UNSET] > 0
    assert counted["ditto_turn_seconds_count", "sim", UNSET] > 0
    assert counted["ditto_found_rate", "sim", UNSET] > 0
