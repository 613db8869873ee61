"""Whatever strikes between any two steps: no accepted job is lost, no journalled answer is asked for again.

Each seed is a whole service in virtual time, with its jobs, its faults and its clients. A seed that fails is played
again, with all that happens in it, by the command that the failure names.
"""

from __future__ import annotations

import os

import pytest

from tests.simulation.plans import Fault

SEEDS = 10_000 if os.environ.get("CI") == "true" else 1_000
ENOUGH = SEEDS // 200
"""So often at least every kind of fault must have struck: else the seeds prove less than they seem to."""


@pytest.mark.timeout(1800)
def test_every_seed_keeps_every_promise(searchers):
    found = searchers.search(0, SEEDS)
    assert found.seeds == SEEDS
    assert not found.failed, found.report()
    assert {fault: found.counts[fault] for fault in Fault if found.counts[fault] < ENOUGH} == {}
    for deed in ("adoptions", "retries", "deaths of poison", "in flight repeated", "ended by a timer or a cancel"):
        assert found.counts[deed] >= ENOUGH, deed
