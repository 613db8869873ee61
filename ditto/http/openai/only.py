"""Fields of OpenAI's contract that Ditto does not support: null is taken, and so is a value that changes nothing."""

from __future__ import annotations

import json
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from ditto.domain.spec import JSON


class Only:
    """Takes null and these values, and refuses any other as not supported.

    Clients send such values unasked: `n: 1`, `tools: []`, `logprobs: false`.
    """

    def __init__(self, *neutral: JSON) -> None:
        self._neutral = neutral

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"enum": [None, *self._neutral], "description": "Not supported: only what changes nothing is taken."}

    def _checked(self, value: JSON) -> None:
        if value is None or any(_same(value, neutral) for neutral in self._neutral):
            return
        words = " or ".join(json.dumps(neutral) for neutral in self._neutral)
        raise ValueError(f"is not supported: only {words} is taken" if words else "is not supported: leave it out")


def _same(value: JSON, neutral: JSON) -> bool:
    """Tells whether two values are equal as JSON, where true is not 1."""
    return isinstance(value, bool) == isinstance(neutral, bool) and bool(value == neutral)
