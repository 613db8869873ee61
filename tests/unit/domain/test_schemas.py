"""Which schemas can be used, and which value a reply gives for one."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ditto.domain import schemas
from ditto.domain.spec import JSON

OBJECT: dict[str, Any] = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
TEXT = {"type": "string"}
REMOTE = {"$ref": "http://schemas.invalid/x"}


@pytest.mark.parametrize(
    "text",
    [
        '{"n": 3}',
        'Sure:\n```json\n{"n": 3}\n```\nDone.',
        'Use {braces}, [1] and {"a": 1}. It is {"n": 3, "why": "because {it} is"}.',
        '{"value": {"n": 3}} {"n": 3}',
        "{'n': 3, }",
        "{n: 3 // three\n}",
        '{"n": 3',
        'It is {"n": 3, "why": "he said "so" twice", "list": ["a" ,, "b"',
        '{"a": "one\ntwo"\n"n": 3}',
        "{“n”: 3}",
        "[" * 3 + ' {"n": 3}',
    ],
)
def test_the_value_is_found_bare_fenced_in_prose_or_damaged(text: str) -> None:
    assert isinstance(found := schemas.read(text, OBJECT), dict)
    assert found["n"] == 3


def test_what_was_cut_off_before_its_value_is_not_made_up() -> None:
    assert schemas.problem('{"n": ', OBJECT) == "'n' is a required property"


def test_constants_of_python_and_escapes_are_mended() -> None:
    damaged = r"""{'a': True, 'b': None, 'c': 'don\'t', 'd': 'C:\\', 'e': "\d+",}"""

    assert schemas.read(damaged, {"type": "object"}) == {"a": True, "b": None, "c": "don't", "d": "C:\\", "e": "\\d+"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 1500, "no JSON"),
        ("[" * 1500 + "]" * 1500, "no JSON"),
        ("[" * 500 + "]" * 500, "nested deeper"),
        ('{"n": 1, "s": "\\ud83d"}', "surrogate"),
        ('{"n": 1, "\\ud83d": 2}', "surrogate"),
        ('{"n": 1, "x": 1e999}', "not finite"),
        ('{"n": 1, "x": NaN}', "not finite"),
        ('```\n{"n": 1, "x": -Infinity}', "not finite"),
        ('{"n": 1, "x": ' + "9" * 5000 + "}", "no JSON"),
    ],
)
def test_a_reply_that_cannot_be_kept_is_a_misfit(text: str, words: str) -> None:
    with pytest.raises(schemas.Misfit, match=words):
        schemas.read(text, OBJECT)


def test_what_the_validator_stumbles_over_is_a_misfit() -> None:
    with pytest.raises(schemas.Misfit, match="cannot be checked"):
        schemas.read("1" + "0" * 400, {"type": "number", "multipleOf": 0.1})


def test_unique_items_are_told_apart_by_value() -> None:
    unique = {"type": "array", "uniqueItems": True}

    assert schemas.problem('[1, true, "1", [1], {"a": 1}, {"a": true}]', unique) is None
    assert "non-unique" in str(schemas.problem('[{"a": [1]}, {"a": [1.0]}]', unique))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("He said 'yes'", "He said 'yes'"),
        ("'yes'", "yes"),
        ("`a` or `b`", "`a` or `b`"),
        ('"yes"', "yes"),
        ("'", "'"),
    ],
)
def test_bare_text_loses_only_the_pair_of_quotes_around_it(text: str, value: str) -> None:
    assert schemas.read(text, TEXT) == value


HOSTILE = {
    "lists": "[",
    "objects": '{"x" ',
    "cut off values": '{"a": [1, "x',
    "closed values": '{"a": 1} ',
    "empty lists": "[],",
    "quotes": '"',
    "fences": "```\n\n```\n",
    "open fences": "```json\n",
    "braces": "{a b],",
    "escapes": '{"a": "\\"',
    "numbers": "1,",
}


@pytest.mark.parametrize(("megabytes", "limit_s"), [(1, 0.6), (8, 3.0)])
@pytest.mark.parametrize("opening", ["", "[", '{"a": ['])
@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
def test_no_reply_takes_long(unit: str, opening: str, megabytes: int, limit_s: float) -> None:
    text = opening + unit * (megabytes * 1_000_000 // len(unit))
    began = time.process_time()

    assert schemas.problem(text, OBJECT)

    assert time.process_time() - began < limit_s


@pytest.mark.parametrize("unit", ['"x" ', ",{a b]", '\\"a": "}:', '“"x"', "1]}```json'{", "//null\n"])
@pytest.mark.parametrize("opening", ["[", "{", '{"x" ' * 8])
def test_mending_takes_one_pass_over_any_damage(unit: str, opening: str) -> None:
    text = opening + unit * (16_000 // len(unit))
    began = time.process_time()

    assert schemas.problem(text, OBJECT)

    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"default": REMOTE}},
        {"properties": {"enum": {"items": REMOTE}}},
        {"$defs": {"const": REMOTE}},
        {"patternProperties": {"examples": REMOTE}},
        {"dependentSchemas": {"default": REMOTE}},
        {"default": REMOTE, "items": {"$ref": "#/default"}},
    ],
)
def test_no_reference_leads_outside(schema: dict[str, Any]) -> None:
    assert "points outside" in schemas.complaints(schema)[0]


def test_data_that_looks_like_a_reference_is_data() -> None:
    assert schemas.complaints({"default": REMOTE, "properties": {"a": {"const": REMOTE, "examples": [REMOTE]}}}) == []


def test_a_validator_retrieves_nothing() -> None:
    with pytest.raises(schemas.Misfit, match="cannot be checked"):
        schemas.read('{"default": 1}', {"type": "object", "properties": {"default": REMOTE}})


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"$ref": "#"}, "circle"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}, "circle"),
        ({"properties": {"a": {"allOf": [{"$ref": "#/properties/a"}]}}}, "circle"),
        ({"anyOf": [{"type": "null"}, {"$ref": "#"}]}, "circle"),
        ({"$dynamicRef": "#", "type": "object"}, "circle"),
        ({"$ref": "#missing-anchor"}, "points to nothing"),
        ({"items": {"$dynamicRef": "#missing"}}, "points to nothing"),
        ({"title": "a text", "items": {"$ref": "#/title"}}, "no schema"),
        ({"title": "a text", "items": {"$ref": "#/title/x"}}, "points to nothing"),
        ({"allOf": [True], "items": {"$ref": "#/allOf"}}, "no schema"),
        ({"$defs": {"b": {}}, "items": {"$id": "http://x/y", "$ref": "#/$defs/b"}}, "points to nothing"),
        ({"items": {"$ref": "#/x"}, "x": {"type": "nonsense"}}, "no schema"),
        ({"items": {"$ref": "#/x"}, "x": {"pattern": "("}}, "no schema"),
        ({"pattern": "("}, "no valid JSON Schema at pattern"),
        ({"pattern": "a{99999999999999}"}, "no valid JSON Schema"),
        ({"patternProperties": {"(": True}}, "no valid JSON Schema"),
    ],
)
def test_a_schema_that_no_job_could_use_is_refused(schema: dict[str, Any], words: str) -> None:
    (complaint,) = schemas.complaints(schema)

    assert words in complaint


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"$ref": "#/$defs/a%20b", "$defs": {"a b": {"type": "integer"}}}, "1", '"x"'),
        ({"items": {"$ref": "#number"}, "$defs": {"a": {"$anchor": "number", "type": "number"}}}, "[1]", '["x"]'),
        ({"properties": {"a": True, "b": False}}, '{"a": 1}', '{"b": 1}'),
        ({"items": {"$ref": "#/$defs/never"}, "$defs": {"never": False}}, "[]", "[1]"),
        ({"type": "object", "properties": {"next": {"$ref": "#"}}}, '{"next": {}}', '{"next": 1}'),
        (
            {"items": {"$id": "http://x/y", "$ref": "#/$defs/b", "$defs": {"b": {"type": "integer"}}}},
            "[1]",
            '["x"]',
        ),
    ],
)
def test_a_schema_that_refers_within_itself_is_usable(schema: dict[str, Any], good: str, bad: str) -> None:
    assert schemas.complaints(schema) == []
    assert schemas.problem(good, schema) is None
    assert schemas.problem(bad, schema) is not None


def test_references_follow_a_wrapped_root_and_names_are_no_keywords() -> None:
    schema = {
        "type": "array",
        "$id": "http://x/root",
        "items": {"properties": {"default": {"$ref": "#/$defs/a"}, "enum": {"$dynamicRef": "#"}}},
        "default": {"$ref": "#"},
        "$defs": {"a": True},
    }

    inner: JSON = schemas.wrap(schema)["properties"]["value"]

    assert isinstance(inner, dict)
    assert inner["items"]["properties"] == {
        "default": {"$ref": "#/properties/value/$defs/a"},
        "enum": {"$dynamicRef": "#/properties/value"},
    }
    assert inner["default"] == {"$ref": "#"}
    assert "$id" not in inner
    assert schemas.complaints(schemas.wrap(schema)) == []
