"""What can still be said and done about a complete job: its replies are merged anew, its result is judged."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.fakes import FakeService, Held

ASKED = {"prompt": "Is it so?", "models": ["sim/a", "sim/b", "sim/c"]}


@pytest.fixture
async def job(door: httpx.AsyncClient, service: FakeService) -> dict[str, Any]:
    service.replies = {"sim/a": "Yes.", "sim/b": "No.", "sim/c": "Yes."}
    done: dict[str, Any] = (await door.post("/llm", json=ASKED)).json()
    assert done["structured"]["answer"] == "yes"
    return done


async def test_other_weights_give_another_verdict_and_the_first_one_stays(
    door: httpx.AsyncClient, job: dict[str, Any]
) -> None:
    path = f"/jobs/{job['jobId']}"
    merged = (await door.post(f"{path}/merge", json={"weights": {"sim/b": 5}})).json()
    assert merged["structured"] == job["structured"]
    (last,) = merged["merges"]
    assert (last["structured"]["answer"], last["structured"]["chosenModel"]) == ("no", "sim/b")
    assert last["weights"] == {"sim/b": 5}
    assert (await door.get(path)).json() == merged


async def test_another_schema_is_filled_from_the_replies_that_are_there(
    door: httpx.AsyncClient, job: dict[str, Any]
) -> None:
    schema = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]}
    refused = await door.post(f"/jobs/{job['jobId']}/merge", json={"schema": schema})
    assert refused.status_code == 409
    assert "no reply" in refused.json()["error"]["message"]


async def test_feedback_is_kept_with_the_job_and_the_last_word_counts(
    door: httpx.AsyncClient, job: dict[str, Any]
) -> None:
    path = f"/jobs/{job['jobId']}"
    assert job["feedback"] is None
    await door.post(f"{path}/feedback", json={"correct": True})
    await door.post(f"{path}/feedback", json={"answer": "no"})
    assert (await door.get(path)).json()["feedback"] == {"correct": None, "answer": "no"}


@pytest.mark.parametrize(
    ("route", "body", "path"),
    [
        ("merge", {"weights": {"sim/z": 1}}, "weights.sim/z"),
        ("merge", {"weights": {"sim/a": -1}}, "weights.sim/a"),
        ("merge", {"prompt": "x"}, "prompt"),
        ("merge", {"answer": "colour"}, "answer"),
        ("feedback", {}, "correct"),
        ("feedback", {"correct": True, "answer": "yes"}, "correct"),
        ("feedback", {"correct": "yes"}, "correct"),
        ("feedback", {"right": True}, "right"),
    ],
)
async def test_a_wrong_body_is_named(
    door: httpx.AsyncClient, job: dict[str, Any], route: str, body: dict[str, Any], path: str
) -> None:
    refused = await door.post(f"/jobs/{job['jobId']}/{route}", json=body)
    assert refused.status_code == 400
    assert [item["path"] for item in refused.json()["error"]["details"]] == [path]


@pytest.mark.parametrize(("route", "body"), [("merge", {}), ("feedback", {"correct": True})])
async def test_a_job_that_is_not_complete_and_one_that_is_not_there_are_refused(
    door: httpx.AsyncClient, service: FakeService, route: str, body: dict[str, Any]
) -> None:
    service.replies = {"sim/held": Held()}
    begun = (await door.post("/jobs", json={"prompt": "Is it so?", "models": ["sim/held"]})).json()
    assert (await door.post(f"/jobs/{begun['jobId']}/{route}", json=body)).status_code == 409
    assert (await door.post(f"/jobs/01JOB/{route}", json=body)).status_code == 404
