"""What both of OpenAI's contracts come to: Ditto's own request, and how its answer is to be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ditto.domain.request import Request, parse, wrong_fields
from ditto.domain.spec import JSON, StrategyName
from ditto.errors import BadRequest
from ditto.http.openai import extras
from ditto.http.openai.extras import Streaming
from ditto.http.openai.models import Panel

B = TypeVar("B", bound=BaseModel)
_TAGS = frozenset({"text", "json_object", "json_schema"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Ditto's own request, and what a stream of its answer shows."""

    request: Request
    streaming: Streaming


def read(kind: type[B], body: JSON) -> B:
    """Returns the decoded body as this kind.

    Raises:
        BadRequest: `details` lists every wrong field with its path.
    """
    if not isinstance(body, Mapping):
        raise BadRequest("the request is wrong", [{"path": "", "message": "must be a JSON object"}])
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        raise BadRequest("the request is wrong", [_untagged(wrong) for wrong in wrong_fields(error)]) from None


def compose(
    panel: Panel,
    fields: Mapping[str, Any],
    *,
    user: str | None,
    metadata: Mapping[str, Any] | None,
    streams: bool,
    own: dict[str, Any] | None,
    key: str | None,
) -> Asked:
    """Returns what is asked. Without an idempotency key a hang-up cancels the job, unless `own` says otherwise.

    Args:
        fields: For Ditto's own request; None is left out.
        user: Kept as `user` in the metadata.
        streams: Whether the answer is streamed.
        own: The request's object `ditto`.
        key: The idempotency key of the header.

    Raises:
        BadRequest: `details` lists every wrong field with its path.
    """
    streaming, extra = extras.split(own)
    if streaming == "first":
        _check_first(panel, streams=streams)
    if key is None and "onDisconnect" not in extra and "on_disconnect" not in extra:
        extra["onDisconnect"] = "cancel"
    given = {**fields, "metadata": _metadata(user, metadata), "idempotencyKey": key}
    request = parse({**panel.fields, **{name: value for name, value in given.items() if value is not None}, **extra})
    return Asked(request=request, streaming=streaming)


def _check_first(panel: Panel, *, streams: bool) -> None:
    if not streams:
        why = "shows the first reply of a stream: it needs stream: true"
    elif panel.strategy is StrategyName.COOPERATIVE:
        why = "is for a panel that votes: of a cooperative one the last reply is the answer"
    else:
        return
    raise BadRequest("the request is wrong", [{"path": "ditto.stream", "message": f'"first" {why}'}])


def _metadata(user: str | None, metadata: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if user is None:
        return None if metadata is None else dict(metadata)
    if metadata is not None and metadata.get("user", user) != user:
        message = "is kept as metadata.user, and there is another one"
        raise BadRequest("the request is wrong", [{"path": "user", "message": message}])
    return {**(metadata or {}), "user": user}


def _untagged(wrong: dict[str, str]) -> dict[str, str]:
    """Returns the complaint without the kind of format in its path, which is none of the caller's fields."""
    parts = wrong["path"].split(".")
    kept = [part for place, part in enumerate(parts) if not (part in _TAGS and parts[place - 1] in _TAGGED)]
    return {**wrong, "path": ".".join(kept)}


_TAGGED = frozenset({"response_format", "format"})
"""Fields whose value is one of several kinds, told apart by its type."""
