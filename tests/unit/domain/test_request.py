"""What a request may hold, from the wire and from Python."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ditto.domain.request import parse
from ditto.errors import BadRequest


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"at": datetime(2026, 3, 1, tzinfo=UTC)}, "datetime"),
        ({"tags": {"a"}}, "set"),
        ({"tags": [b"a"]}, "bytes"),
        ({"pair": ("a", "b")}, "tuple"),
        ({("a", "b"): 1}, "key that is no text"),
        ({"inner": {1: "one"}}, "key that is no text"),
        ({"huge": 10**5000}, "too many digits"),
    ],
)
def test_metadata_that_is_no_json_is_refused_by_name(metadata: dict[Any, Any], words: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse({"prompt": "Why?", "metadata": metadata})

    (detail,) = refused.value.details
    assert detail["path"] == "metadata"
    assert words in detail["message"]


def test_a_schema_that_is_no_json_is_refused_by_name() -> None:
    with pytest.raises(BadRequest) as refused:
        parse({"prompt": "Why?", "schema": {"enum": [datetime(2026, 3, 1, tzinfo=UTC)]}})

    assert refused.value.details[0]["path"] == "schema"


def test_metadata_of_any_json_is_taken_as_it_is() -> None:
    metadata = {"text": "a", "number": 1.5, "flag": True, "none": None, "list": [{"inner": [1]}]}

    assert parse({"prompt": "Why?", "metadata": metadata}).metadata == metadata


@pytest.mark.parametrize("settle", ["all", "decided", {"confident": 0.95}, {"confident": 1}, {"confident": 0}])
def test_a_settle_rule_goes_over_the_wire_as_it_came(settle: Any) -> None:
    assert parse({"prompt": "Why?", "settle": settle}).to_wire()["settle"] == settle


@pytest.mark.parametrize(
    "settle",
    [
        "soon",
        0.9,
        True,
        [],
        {},
        {"confident": 1.1},
        {"confident": -0.1},
        {"confident": True},
        {"confident": "0.9"},
        {"confident": 0.9, "decided": True},
        {"decided": True},
    ],
)
def test_what_is_no_settle_rule_is_refused_by_one_sentence(settle: Any) -> None:
    with pytest.raises(BadRequest) as refused:
        parse({"prompt": "Why?", "settle": settle})

    message = 'must be "all", "decided", or {"confident": p} with p from 0 to 1'
    assert refused.value.details == [{"path": "settle", "message": message}]


def test_another_settle_rule_or_judge_is_another_request() -> None:
    bodies = [
        {},
        {"settle": "decided"},
        {"settle": {"confident": 0.9}},
        {"settle": {"confident": 0.8}},
        {"judge": "a/b"},
    ]

    prints = {parse({"prompt": "Why?", **body}).fingerprint() for body in bodies}

    assert len(prints) == len(bodies)


def test_a_key_that_no_database_keeps_is_refused_by_name() -> None:
    with pytest.raises(BadRequest) as refused:
        parse({"prompt": "Why?", "idempotencyKey": "a\0b"})

    assert [detail["path"] for detail in refused.value.details] == ["idempotencyKey"]


def test_an_integer_may_be_written_with_a_point() -> None:
    request = parse({"prompt": "hi", "samples": 2.0, "maxRetries": 1.0, "seed": 3.0, "minResponses": 1.0})

    assert (request.samples, request.max_retries, request.seed, request.min_responses) == (2, 1, 3, 1)
    with pytest.raises(BadRequest):
        parse({"prompt": "hi", "samples": 2.5})
