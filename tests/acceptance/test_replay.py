"""Recorded arithmetic, replayed by eight models over HTTP: the merged answer against the models alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.benchmarks.replay import ROWS, measure

DATA = Path(os.environ.get("DITTO_DATA", Path(__file__).parents[2].parent / "shared" / "data"))


@pytest.mark.skipif(
    not DATA.is_dir() and "CI" not in os.environ, reason=f"waits for the recorded answers, which are not in {DATA}"
)
def test_the_merged_answer_is_right_more_often_than_the_mean_model_and_no_less_than_a_plurality():
    figures = measure(DATA, ROWS)
    assert figures["failed_calls"] == 0
    assert figures["merged"] > figures["mean_single"]
    assert figures["merged"] >= figures["plurality"] - 1 / ROWS
