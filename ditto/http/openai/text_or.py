"""Fields of OpenAI's contract that take a text where they could take a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from ditto.domain.spec import JSON


class TextOr:
    """Takes a text as well as what the field is declared as.

    Args:
        as_list: Returns what a value that was sent stands for; raises `ValueError` where it is neither.
    """

    def __init__(self, as_list: Callable[[JSON], JSON]) -> None:
        self._as_list = as_list

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._as_list, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "minLength": 1}, handler(schema)]}
