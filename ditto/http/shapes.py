"""The shapes of what the routes answer, for the OpenAPI document; a test holds the real answers against them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from ditto.domain.view import JobView


class JobResponse(JobView[Any]):
    """A job as its callers see it."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class JobsResponse(BaseModel):
    """One page of jobs; `cursor` asks for the next, null on the last."""

    jobs: list[JobResponse]
    cursor: str | None


class WrongField(BaseModel):
    """One wrong field of a request."""

    path: str
    message: str


class ErrorContent(BaseModel):
    """What happened to what; `details` depends on the type."""

    type: str
    message: str
    details: list[WrongField] | dict[str, Any] | None
    jobId: str | None = None


class ErrorResponse(BaseModel):
    """The one shape of all errors."""

    error: ErrorContent


class HealthResponse(BaseModel):
    status: Literal["alive", "ready"]
