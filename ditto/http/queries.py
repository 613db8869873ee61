"""The query strings of the routes, checked like the fields of a body."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.datastructures import QueryParams
from starlette.requests import HTTPConnection

from ditto.domain.job import JobState
from ditto.domain.request import wrong_fields
from ditto.errors import BadRequest

_METADATA = "metadata."
_MAX_WAIT_MS = 300_000
_MAX_SEQ = 2**53


class Query(BaseModel):
    """A route that takes nothing in its query string."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class JobQuery(Query):
    """How long, in milliseconds, to wait for the end of the job."""

    wait: Annotated[float, Field(ge=0, le=_MAX_WAIT_MS, allow_inf_nan=False)] = 0


class EventsQuery(Query):
    """The journal number after which the events begin."""

    after: Annotated[int, Field(ge=0, le=_MAX_SEQ)] = 0


class JobsQuery(Query):
    """Which jobs are listed: all conditions hold. `metadata.key=value` compares values as text."""

    state: JobState | None = None
    needs_review: Annotated[bool | None, Field(validation_alias=AliasChoices("needsReview", "needs_review"))] = None
    metadata: dict[str, str] = {}
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str | None, Field(min_length=1, max_length=1000)] = None

    @model_validator(mode="before")
    @classmethod
    def _gathered(cls, given: Any) -> Any:
        if "metadata" in given:
            raise ValueError("metadata is asked for as metadata.key=value")
        if "needsReview" in given and "needs_review" in given:
            raise ValueError("needsReview and needs_review are one field: give it once")
        metadata = {name.removeprefix(_METADATA): given[name] for name in given if name.startswith(_METADATA)}
        if "" in metadata:
            raise ValueError("metadata is asked for as metadata.key=value")
        return {**{name: given[name] for name in given if not name.startswith(_METADATA)}, "metadata": metadata}


Q = TypeVar("Q", bound=Query)


def check_none(connection: HTTPConnection) -> None:
    """Returns where a route that takes nothing in its query string is given nothing.

    Raises:
        BadRequest: `details` lists every field that is given.
    """
    if connection.scope.get("query_string"):
        read(Query, connection.query_params)


def read(kind: type[Q], params: QueryParams) -> Q:
    """Returns the query string as this kind.

    Raises:
        BadRequest: `details` lists every wrong field.
    """
    given: dict[str, str] = {}
    twice: list[str] = []
    for name, value in params.multi_items():
        if name in given:
            twice.append(name)
        given[name] = value
    if twice:
        raise BadRequest("the query is wrong", [{"path": name, "message": "is given more than once"} for name in twice])
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise BadRequest("the query is wrong", wrong_fields(error)) from None
