"""A reply that kills whoever merges it takes a shared host down a few times, not for ever; its job alone fails."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import httpx

from tests.acceptance.conftest import service

POISON = Path(__file__).parent / "poison"
OTHERS = 20
WAIT_MS = 120_000


def test_the_job_ends_as_a_crash_loop_and_those_beside_it_end_well(tmp_path, sim):
    httpx.post(f"{sim}/sim/reset")
    with service(tmp_path, sim, PYTHONPATH=str(POISON)) as serving, httpx.Client(base_url=serving.url) as http:
        slow = {"prompt": "What is 9 * 9?", "models": ["sim/terse+slow=6s"], "placement": "shared"}
        others = [http.post("/jobs", json=slow, timeout=60).json()["jobId"] for _ in range(OTHERS)]
        bad = {"prompt": "Repeat this word: POISON", "models": ["sim/terse"], "placement": "shared"}
        poison = http.post("/jobs", json=bad, timeout=60).json()["jobId"]
        ended = http.get(f"/jobs/{poison}", params={"wait": WAIT_MS}, timeout=130).json()
        states = Counter(
            http.get(f"/jobs/{job}", params={"wait": WAIT_MS}, timeout=130).json()["state"] for job in others
        )
        waited = http.get(f"/jobs/{poison}/events").text
    assert ended["state"] == "error"
    assert ended["error"]["type"] == "CrashLoop"
    assert states == {"complete": OTHERS}
    assert 4 <= waited.count("event: job.adopted") <= 6
    models = httpx.get(f"{sim}/sim/counts").json()["models"]
    assert {name: counts["started"] for name, counts in models.items()} == {"terse+slow=6s": OTHERS, "terse": 1}
