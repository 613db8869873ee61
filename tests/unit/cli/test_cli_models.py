"""`ditto models` shows what is configured."""

from __future__ import annotations

from ditto.cli.models import overview
from ditto.settings import from_args


def test_limits_are_shown_in_words():
    limits = {"openai": {"requests_per_minute": 500, "tokens_per_minute": 200_000}, "sim/terse": {"calls_at_once": 2}}
    shown = overview(from_args({"rate_limits": limits}, source="here"), {})
    assert shown["limits"] == {
        "openai": "500 requests a minute, 200000 tokens a minute",
        "sim/terse": "2 calls at once",
    }
