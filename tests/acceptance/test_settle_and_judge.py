"""Settling early and asking a judge, in a running service with simulated models: what is dropped is cancelled there."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

import httpx

from ditto.client.sync_client import Ditto
from tests.acceptance.conftest import DITTO, Serving

WAIT_S = 20
QUICK = ["sim/terse", "sim/careful", "sim/friendly"]
RIGHT, WRONG = "sim/terse+reasoning", "sim/contrary+reasoning"
"""Nobody else asks these, so that nothing was learned of them from other jobs and one vote each is a tie."""


def ended_as(sim: str, model: str, ending: str) -> int:
    """Returns how many requests to a simulated model have ended so: `answered`, `aborted` or `failed`."""
    counted: dict[str, Any] = httpx.get(f"{sim}/sim/counts").raise_for_status().json()
    return int(counted["models"].get(model, {}).get(ending, 0))


def cancelled(sim: str, model: str) -> bool:
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        if ended_as(sim, model, "aborted"):
            return True
        time.sleep(0.05)
    return False


def test_a_decided_answer_waits_for_nobody_and_cancels_the_rest_at_the_model(serving: Serving) -> None:
    hung = "wordy+hang+think"
    body = {"prompt": "What is 19 * 23?", "models": [*QUICK, f"sim/{hung}"], "answer": "number", "settle": "decided"}

    job = httpx.post(f"{serving.url}/llm", json=body, timeout=WAIT_S).raise_for_status().json()

    assert job["structured"]["answer"] == 437
    # By what was learned from other tests' jobs, two replies may outweigh a quick one that is still missing as well.
    assert {error["type"] for error in job["errors"].values()} == {"Cancelled"}
    assert f"sim/{hung}" in job["errors"]
    assert job["usage"]["saved"] == len(job["errors"])
    assert cancelled(serving.sim, hung)


def test_a_confidence_that_is_enough_settles_from_python(serving: Serving) -> None:
    with Ditto(serving.url) as client:
        job = client.ask(
            "What is 31 * 3?", models=[*QUICK, "sim/terse+hang"], answer="number", settle={"confident": 0.5}
        )

    assert job.structured is not None
    assert (job.structured.answer, job.usage.saved >= 1) == (93, True)
    assert job.structured.confidence is not None
    assert job.structured.confidence >= 0.5


def test_a_judge_decides_a_tie_by_what_it_finds_itself(serving: Serving) -> None:
    body = {"prompt": "What is 12 * 12?", "models": [WRONG, RIGHT], "judge": "sim/careful"}

    job = httpx.post(f"{serving.url}/llm", json=body, timeout=WAIT_S).raise_for_status().json()

    verdict = job["structured"]
    assert (verdict["answer"], verdict["chosenModel"], verdict["basis"]["kind"]) == (144, RIGHT, "judge")
    assert verdict["judge"]["chosen"] == RIGHT
    assert sorted(verdict["judge"]["order"]) == [WRONG, RIGHT]
    assert [dissent["models"] for dissent in verdict["dissent"]] == [[WRONG]]
    assert job["usage"]["models"]["sim/careful"]["calls"] == 1


def test_a_judge_that_fails_leaves_the_vote_and_says_so(serving: Serving) -> None:
    judges = {"sim/terse+nokey": "AuthenticationFailed", "sim/terse+badjson": "named none of the replies"}
    for judge, words in judges.items():
        body = {"prompt": "What is 12 * 12?", "models": [WRONG, RIGHT], "judge": judge}

        job = httpx.post(f"{serving.url}/llm", json=body, timeout=WAIT_S).raise_for_status().json()

        assert job["structured"]["judge"] is None
        (warning,) = [warning for warning in job["warnings"] if judge in warning and "stands" in warning]
        assert words in warning


def test_the_events_of_a_judged_job_tell_the_order_in_which_it_saw_the_replies(serving: Serving) -> None:
    body = {"prompt": "What is 13 * 13?", "models": [WRONG, RIGHT], "judge": "sim/careful"}
    job = httpx.post(f"{serving.url}/llm", json=body, timeout=WAIT_S).raise_for_status().json()

    text = httpx.get(f"{serving.url}/jobs/{job['jobId']}/events", timeout=WAIT_S).text

    events = [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")]
    started = next(event for event in events if event["kind"] == "judge.started")
    assert started["order"] == job["structured"]["judge"]["order"]
    assert [event["kind"] for event in events[-2:]] == ["judge.completed", "job.completed"]


def test_the_command_line_tells_the_judges_word_and_who_was_not_waited_for(serving: Serving) -> None:
    arguments = [DITTO, "run", "What is 14 * 14?", "--url", serving.url, "--judge", "sim/careful", "--settle", "0.01"]
    for model in (RIGHT, WRONG, "sim/careful+hang"):
        arguments += ["--model", model]

    said = subprocess.run(arguments, capture_output=True, text=True, timeout=60, env=serving.environ, check=True).stdout

    lines = dict(line.split(None, 1) for line in said.splitlines() if " " in line)
    assert lines["judge"].startswith(f"sim/careful chose {RIGHT}: Reply ")
    assert lines["saved"] == "sim/careful+hang: not waited for: the confidence had reached 0.01"
