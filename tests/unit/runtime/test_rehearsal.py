"""Before it takes a job, a holder plays one through."""

from __future__ import annotations

from ditto.domain.job import Completed
from ditto.runtime.rehearsal import rehearsed
from ditto.runtime.runner import utc_now


def test_a_rehearsed_job_goes_all_the_way_to_its_verdict() -> None:
    job = rehearsed(utc_now)

    assert isinstance(job.outcome, Completed)
    assert job.outcome.verdict.supporting == ("sim/0", "sim/1")
