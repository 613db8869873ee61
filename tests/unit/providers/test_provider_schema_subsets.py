"""Proves that what providers are sent of a schema is what they take, and asks for nothing that the caller refuses."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ditto.providers.schema_subsets import ANTHROPIC, OPENAI_STRICT, Subset, fitted

Schema = dict[str, Any]


def an_object(required: list[str] | None = None, **properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties) if required is None else required}


def test_an_object_is_closed_and_its_limits_that_nobody_knows_are_dropped() -> None:
    schema = an_object(name={"type": "string", "maxLength": 5, "title": "Name", "description": "whose"})

    fit = fitted(schema, OPENAI_STRICT)

    assert fit == {
        "type": "object",
        "properties": {"name": {"type": "string", "description": "whose"}},
        "required": ["name"],
        "additionalProperties": False,
    }


def test_limits_that_are_known_stay() -> None:
    limits = {"type": "integer", "minimum": 1, "maximum": 9}
    many = {"type": "array", "items": limits, "minItems": 2, "maxItems": 5, "uniqueItems": True}

    strict = fitted(an_object(many=many), OPENAI_STRICT)
    anthropic = fitted(an_object(many=many), ANTHROPIC)

    assert strict is not None
    assert anthropic is not None
    assert strict["properties"]["many"] == {"type": "array", "items": limits, "minItems": 2, "maxItems": 5}
    assert anthropic["properties"]["many"] == {"type": "array", "items": {"type": "integer"}}


def test_a_field_that_may_be_missing_becomes_required_only_where_null_will_do() -> None:
    nullable = an_object([], a={"type": ["string", "null"]}, b={"anyOf": [{"type": "integer"}, {"type": "null"}]})

    fit = fitted(nullable, OPENAI_STRICT)

    assert fit is not None
    assert fit["required"] == ["a", "b"]
    assert fitted(an_object([], a={"type": "string"}), OPENAI_STRICT) is None
    assert fitted(an_object([], a={"type": "string"}), ANTHROPIC) is not None


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {**an_object(a={"type": "string"}), "additionalProperties": True},
        {**an_object(a={"type": "string"}), "patternProperties": {"^x": {"type": "string"}}},
        {**an_object(a={"type": "string"}), "required": ["a", "b"]},
        an_object(a={}),
        an_object(a=True),  # type: ignore[arg-type]  # a schema may be a boolean
        an_object(a={"type": "array"}),
        an_object(a={"type": "array", "prefixItems": [{"type": "string"}], "items": False}),
        an_object(a={"not": {"type": "string"}}),
        an_object(a={"allOf": [{"type": "string"}, {"minLength": 2}]}),
        an_object(a={"type": "string", "if": {"minLength": 2}, "then": {"pattern": "x"}}),
        an_object(a={"enum": [{"b": 1}]}),
        an_object(a={"$ref": "https://example.com/x.json"}),
        an_object(a={"$ref": "#/$defs/missing"}),
        {"anyOf": [an_object(a={"type": "string"}), an_object(b={"type": "string"})]},
        {"type": "array", "items": {"type": "string"}},
    ],
)
@pytest.mark.parametrize("subset", [OPENAI_STRICT, ANTHROPIC])
def test_a_shape_that_cannot_be_said_has_no_fit(schema: Schema, subset: Subset) -> None:
    assert fitted(schema, subset) is None


def test_one_of_and_const_and_a_lone_all_of_are_said_in_other_words() -> None:
    schema = an_object(
        a={"oneOf": [{"const": "x"}, {"type": "integer"}], "discriminator": {"propertyName": "t"}},
        b={"allOf": [{"type": "string"}], "default": "z", "description": "why"},
    )

    fit = fitted(schema, OPENAI_STRICT)

    assert fit is not None
    assert fit["properties"] == {
        "a": {"anyOf": [{"type": "string", "enum": ["x"]}, {"type": "integer"}]},
        "b": {"type": "string", "description": "why"},
    }


def test_references_from_anywhere_lead_to_the_roots_definitions() -> None:
    item = an_object(n={"type": "integer"})
    wrapped = an_object(
        value={"type": "array", "items": {"$ref": "#/properties/value/$defs/Item"}, "$defs": {"Item": item}},
        again={"$ref": "#/properties/value/$defs/Item", "description": "the same"},
        old={"$ref": "#/definitions/odd~1name"},
    )
    wrapped["definitions"] = {"odd/name": {"type": "string"}}

    fit = fitted(wrapped, OPENAI_STRICT)

    assert fit is not None
    assert fit["properties"]["value"] == {"type": "array", "items": {"$ref": "#/$defs/Item"}}
    assert fit["properties"]["again"] == {"$ref": "#/$defs/Item"}
    assert fit["properties"]["old"] == {"$ref": "#/$defs/definition_1"}
    assert fit["$defs"]["Item"]["additionalProperties"] is False
    assert fit["$defs"]["definition_1"] == {"type": "string"}


def test_recursion_is_kept_where_it_is_taken() -> None:
    tree = an_object(child={"anyOf": [{"$ref": "#/$defs/Tree"}, {"type": "null"}]})
    schema = {**an_object(tree={"$ref": "#/$defs/Tree"}), "$defs": {"Tree": tree}}

    fit = fitted(schema, OPENAI_STRICT)

    assert fit is not None
    assert fit["$defs"]["Tree"]["properties"]["child"]["anyOf"][0] == {"$ref": "#/$defs/Tree"}
    assert fitted(schema, ANTHROPIC) is None
    assert fitted(an_object(me={"$ref": "#"}), ANTHROPIC) is None


def test_the_callers_schema_is_not_changed() -> None:
    schema = an_object(a={"const": 1}, b={"type": "array", "items": {"$ref": "#/$defs/x"}})
    schema["$defs"] = {"x": {"type": "string", "minLength": 1}}
    before = repr(schema)

    fitted(schema, OPENAI_STRICT)
    fitted(schema, ANTHROPIC)

    assert repr(schema) == before


leaves = st.sampled_from(
    [
        {"type": "string"},
        {"type": "string", "enum": ["a", "b"]},
        {"type": ["integer", "null"]},
        {"type": "number", "minimum": 0},
        {"const": True},
    ]
)
schemas = st.recursive(
    leaves,
    lambda inner: (
        st.builds(lambda item: {"type": "array", "items": item}, inner)
        | st.dictionaries(st.sampled_from(["p", "q", "r"]), inner, min_size=1).map(lambda fields: an_object(**fields))
    ),
    max_leaves=8,
)


def example(schema: Schema) -> Any:
    """Returns a value of a fitted schema."""
    if "enum" in schema:
        return schema["enum"][0]
    match schema["type"]:
        case "object":
            return {name: example(below) for name, below in schema["properties"].items()}
        case "array":
            return [example(schema["items"])]
        case "string":
            return "s"
        case "number":
            return 1.5
        case _:
            return None


@given(schemas)
def test_what_fits_the_subset_satisfies_the_caller(inner: Schema) -> None:
    schema = an_object(root=inner)
    for subset in (OPENAI_STRICT, ANTHROPIC):
        fit = fitted(schema, subset)
        assert fit is not None
        assert Draft202012Validator(schema).is_valid(example(fit))
