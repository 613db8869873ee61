"""The right to run a batch, asked for over HTTP."""

from __future__ import annotations

from typing import Any

import pytest


async def test_it_is_taken_kept_and_given_back(door: Any) -> None:
    begun = await door.post("/batches/lease", json={"name": "b"})
    refused = await door.post("/batches/lease", json={"name": "b"})
    kept = await door.post("/batches/lease", json={"name": "b", "epoch": 1, "length": 20_000})
    ended = await door.post("/batches/lease", json={"name": "b", "epoch": 1, "length": 0})
    again = await door.post("/batches/lease", json={"name": "b"})

    assert (begun.status_code, begun.json()) == (200, {"epoch": 1})
    assert (refused.status_code, refused.json()["error"]["type"]) == (409, "Conflict")
    assert (kept.json(), ended.json(), again.json()) == ({"epoch": 1}, {"epoch": 1}, {"epoch": 2})


@pytest.mark.parametrize(
    ("body", "path"),
    [({}, "name"), ({"name": ""}, "name"), ({"name": "b", "epoch": 0}, "epoch"), ({"name": "b", "days": 1}, "days")],
)
async def test_wrong_fields_are_named(door: Any, body: dict[str, Any], path: str) -> None:
    answer = await door.post("/batches/lease", json=body)

    assert answer.status_code == 400
    assert [wrong["path"] for wrong in answer.json()["error"]["details"]] == [path]
