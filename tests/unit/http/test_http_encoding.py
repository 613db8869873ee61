"""Answers are written as Python's own encoder would write them, whoever writes them."""

from __future__ import annotations

import json

import pytest

from ditto.domain.spec import JSON
from ditto.http.responses import encoded

DEEP: JSON = []
for _ in range(400):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    "content",
    [
        {"text": 'é \u2028 \x00 \x7f "quoted" \\ 🦉', "none": None, "both": [True, False]},
        {"half": "\ud83e", "key \udd89": 1},
        {"large": 10**400, "small": -(2**63) - 1},
        {"floats": [0.1, 1e16, 1e-7, -0.0, 5e-324, 1.7976931348623157e308]},
        {"text": "NaN and Infinity are no JSON", "Infinity": "NaN"},
        {"": {"": [[], {}]}},
        DEEP,
    ],
)
def test_what_is_written_reads_as_what_it_was(content: JSON) -> None:
    written = encoded(content)

    assert json.loads(written) == content
    assert b": " not in written
    assert written.decode("utf-8")


def test_half_of_a_surrogate_pair_is_written_as_its_escape() -> None:
    assert encoded(["\ud83e"]) == b'["\\ud83e"]'


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_none_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encoded({"deep": [{"number": number, "text": "NaN"}]})
