"""The rows of a batch's output: what a job, or a row that could not be asked, is written as."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ditto.batching.source import BadRow, Row
from ditto.domain.spec import JSON
from ditto.domain.view import JobView
from ditto.errors import ServiceError

_JOB = ("jobId", "state", "host", "result")
VERDICT = (
    "answer",
    "confidence",
    "agreement",
    "needsReview",
    "intent",
    "chosenModel",
    "supportingModels",
    "dissent",
    "basis",
    "fields",
)
_REST = ("errors", "error", "warnings", "timings", "usage", "metadata")

COMPLETE = "complete"
ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What is known of a row that is in the output.

    Attributes:
        key: Of the row as it was asked: another key means that the row has changed.
        attempt: From 1; how often it has been asked, because it failed before.
        asked: There was a job.
    """

    key: str
    state: str
    attempt: int
    needs_review: bool
    asked: bool


def row_key(batch: str, row: Row | BadRow) -> str:
    """Returns what stands for this row of this batch with this content: the same again is the same job."""
    asked = row.request.fingerprint() if isinstance(row, Row) else ""
    parts = (batch, row.id, asked)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:40]


def idempotency_key(key: str, attempt: int) -> str:
    """Returns the key under which a row is asked: a new one for each attempt, or a failure would stay for ever."""
    return f"batch-{key}" if attempt == 1 else f"batch-{key}-{attempt}"


def of_job(row: Row, key: str, attempt: int, job: JobView[Any], *, responses: bool) -> dict[str, Any]:
    """Returns the output row of a job that has ended, the fields of its verdict beside those of the job."""
    wire = job.model_dump(mode="json", by_alias=True)
    verdict = wire["structured"] or {}
    record = {**_place(row), **{name: wire[name] for name in _JOB}}
    record |= {name: verdict.get(name) for name in VERDICT}
    if row.label is not None:
        record["label"] = row.label
    if responses:
        record["responses"] = wire["responses"]
    return record | {name: wire[name] for name in _REST} | {"key": key, "attempt": attempt}


def of_refusal(row: Row, key: str, attempt: int, error: ServiceError) -> dict[str, Any]:
    """Returns the output row of a request that the service did not take."""
    told = {"type": error.type, "message": error.message, "details": error.details}
    return _failed(row, key, attempt, told, error.job_id)


def of_bad_row(row: BadRow, key: str) -> dict[str, Any]:
    """Returns the output row of a row that could not be asked."""
    told = {"type": "BadRequest", "message": f"line {row.line} is wrong", "details": row.problems}
    return _failed(row, key, 1, told, None)


def done(record: Mapping[str, JSON]) -> Done:
    """Returns what an output row tells.

    Raises:
        KeyError, TypeError, ValueError: It is none.
    """
    return Done(
        key=str(record["key"]),
        state=sys.intern(str(record["state"])),  # one text for all rows
        attempt=int(record["attempt"]),
        needs_review=bool(record["needsReview"]),
        asked=record["jobId"] is not None,
    )


def _failed(row: Row | BadRow, key: str, attempt: int, error: JSON, job_id: str | None) -> dict[str, Any]:
    record: dict[str, Any] = {**_place(row), **dict.fromkeys(_JOB), **dict.fromkeys(VERDICT)}
    record |= {**dict.fromkeys(_REST), "errors": {}, "warnings": []}
    return record | {"jobId": job_id, "state": ERROR, "error": error, "key": key, "attempt": attempt}


def _place(row: Row | BadRow) -> dict[str, Any]:
    return {"id": row.id, **({} if row.file is None else {"file": row.file}), "line": row.line}


def as_json(value: JSON) -> str:
    """Returns a value as a line of JSON."""
    return json.dumps(value, ensure_ascii=False)
