"""No schema and no value takes long to judge, whatever somebody makes of them, and none has a judge of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ditto.domain import schemas
from ditto.domain.schemas.validating import Validator
from ditto.errors import Misfit

_LONG_S = 60.0
"""Of CPU; each takes a second or two, and minutes, hours or years where something is wrong."""

BACKTRACKS = "^(([a-z])+.)+[A-Z]([a-z])+$"
WALL = "a" * 60


@pytest.fixture(autouse=True)
def _soon() -> Iterator[None]:
    began = time.process_time()
    yield
    assert time.process_time() - began < _LONG_S


def doubling(times: int, end: dict[str, Any]) -> dict[str, Any]:
    """Returns a schema whose parts each judge the same value by the next part twice."""
    parts = {f"p{n}": {"allOf": [{"$ref": f"#/$defs/p{n + 1}"}] * 2} for n in range(times)}
    return {"$ref": "#/$defs/p0", "$defs": {**parts, f"p{times}": end}}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"pattern": BACKTRACKS}, WALL),
        ({"patternProperties": {BACKTRACKS: False}}, {WALL: 1}),
        ({"patternProperties": {BACKTRACKS: True}, "additionalProperties": True}, {WALL: 1}),
        ({"patternProperties": {BACKTRACKS: True}, "unevaluatedProperties": True}, {WALL: 1}),
        ({"propertyNames": {"anyOf": [{"pattern": BACKTRACKS}, True]}}, {WALL: 1}),
        ({"anyOf": [{"contains": {"pattern": BACKTRACKS}}, True]}, [WALL]),
    ],
)
def test_a_pattern_that_backtracks_for_ever_elsewhere_is_matched_at_once(schema: dict[str, Any], value: Any) -> None:
    validator = Validator(schema)

    validator.accepts(value)

    assert schemas.complaints(schema) == []


@pytest.mark.parametrize("schema", [{"pattern": BACKTRACKS}, {"items": {"pattern": BACKTRACKS}}])
@pytest.mark.parametrize(
    "dialect", ["https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/draft-07/schema#"]
)
def test_a_schema_that_names_its_dialect_is_judged_no_other_way(schema: dict[str, Any], dialect: str) -> None:
    named = {"$schema": dialect, "anyOf": [{"$ref": "#/$defs/it"}, True], "$defs": {"it": schema}}
    whole = {"$schema": dialect, "items": {"$ref": "#"}, **schema}

    assert schemas.complaints(named) == schemas.complaints(whole) == []
    Validator(named).accepts([WALL])
    Validator(whole).accepts([[WALL], WALL])
    inner = schemas.complaints({"items": {"$schema": dialect, **schema}})
    assert inner == ["$schema may stand at the root of the schema only"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (r"^(?=.*\d).+$", "no look-around"),
        (r"(a)\1", "back-references"),
        ("(", "missing )"),
        ("(?:a{1000}){1000}", "repetition"),
        ("a{3,99999999999}", "repeats"),
        ("x" * 20_000, "longer than"),
        (r"\p{L}{900}", "too large"),
    ],
)
@pytest.mark.parametrize("keyword", ["pattern", "patternProperties"])
def test_a_pattern_that_cannot_be_matched_in_linear_time_is_refused(keyword: str, source: str, words: str) -> None:
    schema: dict[str, Any] = {keyword: source if keyword == "pattern" else {source: True}}

    (complaint,) = schemas.complaints({"items": schema})

    assert words in complaint or words.removeprefix("no ") in complaint


@pytest.mark.parametrize(
    ("source", "good", "bad"),
    [
        (r"^\u00e9\d{2}$", "é12", "é1"),
        (r"^\\u0041$", r"\u0041", "A"),
        (r"^\p{Lu}", "Élan", "élan"),
        (r"^(?<year>\d{4})$", "2025", "2025\n"),
        (r"^[\w.+-]+@[\w-]+\.[\w.]+$", "a.b@c.de", "a.b@c"),
        (r"^\/a\/[^\/]+$", "/a/b", "/a/b/c"),
    ],
)
def test_patterns_are_those_of_the_standard(source: str, good: str, bad: str) -> None:
    schema = {"type": "string", "pattern": source}

    assert schemas.complaints(schema) == []
    assert schemas.problem(json.dumps(good), schema) is None
    assert schemas.problem(json.dumps(bad), schema) is not None


def test_a_pattern_that_is_dear_for_a_long_text_is_given_up() -> None:
    schema = {"type": "string", "pattern": "(?:a?){300}" * 10 + "$"}
    validator = Validator(schema)

    with pytest.raises(Misfit, match="too many steps"):
        validator.problem("a" * 1_000_000 + "b")


@pytest.mark.parametrize("end", [{"type": "object"}, {"unevaluatedItems": False}, {"unevaluatedProperties": False}])
def test_a_schema_whose_parts_multiply_is_refused(end: dict[str, Any]) -> None:
    (complaint,) = schemas.complaints(doubling(20, end))

    assert "judge one value" in complaint


def test_a_value_for_which_the_parts_of_a_schema_multiply_is_given_up() -> None:
    node = {"properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}}
    deep: Any = {}
    for _ in range(40):
        deep = {"a": deep}

    assert schemas.complaints(node) == []
    with pytest.raises(Misfit, match="too many steps"):
        Validator(node).problem(deep)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"unevaluatedItems": False, "contains": {"type": "integer"}}, list(range(50_000))),
        ({"additionalProperties": True, "unevaluatedProperties": False}, {str(n): n for n in range(50_000)}),
        ({"items": {"enum": [f"choice {n}" for n in range(5_000)]}}, ["none"] * 50_000),
        ({"items": {"enum": [[*range(90), n] for n in range(100)]}}, [list(range(90))] * 1_000),
        ({"anyOf": [{"type": "null"}] * 2_000}, "a" * 5_000_000),
        ({"anyOf": [{"type": "null"}] * 2_000}, [[list(range(50_000))]]),
        ({"items": {"format": "regex"}}, ["(" * 1_000_000]),
    ],
)
def test_a_large_value_is_judged_or_given_up_soon(schema: dict[str, Any], value: Any) -> None:
    assert schemas.complaints(schema) == []
    Validator(schema).accepts(value)


def test_a_schema_of_too_many_parts_is_refused() -> None:
    (complaint,) = schemas.complaints({"properties": {f"p{n}": {"type": "string"} for n in range(50_000)}})

    assert "more than 10000" in complaint


def test_a_schema_as_large_as_it_may_be_is_taken_soon() -> None:
    anchored = {"$defs": {"a": {"$anchor": "a", "type": "string"}}}
    schema = {**anchored, "properties": {f"p{n}": {"$ref": "#a"} for n in range(1_500)}}

    assert schemas.complaints(schema) == []
    assert Validator(schema).accepts({f"p{n}": "x" for n in range(1_500)})


def test_targets_inside_each_other_are_not_each_looked_through_again() -> None:
    deep: dict[str, Any] = {"wide": [{"type": "string"}] * 3_000}
    for _ in range(40):
        deep = {"x": deep}
    refs = [{"$ref": "#/x" + "/x" * n} for n in range(39)]

    complaints = schemas.complaints({**deep, "prefixItems": refs})

    assert complaints == [] or "one inside the other" in complaints[0]


def test_ordinary_replies_are_far_from_the_limit() -> None:
    item = {
        "type": "object",
        "properties": {"name": {"type": "string", "pattern": "^[^<>]{1,200}$"}, "count": {"type": "integer"}},
        "required": ["name", "count"],
        "additionalProperties": False,
    }
    reply = json.dumps([{"name": f"item {n}", "count": n} for n in range(2_000)])

    assert schemas.problem(reply, {"type": "array", "items": item}) is None
