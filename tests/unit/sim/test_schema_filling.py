"""A schema is filled from the text: numbers, dates, choices and lists; wrongly or invalidly only where told to."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ditto.sim.answering import answered
from ditto.sim.asked import Asked, Turn
from ditto.sim.catalog import DEFAULT_PANEL, acting, parse
from ditto.sim.slips import broken, falsified

INVOICE = (
    "Read this invoice: Invoice INV-2024-17 of 3 May 2024 for Acme GmbH. 2 x Blue pens at 3.50, 1 x Desk lamp at 40.00."
    " Total: 47.00 EUR. Due 2 June 2024. Please pay immediately."
)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["number", "customer", "date", "due_date", "currency", "priority", "items", "total", "note"],
    "properties": {
        "number": {"type": "string"},
        "customer": {"type": "string"},
        "date": {"type": "string", "format": "date"},
        "due_date": {"type": "string", "format": "date"},
        "currency": {"enum": ["USD", "EUR", "GBP"]},
        "priority": {"enum": ["low", "normal", "high"]},
        "items": {"type": "array", "items": {"$ref": "#/$defs/Item"}},
        "total": {"type": "number"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    "$defs": {
        "Item": {
            "type": "object",
            "required": ["description", "quantity", "unit_price"],
            "properties": {
                "description": {"type": "string"},
                "quantity": {"type": "integer"},
                "unit_price": {"type": "number"},
            },
        }
    },
}
READ = {
    "number": "INV-2024-17",
    "customer": "Acme GmbH",
    "date": "2024-05-03",
    "due_date": "2024-06-02",
    "currency": "EUR",
    "priority": "high",
    "items": [
        {"description": "Blue pens", "quantity": 2, "unit_price": 3.5},
        {"description": "Desk lamp", "quantity": 1, "unit_price": 40},
    ],
    "total": 47,
    "note": None,
}


def fill(model: str, prompt: str, schema: dict[str, Any]) -> Any:
    parsed = parse(model)
    asked = Asked(model=model, turns=(Turn(role="user", text=prompt),), schema=schema)
    return json.loads(answered(asked, parsed.persona, acting(parsed.behaviours, 1)).text)


def test_an_invoice_is_read_with_its_lines_dates_and_choices() -> None:
    assert fill("terse", INVOICE, SCHEMA) == READ


def test_a_panel_differs_in_one_field_of_one_reply() -> None:
    replies = [fill(persona, INVOICE, SCHEMA) for persona in DEFAULT_PANEL]

    assert replies[:4] == [READ] * 4
    assert replies[4] != READ
    jsonschema.validate(replies[4], SCHEMA)


def test_a_missing_total_is_added_up_from_the_lines() -> None:
    schema = {"type": "object", "properties": {"total": {"type": "number"}}}

    assert fill("terse", "Order: 3 x Notebook @ €4.20, 10 pcs Stapler for €12", schema) == {"total": 132.6}


@pytest.mark.parametrize(
    ("prompt", "schema", "value"),
    [
        ("What is 17*23?", {"type": "integer"}, 391),
        ("What is 17*23?", {"type": "string"}, "391"),
        ("Is this urgent? We need it asap", {"type": "boolean"}, True),
        ("Is this urgent? We need it asap", {"enum": ["yes", "no"]}, "yes"),
        ("Is this urgent? No rush.", {"const": "fixed"}, "fixed"),
        ("Contact: Tom, tom@x.org", {"type": "string", "format": "email"}, "tom@x.org"),
        ("It costs 5.", {"type": "integer", "maximum": 3}, 3),
    ],
)
def test_a_wrapped_value_is_the_answer_in_its_type(prompt: str, schema: dict[str, Any], value: Any) -> None:
    assert fill("terse", prompt, {"type": "object", "properties": {"value": schema}}) == {"value": value}


def test_names_addresses_and_numbers_are_found_by_their_labels() -> None:
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "email": {"type": "string"},
            "phone": {"type": ["string", "null"]},
            "age": {"type": "integer"},
            "website": {"type": ["string", "null"]},
        },
    }

    assert fill("terse", "Contact: Tom Hanks, tom@x.org, +41 44 123 45 67, age 44", schema) == {
        "name": "Tom Hanks",
        "email": "tom@x.org",
        "phone": "+41 44 123 45 67",
        "age": 44,
        "website": None,
    }


def test_a_schema_written_in_the_prompt_is_filled_in_the_personas_manner() -> None:
    schema = {"type": "object", "properties": {"total": {"type": "number"}}}
    prompt = (
        f"Total: 12 EUR\n\nAnswer with JSON that satisfies the JSON Schema below.\nJSON Schema: {json.dumps(schema)}"
    )
    asked = Asked(model="any", turns=(Turn(role="user", text=prompt),))

    assert answered(asked, "terse", {}).text == '{"total": 12}'
    assert "```json\n" in answered(asked, "json", {}).text
    assert answered(asked, "wordy", {}).text.startswith("Here is what I have found")


def test_wrong_is_valid_and_the_same_from_every_persona() -> None:
    replies = [fill(f"{persona}+wrong", INVOICE, SCHEMA) for persona in ("terse", "wordy", "careful")]

    assert replies[0] == replies[1] == replies[2] != READ
    jsonschema.validate(replies[0], SCHEMA)


def test_badjson_misses_the_schema() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(fill("terse+badjson", INVOICE, SCHEMA), SCHEMA)


@given(st.text(max_size=20))
def test_whatever_is_falsified_stays_valid_and_whatever_is_broken_does_not(key: str) -> None:
    jsonschema.validate(falsified(SCHEMA, READ, key), SCHEMA)
    assert falsified(SCHEMA, READ, key) != READ
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(broken(SCHEMA, READ))


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object"},
        {"type": "array", "minItems": 2, "items": {"type": "integer"}},
        {
            "$ref": "#/$defs/Tree",
            "$defs": {"Tree": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Tree"}}}},
        },
        {"allOf": [{"type": "object", "properties": {"a": {"type": "null"}}}]},
        {"type": "string", "minLength": 40, "maxLength": 50},
        {"type": "object", "properties": {"a": True}},
    ],
)
def test_odd_schemas_get_a_value_too(schema: dict[str, Any]) -> None:
    fill("terse", "Whatever 3", schema)
