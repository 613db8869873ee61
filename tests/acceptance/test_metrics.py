"""The metrics page shows what every process has counted, and each job leaves a line in the log."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import httpx
import ray
from prometheus_client.parser import text_string_to_metric_families

from ditto.runtime import cluster

MODELS = ["sim/terse+slow=17ms", "sim/wordy+fail=400"]
COMPLETE = ("ditto_jobs_total", "consensus", "complete")
PROMPT = "What is 6 * 7? zebra-marker"


def counts(http: httpx.Client) -> Counter[tuple[str, ...]]:
    found: Counter[tuple[str, ...]] = Counter()
    for family in text_string_to_metric_families(http.get("/metrics").raise_for_status().text):
        for sample in family.samples:
            labels = [value for label, value in sample.labels.items() if label != "actor"]
            found[(sample.name, *labels)] += sample.value
    return found


def settled(http: httpx.Client) -> Counter[tuple[str, ...]]:
    """Returns what was counted, once nothing is told any more of the jobs of other tests."""
    before = counts(http)
    for _ in range(20):
        time.sleep(1)
        now = counts(http)
        if now[COMPLETE] == before[COMPLETE]:
            return now
        before = now
    raise AssertionError("other jobs go on ending")


def test_jobs_on_hosts_and_in_actors_of_their_own_are_counted_with_their_calls(http):
    before = settled(http)
    for placement in ("shared", "dedicated"):
        body = {"prompt": PROMPT, "models": MODELS, "placement": placement}
        assert http.post("/llm", json=body).json()["state"] == "complete"
    until = time.monotonic() + 20
    while (new := counts(http) - before)[COMPLETE] < 2:
        assert time.monotonic() < until, new
        time.sleep(0.2)
    assert new[COMPLETE] == 2
    assert new["ditto_job_seconds_count", "consensus"] == 2
    assert new["ditto_calls_total", "sim", MODELS[0], "reply"] == 2
    assert new["ditto_calls_total", "sim", MODELS[1], "BadRequest"] == 2
    assert new["ditto_call_seconds_count", "sim", MODELS[0]] == 2
    assert new["ditto_tokens_total", "sim", MODELS[0], "input"] > 0
    assert new["ditto_commits_total",] > 0
    page = http.get("/metrics").text
    assert "zebra-marker" not in page
    assert 'ditto_up{actor="keeper"} 1' in page
    assert "} 0\n" not in "".join(line for line in page.splitlines(keepends=True) if line.startswith("ditto_up"))


def test_a_job_leaves_one_line_in_the_log_without_its_prompt(http, serving):
    job = http.post("/llm", json={"prompt": PROMPT, "models": MODELS}).json()
    cluster.join(serving.ray)
    try:
        logs = Path(ray._private.worker.global_worker.node.get_logs_dir_path())
    finally:
        cluster.leave()
    until = time.monotonic() + 10
    while not (lines := said_of(job["jobId"], logs)):
        assert time.monotonic() < until
        time.sleep(0.2)
    (line,) = lines
    assert (line["said"], line["state"], line["calls"]) == ("job ended", "complete", job["usage"]["calls"])
    assert line["failed"] == {MODELS[1]: "BadRequest"}
    assert "zebra-marker" not in str(line)


def said_of(job_id: str, logs: Path) -> list[dict[str, object]]:
    lines = [line for log in logs.glob("worker-*.err") for line in log.read_text().splitlines() if job_id in line]
    return [json.loads(line) for line in lines]
