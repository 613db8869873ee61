"""`POST /batches/lease`: only one process at a time runs a batch, wherever it is started."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from ditto.domain.batch_lease import BatchLease, parse_batch_lease
from ditto.http import bodies, examples, openapi, queries
from ditto.http.door import door_of
from ditto.http.responses import Json


class LeaseResponse(BaseModel):
    """The lease's epoch, by which it is renewed."""

    epoch: int


_HELD: dict[str, Any] = examples.error("Conflict", "another process runs the batch /data/answers.jsonl")
LEASE = openapi.own_operation(
    "leaseBatch",
    "Take, keep or give back the right to run a batch",
    "batches",
    body={
        "schema": BatchLease.model_json_schema(by_alias=True, ref_template=openapi.REFS),
        "examples": {
            "begun": {"summary": "Take it", "value": {"name": "/data/answers.jsonl"}},
            "kept": {"summary": "Keep it", "value": {"name": "/data/answers.jsonl", "epoch": 1, "length": 10_000}},
            "ended": {"summary": "Give it back", "value": {"name": "/data/answers.jsonl", "epoch": 1, "length": 0}},
        },
    },
    succeeds={200: openapi.success("The lease's epoch.", LeaseResponse, {"epoch": 1})},
    fails=(400, 408, 409, 413, 415, 500, 503),
    conflict=("Another process has it.", _HELD),
)
router = APIRouter()


@router.post("/batches/lease", **LEASE)
async def lease(request: Request) -> Response:
    """Gives one process at a time the right to run a batch, for `length` milliseconds from now.

    Without `epoch` it is taken, if nobody has it; with it, it is kept for longer, or with a length of 0 given back.
    """
    queries.check_none(request)
    door = door_of(request)
    asked = parse_batch_lease(await bodies.read_json(request, door.limits))
    return Json({"epoch": await asyncio.shield(door.background.start(door.service.hold_batch(asked)))})
