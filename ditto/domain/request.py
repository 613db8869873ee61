"""A request as a caller sends it, checked field by field; camelCase on the wire, snake_case in Python.

Both spellings are taken, one field in both is refused. What is the caller's own (`metadata`, `schema`) is never
renamed. `parse` reports every wrong field at once.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AliasChoices,
    AliasGenerator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from ditto.domain import schemas
from ditto.domain.spec import JSON, AnswerKind, Placement, SettleRule, StrategyName
from ditto.errors import BadRequest

Temperature = Annotated[float, Field(ge=0, le=2)]
TopP = Annotated[float, Field(gt=0, le=1)]


def _whole(value: Any) -> Any:
    """Returns 2 for 2.0: JSON has one kind of number, and its integers are those without a fraction."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
MaxTokens = Annotated[int, Field(ge=1), WHOLE]
ModelName = Annotated[str, WithJsonSchema({"type": "string", "pattern": r"\S", "not": {"pattern": r"#\d+$"}})]
Choices = Annotated[list[Annotated[str, Field(pattern=r"\S")]], Field(min_length=1)]

_SEAT = re.compile(r"#\d+$")
_MAX_DEPTH = 100
_MAX_BITS = 14_000
"""Of an integer: a few more, and Python refuses to write it in digits."""


def _both_spellings(name: str) -> AliasChoices:
    plain = name.rstrip("_")
    return AliasChoices(to_camel(plain), plain)


class RequestMessage(BaseModel):
    """One turn of a conversation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Literal["system", "user", "assistant"]
    content: Annotated[str, Field(min_length=1)]


class RequestConfident(BaseModel):
    """Settle once the confidence is at least this."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    confident: Annotated[float, Field(ge=0, le=1)]


class Request(BaseModel):
    """What a job is asked; the fields are those of the wire contract, times in milliseconds."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        alias_generator=AliasGenerator(
            validation_alias=_both_spellings, serialization_alias=lambda name: to_camel(name.rstrip("_"))
        ),
    )

    prompt: str | None = None
    messages: Annotated[list[RequestMessage], Field(min_length=1)] | None = None
    models: Annotated[list[ModelName], Field(min_length=1, max_length=1000)] | None = None
    ensemble: str | None = None
    strategy: StrategyName | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    max_tokens: MaxTokens | None = None
    stop: Annotated[list[str], Field(max_length=16)] | None = None
    seed: Annotated[int, WHOLE] | None = None
    system: str | None = None
    max_retries: Annotated[int, Field(ge=0, le=10), WHOLE] | None = None
    timeout: Annotated[float, Field(gt=0, le=86_400_000)] | None = None
    grace: Annotated[float, Field(ge=0, le=86_400_000)] | None = None
    deadline: Annotated[float, Field(gt=0, le=604_800_000)] | None = None
    metadata: dict[str, Any] | None = None
    schema_: dict[str, Any] | None = None
    min_responses: Annotated[int, Field(ge=1), WHOLE] | None = None
    settle: SettleRule | RequestConfident | None = None
    weights: dict[str, Annotated[float, Field(ge=0, le=1e6)]] | None = None
    answer: Annotated[AnswerKind | Choices | None, Field(union_mode="left_to_right")] = None
    judge: str | None = None
    samples: Annotated[int, Field(ge=1, le=100), WHOLE] | None = None
    placement: Placement | None = None
    on_disconnect: Literal["continue", "cancel"] | None = None
    idempotency_key: Annotated[str, Field(min_length=1, max_length=255)] | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _encodable(cls, value: Any) -> Any:
        _check_depth(value)
        _check_encodable(value)
        return value

    @field_validator("metadata", "schema_", mode="before")
    @classmethod
    def _is_json(cls, value: Any) -> Any:
        _check_json(value)
        return value

    @field_validator("strategy", "placement", mode="before")
    @classmethod
    def _known_name(cls, value: Any, info: ValidationInfo) -> Any:
        return _member({"strategy": StrategyName, "placement": Placement}[str(info.field_name)], value)

    @field_validator("answer", mode="before")
    @classmethod
    def _kind_or_choices(cls, value: Any) -> Any:
        if value is None or isinstance(value, str):
            return _member(AnswerKind, value)
        if isinstance(value, list) and value and all(isinstance(choice, str) and choice.strip() for choice in value):
            return value
        raise ValueError(f"must be one of {', '.join(AnswerKind)}, or a list of the allowed answers")

    @field_validator("prompt")
    @classmethod
    def _not_blank(cls, value: str | None) -> str | None:
        if value is not None and not value.strip():
            raise ValueError("is blank")
        return value

    @field_validator("messages")
    @classmethod
    def _ends_with_user(cls, value: list[RequestMessage] | None) -> list[RequestMessage] | None:
        if value is not None and (value[-1].role != "user" or not value[-1].content.strip()):
            raise ValueError("the last message must be a user's, and not blank")
        return value

    @field_validator("models")
    @classmethod
    def _no_seats(cls, value: list[str] | None) -> list[str] | None:
        for name in value or []:
            if not name.strip():
                raise ValueError("a model's name is blank")
            if _SEAT.search(name):
                raise ValueError(f"{name!r} ends in # and digits: that is how Ditto names repeated models itself")
        return value

    @field_validator("idempotency_key")
    @classmethod
    def _no_nul(cls, value: str | None) -> str | None:
        if value is not None and "\0" in value:
            raise ValueError("holds a NUL character, which no database keeps")
        return value

    @field_validator("schema_")
    @classmethod
    def _usable_schema(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        if value is not None:
            wrong = schemas.complaints(value)
            if wrong:
                raise ValueError("; ".join(wrong))
        return value

    @field_validator("settle", mode="before")
    @classmethod
    def _known_rule(cls, value: Any) -> Any:
        if isinstance(value, str) and value in list(SettleRule):
            return SettleRule(value)
        if value is None or isinstance(value, RequestConfident) or _is_probability_of(value, "confident"):
            return value
        raise ValueError('must be "all", "decided", or {"confident": p} with p from 0 to 1')

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.prompt is None) == (self.messages is None):
            raise ValueError("give exactly one of prompt and messages")
        if self.models is not None and self.ensemble is not None:
            raise ValueError("give models or ensemble, not both")
        if self.system is not None and any(m.role == "system" for m in self.messages or []):
            raise ValueError("give the system prompt once: as system, or among the messages")
        return self

    def to_wire(self) -> dict[str, Any]:
        """Returns the fields that were given, as the wire spells them."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def fingerprint(self) -> str:
        """Returns what makes two requests the same job: every field given, but metadata and the key itself."""
        asked = {k: v for k, v in self.to_wire().items() if k not in ("metadata", "idempotencyKey") and v is not None}
        return json.dumps(asked, sort_keys=True, ensure_ascii=False)


def differing(one: str, other: str) -> list[dict[str, str]]:
    """Returns the fields in which two fingerprints differ, as `{"path", "message"}`."""
    first, second = json.loads(one), json.loads(other)
    names = [name for name in {**first, **second} if first.get(name) != second.get(name)]
    return [{"path": name, "message": "differs from the request that took this key"} for name in names]


def parse(body: JSON) -> Request:
    """Returns the request in decoded JSON.

    Raises:
        BadRequest: `details` lists every wrong field with its path.
    """
    if not isinstance(body, Mapping):
        raise BadRequest("the request is wrong", [{"path": "", "message": "must be a JSON object"}])
    doubled = _doubled(body)
    once = {name: value for name, value in body.items() if name not in doubled}
    try:
        request = Request.model_validate(once)
    except ValidationError as error:
        raise BadRequest("the request is wrong", [*doubled.values(), *wrong_fields(error)]) from None
    if doubled:
        raise BadRequest("the request is wrong", list(doubled.values()))
    return request


def wrong_fields(error: ValidationError) -> list[dict[str, str]]:
    """Returns every wrong field as `{"path", "message"}`, the path in the wire's spelling."""
    found: dict[tuple[str, str], None] = {}
    for item in error.errors(include_url=False, include_input=False, include_context=True):
        path = ".".join(str(part) for part in item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = "unknown field"
        found[(path, message)] = None
    return [{"path": path, "message": message} for path, message in found]


_SPELLED = {name: to_camel(name) for name in (field.rstrip("_") for field in Request.model_fields)}


def _doubled(body: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Returns the complaint about each field that stands in both spellings, by its snake_case name."""
    return {
        name: {"path": camel, "message": f"is the same field as {name}: give it once"}
        for name, camel in _SPELLED.items()
        if camel != name and name in body and camel in body
    }


def _member(kind: type[StrEnum], value: Any) -> Any:
    if value is None or isinstance(value, kind):
        return value
    if value not in list(kind):
        raise ValueError(f"{value!r} is none of {', '.join(kind)}")
    return kind(value)


def _is_probability_of(value: Any, name: str) -> bool:
    if not isinstance(value, Mapping) or set(value) != {name}:
        return False
    probability = value[name]
    return isinstance(probability, int | float) and not isinstance(probability, bool) and 0 <= probability <= 1


def _check_depth(value: JSON, depth: int = 0) -> None:
    if depth > _MAX_DEPTH:
        raise ValueError(f"is nested deeper than {_MAX_DEPTH} levels")
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        _check_depth(child, depth + 1)


def _check_encodable(value: JSON) -> None:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("holds half of a surrogate pair, which is no text") from None
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("holds a number that is not finite")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_encodable(key)
            _check_encodable(item)
    elif isinstance(value, list):
        for item in value:
            _check_encodable(item)


def _check_json(value: Any) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError(f"holds a key that is no text, but {_kind(key)}")
            _check_json(item)
    elif isinstance(value, list):
        for item in value:
            _check_json(item)
    elif isinstance(value, int):
        if value.bit_length() > _MAX_BITS:
            raise ValueError("holds an integer with too many digits")
    elif not isinstance(value, str | float | None):
        raise ValueError(f"holds {_kind(value)}, which is no JSON")


def _kind(value: object) -> str:
    return f"a value of type {type(value).__name__}"
