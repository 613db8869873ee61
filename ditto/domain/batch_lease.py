"""The right to run a batch, as it is asked for: one process has it at a time, and for so long as it says so again."""

from __future__ import annotations

from typing import Annotated

from pydantic import AliasGenerator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from ditto.domain.request import wrong_fields
from ditto.domain.spec import JSON
from ditto.errors import BadRequest


class BatchLease(BaseModel):
    """What is asked for.

    Attributes:
        name: Of what only one process may write.
        epoch: That of the holder that asks for more time; None: a new one, if there is none now.
        length: For so many milliseconds from now; 0: no longer.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, alias_generator=AliasGenerator(validation_alias=to_camel)
    )

    name: Annotated[str, Field(min_length=1, max_length=4096)]
    epoch: Annotated[int | None, Field(ge=1, le=2**31)] = None
    length: Annotated[float, Field(ge=0, le=600_000)] = 10_000


def parse_batch_lease(body: JSON) -> BatchLease:
    """Returns what decoded JSON asks for.

    Raises:
        BadRequest: `details` lists every wrong field with its path.
    """
    try:
        return BatchLease.model_validate(body)
    except ValidationError as error:
        raise BadRequest("the request is wrong", wrong_fields(error)) from None
