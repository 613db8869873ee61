"""Function calls are read and compared whatever notation a model writes them in, with a schema or without."""

from __future__ import annotations

from typing import Any

import pytest

from ditto.domain import schemas
from ditto.domain.schemas import calls
from ditto.domain.spec import AnswerKind
from tests.unit.merging.panels import merged, replies

CALL = {"name": "weather.now", "arguments": {"city": "Paris", "days": 2}}
NOTATIONS = [
    '[{"name": "weather.now", "arguments": {"city": "Paris", "days": 2}}]',
    '{"name": "weather.now", "parameters": {"days": 2, "city": "Paris"}}',
    '[{"weather.now": {"city": "Paris", "days": 2}}]',
    'weather.now(city="Paris", days=2)',
    "[weather.now(city='Paris', days=2)]",
    "[\"weather.now(city='Paris', days=2)\"]",
    "Sure, this is the call:\n```python\nweather.now(city='Paris', days=2)\n```",
    '<tool_call>\n{"name": "weather.now", "arguments": {"city": "Paris", "days": 2}}\n</tool_call>',
    '{"tool_calls": [{"id": "1", "type": "function", "function": {"name": "weather.now", "arguments": '
    '"{\\"city\\": \\"Paris\\", \\"days\\": 2}"}}]}',
    "[{'name': 'weather.now', 'arguments': {'city': 'Paris', 'days': 2}}]",
]
LIST = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"name": {"const": "weather.now"}, "arguments": {"type": "object"}},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    },
}


@pytest.mark.parametrize("text", NOTATIONS)
def test_a_call_is_read_from_any_notation(text: str) -> None:
    assert calls.found(text) == [CALL]


@pytest.mark.parametrize("text", NOTATIONS)
def test_a_schema_gets_the_notation_that_it_asks_for(text: str) -> None:
    only_arguments = {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}

    assert schemas.read(text, LIST) == [CALL]
    assert schemas.read(text, LIST["items"]) == CALL  # type: ignore[arg-type]
    assert schemas.read(text, only_arguments) == CALL["arguments"]


def test_calls_in_all_notations_are_one_answer() -> None:
    verdict = merged("Which call?", replies(*NOTATIONS, "weather.now(city='Rome', days=2)"), answer=AnswerKind.JSON)

    assert len(verdict.supporting) == len(NOTATIONS)
    assert verdict.answer == [CALL]


def test_calls_made_together_have_no_order() -> None:
    verdict = merged("Which calls?", replies("[f(a=1), g(b=2)]", "[g(b=2), f(a=1)]"), answer=AnswerKind.JSON)

    assert verdict.agreement == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "I would call weather.now(city='Paris') here.",
        "f(1, 2)",
        "f(**x)",
        "print",
        '{"city": "Paris"}',
        '{"x": null}',
        "[]",
    ],
)
def test_what_is_no_call_with_named_arguments_is_none(text: str) -> None:
    assert calls.found(text) is None


def test_nothing_in_a_call_is_executed() -> None:
    found: Any = calls.found("f(a=__import__('os').getcwd(), b=2**10)")

    assert found == [{"name": "f", "arguments": {"a": "__import__('os').getcwd()", "b": "2 ** 10"}}]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", ["f(a=", "[f(a=1),", '{"f":{', "<tool_call>{", "f(a=1)\n", "((((", "a.b."])
def test_hostile_calls_are_read_in_passing(piece: str) -> None:
    found = calls.found(piece * (100_000 // len(piece)))

    assert found is None or isinstance(found, list)
