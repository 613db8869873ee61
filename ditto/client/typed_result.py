"""The type that a caller wants its result in: the JSON Schema that is sent, and the way back to an instance."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import PydanticUserError, TypeAdapter, ValidationError

from ditto.domain.job import JobState
from ditto.domain.view import JobView
from ditto.errors import BadRequest, ResultInvalid

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedResult(Generic[T]):
    """How a job's result is asked for and read.

    Attributes:
        schema: What is sent, None for text.
        adapter: Makes instances, None where the decoded JSON is wanted.
    """

    schema: dict[str, Any] | None
    adapter: TypeAdapter[T] | None

    def read(self, view: JobView[Any]) -> JobView[T]:
        """Returns the job with its result as an instance.

        Raises:
            ResultInvalid: The type's own validators refuse what the JSON Schema allowed.
        """
        if self.adapter is None or view.state is not JobState.COMPLETE:
            return view
        try:
            # As JSON, so that strict types take what JSON can say: a date is text there.
            value = self.adapter.validate_json(json.dumps(view.result))
        except ValidationError as error:
            raise ResultInvalid(_words(error), view.job_id, view.result) from error
        return view.model_copy(update={"result": value})


def typed_result(schema: Any) -> TypedResult[Any]:
    """Returns how results of this type are asked for and read.

    Args:
        schema: None for text, a JSON Schema, or any type that pydantic can make one of.

    Raises:
        BadRequest: It is neither.
    """
    if schema is None or isinstance(schema, dict):
        return TypedResult(schema=schema, adapter=None)
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(schema)
        return TypedResult(schema=adapter.json_schema(mode="validation"), adapter=adapter)
    except (PydanticUserError, NameError) as error:
        name = getattr(schema, "__name__", repr(schema))
        message = f"no JSON Schema can be made of {name}: {str(error).splitlines()[0]}"
        raise BadRequest("the request is wrong", [{"path": "schema", "message": message}]) from error


def _words(error: ValidationError) -> str:
    problems = []
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        where = "".join(f"/{part}" for part in item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        problems.append(f"{where}: {message}" if where else message)
    return "; ".join(problems)
