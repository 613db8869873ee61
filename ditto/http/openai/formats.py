"""What form an answer is to have: text, any JSON object, or what a JSON Schema says."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_NAME = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
_OBJECT = {"type": "object"}


class _Format(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Text(_Format):
    """Text."""

    type: Literal["text"]

    @property
    def wanted(self) -> dict[str, Any] | None:
        return None


class AnyObject(_Format):
    """A JSON object, whatever is in it."""

    type: Literal["json_object"]

    @property
    def wanted(self) -> dict[str, Any] | None:
        return _OBJECT


class _Described(_Format):
    """A schema with its name. Ditto holds every answer to the schema, whatever `strict` says."""

    name: Annotated[str, _NAME]
    description: str | None = None
    schema_: Annotated[dict[str, Any], Field(alias="schema", min_length=1)]
    strict: bool | None = None

    @property
    def wanted(self) -> dict[str, Any] | None:
        """The schema for Ditto's own request; the description is a part of it."""
        described = {} if self.description is None else {"description": self.description}
        return {**described, **self.schema_}


class NamedSchema(_Described):
    """The schema of a chat completion."""


class ChatSchema(_Format):
    """What a JSON Schema says, as chat completions name it."""

    type: Literal["json_schema"]
    json_schema: NamedSchema

    @property
    def wanted(self) -> dict[str, Any] | None:
        return self.json_schema.wanted


class FlatSchema(_Described):
    """What a JSON Schema says, as the responses API names it."""

    type: Literal["json_schema"]


ChatFormat = Annotated[Text | AnyObject | ChatSchema, Field(discriminator="type")]
ResponseFormat = Annotated[Text | AnyObject | FlatSchema, Field(discriminator="type")]
