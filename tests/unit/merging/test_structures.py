"""Verdicts over replies in JSON: field by field, and always valid."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ditto.domain.spec import JSON
from ditto.domain.verdict import Ballot, Intent
from tests.unit.merging.panels import merged, objects

INVOICE = {
    "type": "object",
    "properties": {"number": {"type": "string"}, "total": {"type": "number"}, "paid": {"type": "boolean"}},
    "required": ["number", "total"],
}
ANYTHING: dict[str, Any] = {"type": ["object", "array", "string", "number", "boolean", "null"]}


def result(*values: JSON, schema: dict[str, Any] | None = None) -> JSON:
    return merged("Fill it in.", objects(*values), schema=schema or ANYTHING).result


def test_every_field_is_a_vote_of_its_own() -> None:
    panel = objects(
        {"number": "A-1", "total": 10, "paid": True},
        {"number": "A-1", "total": 12, "paid": False},
        {"number": "B-1", "total": 12, "paid": True},
    )

    verdict = merged("Fill it in.", panel, schema=INVOICE)

    assert verdict.result == {"number": "A-1", "total": 12, "paid": True}
    assert verdict.chosen is None
    assert verdict.supporting == ()
    assert set(verdict.fields) == {"/number", "/total", "/paid"}
    assert verdict.fields["/total"].supporting == ("b", "c")
    assert [(dissent.answer, dissent.models) for dissent in verdict.fields["/total"].dissent] == [(10, ("a",))]


def test_values_are_compared_by_meaning() -> None:
    panel = objects({"number": "A-1", "total": 10}, {"number": " a-1.", "total": 10.0}, {"number": "x", "total": 9})

    verdict = merged("Fill it in.", panel, schema=INVOICE)

    assert verdict.result == {"number": "A-1", "total": 10}
    assert verdict.supporting == ("a", "b")


def test_elements_are_aligned_by_what_they_are_about_not_by_position() -> None:
    verdict = result(
        [{"name": "ann", "age": 3}, {"name": "bob", "age": 5}],
        [{"name": "bob", "age": 5}, {"name": "ann", "age": 3}],
        [{"name": "ann", "age": 4}, {"name": "bob", "age": 5}],
    )

    assert verdict == [{"name": "ann", "age": 3}, {"name": "bob", "age": 5}]


def mostly_agreeing(count: int) -> list[JSON]:
    """Returns orders of twenty items; one item in ten differs in one of its fields."""
    return [
        {
            "items": [
                {
                    "name": f"item {at}",
                    "amount": at + (order % 7 if (order + at) % 10 == 0 else 0),
                    "note": f"about {at}" + (f" and {order}" if (order + 3 * at) % 40 == 0 else ""),
                }
                for at in range(20)
            ]
        }
        for order in range(count)
    ]


@pytest.mark.parametrize(("count", "limit_s"), [(10, 0.3), (100, 3.0), (300, 10.0)])
def test_lists_of_many_mostly_agreeing_replies_are_merged_soon(count: int, limit_s: float) -> None:
    orders = mostly_agreeing(count)
    began = time.process_time()

    verdict = merged("Fill it in.", objects(*orders), schema=ANYTHING)

    assert time.process_time() - began < limit_s
    assert verdict.result == {"items": [{"name": f"item {n}", "amount": n, "note": f"about {n}"} for n in range(20)]}


def test_objects_of_many_replies_are_merged_soon() -> None:
    replies = [{f"field {at}": at if (reply + at) % 10 else reply for at in range(20)} for reply in range(300)]
    began = time.process_time()

    merged("Fill it in.", objects(*replies), schema=ANYTHING)

    assert time.process_time() - began < 3.0


def test_elements_that_repeat_keep_their_places() -> None:
    assert result([True, [], True], [True, [], True]) == [True, [], True]


def test_an_element_that_most_leave_out_is_left_out() -> None:
    assert result([{"id": 1}, {"id": 2}], [{"id": 1}], [{"id": 1}]) == [{"id": 1}]


def test_an_optional_field_that_most_leave_out_is_left_out() -> None:
    assert result({"a": 1, "b": 2}, {"a": 1}, {"a": 1}) == {"a": 1}


def test_arguments_of_one_function_are_no_votes_on_those_of_another() -> None:
    verdict = result(
        {"name": "add", "arguments": {"x": 1}},
        {"name": "add", "arguments": {"x": 1}},
        {"name": "multiply", "arguments": {"x": 2, "y": 3}},
        {"name": "divide", "arguments": {"x": 2, "y": 3}},
    )

    assert verdict == {"name": "add", "arguments": {"x": 1}}


def test_a_list_of_plain_values_is_one_field_where_most_agree() -> None:
    verdict = merged("Fill it in.", objects({"n": [3, 4]}, {"n": [3, 4]}, {"n": [4, 3]}), schema=ANYTHING)

    assert verdict.result == {"n": [3, 4]}
    assert verdict.fields["/n"].supporting == ("a", "b")


def test_texts_of_lists_that_all_differ_are_voted_on_one_by_one() -> None:
    assert result(["red", "blue"], ["blue", "red", "green"], ["red", "blue", "pink"]) == ["red", "blue"]


def test_what_does_not_satisfy_the_schema_gives_way_to_a_whole_reply() -> None:
    low = {"properties": {"k": {"const": 1}, "v": {"const": "low"}}}
    high = {"properties": {"k": {"const": 2}, "v": {"enum": ["high", "top"]}}}
    schema = {"type": "object", "required": ["k", "v"], "oneOf": [low, high]}
    panel = objects({"k": 1, "v": "low"}, {"k": 1, "v": "low"}, {"k": 2, "v": "high"})
    torn = objects({"k": 1, "v": "low"}, {"k": 2, "v": "high"}, {"k": 2, "v": "top"}, {"k": 1, "v": "low"})

    assert merged("Which?", panel, schema=schema).result == {"k": 1, "v": "low"}
    verdict = merged("Which?", torn, schema=schema)

    assert verdict.result in [ballot.value for ballot in torn]


def test_a_whole_reply_that_is_taken_is_named() -> None:
    schema = {"type": "object", "enum": [{"a": 1, "b": 2}, {"a": 2, "b": 1}, {"a": 1, "b": 1, "c": 0}]}
    panel = objects({"a": 1, "b": 2}, {"a": 2, "b": 1}, {"a": 1, "b": 1, "c": 0})

    verdict = merged("Which?", panel, schema=schema)

    assert verdict.chosen == "a"
    assert verdict.result == {"a": 1, "b": 2}
    assert verdict.fields["/a"].supporting == ("a", "c")


def test_a_plain_root_has_one_field_and_a_chosen_reply() -> None:
    verdict = merged("How many?", objects(5, 5.0, 6), schema={"type": "number"})

    assert verdict.result == 5
    assert verdict.answer == 5
    assert verdict.chosen == "a"
    assert verdict.fields[""].confidence == verdict.confidence
    assert verdict.supporting == ("a", "b")


@pytest.mark.parametrize("value", [None, True, 0, "", "text", [], {}, [None], [[1], [2]], {"": {"a/b": {"~": 1}}}])
def test_any_root_can_be_merged(value: JSON) -> None:
    verdict = merged("Fill it in.", objects(value, value), schema=ANYTHING)

    assert verdict.result == value
    assert verdict.agreement == 1.0


def test_pointers_are_escaped() -> None:
    verdict = merged("Fill it in.", objects({"a/b": {"~": 1}}, {"a/b": {"~": 1}}), schema=ANYTHING)

    assert list(verdict.fields) == ["/a~1b/~0"]


def test_a_reply_of_weight_zero_decides_nothing() -> None:
    verdict = merged("Fill it in.", objects({"a": 1}, {"a": 2}, weights=(0.0, 1.0)), schema=ANYTHING)

    assert verdict.result == {"a": 2}
    assert verdict.agreement == 1.0


def test_a_filtered_reply_is_a_refusal_and_no_vote() -> None:
    filtered = Ballot(call="z", model="z", text="", finish="content_filter")

    verdict = merged("Fill it in.", [*objects({"a": 1}, {"a": 1}), filtered], schema=ANYTHING)

    assert verdict.agreement == 1.0
    assert verdict.readings[2].intent is Intent.REFUSAL


def test_an_object_that_nobody_gave_is_no_more_certain_than_its_least_certain_field() -> None:
    panel = objects({"a": 1, "b": 1}, {"a": 1, "b": 2}, {"a": 2, "b": 2})

    verdict = merged("Fill it in.", panel, schema=ANYTHING)

    assert verdict.result == {"a": 1, "b": 2}
    assert verdict.supporting == ("b",)
    least = min(field.confidence for field in verdict.fields.values() if field.confidence is not None)
    assert verdict.confidence is not None
    assert verdict.confidence <= least


def test_that_a_field_is_right_is_likelier_than_that_the_whole_object_is() -> None:
    verdict = merged("Where?", objects(*([{"city": "Rome", "people": 3, "open": True}] * 3)), schema={"type": "object"})

    assert verdict.confidence is not None
    for field in verdict.fields.values():
        assert field.confidence is not None
        assert field.confidence > verdict.confidence
