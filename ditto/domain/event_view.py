"""An event of a job as the wire shows it: camelCase, milliseconds, and what is the caller's own left as it is."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic.alias_generators import to_camel

from ditto.domain.events import Recorded
from ditto.domain.live import Live
from ditto.domain.spec import JSON

_SECONDS = "_s"


def render_event(job_id: str, told: Recorded | Live) -> dict[str, Any]:
    """Returns the event as decoded JSON: `jobId`, `seq` where it is journalled, `at`, `kind` and its own fields."""
    number = {"seq": told.seq} if isinstance(told, Recorded) else {}
    head = {"jobId": job_id, **number, "at": _plain(told.at)}
    fields: dict[str, Any] = _plain(told.event)
    return {**head, **fields}


def _plain(value: Any) -> JSON:
    """Renames the fields of dataclasses alone: the keys of a plain dict are the caller's, or names of models."""
    if dataclasses.is_dataclass(value):
        return dict(_field(field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value) if isinstance(value, StrEnum) else value


def _field(name: str, value: Any) -> tuple[str, JSON]:
    if name.endswith(_SECONDS):
        return to_camel(name.removesuffix(_SECONDS)), None if value is None else round(value * 1000, 2)
    return to_camel(name), _plain(value)
