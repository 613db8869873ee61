"""A judged job merged anew is put to the vote again: the judge's word was on another vote."""

from __future__ import annotations

from ditto.domain import strategies
from ditto.domain.events import DeadlinePassed
from ditto.domain.remerging import Remerge, remerged
from tests.unit.domain.jobs import after, answered, begun, finished, spec, started


def test_a_remerge_asks_no_judge_and_speaks_of_none():
    job = started(begun(spec("a", "b", judge="sim/careful")))
    job = finished(after(answered(answered(job, "a", "It is 41."), "b", "It is 42."), DeadlinePassed()))
    assert "judge" in strategies.verdict(job).warnings[0]

    verdict = remerged(job, Remerge(weights={"a": 0.0}))

    assert (verdict.chosen, verdict.judgement, verdict.warnings) == ("b", None, ())
