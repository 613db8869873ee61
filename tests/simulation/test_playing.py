"""A seed is one history: the same in every process, and without faults the same as if nothing could fail."""

from __future__ import annotations

import os
import subprocess
import sys

from ditto.domain.job import Completed, Job, JobState, fold
from ditto.domain.spec import SettleRule
from tests.simulation.plans import plan, undisturbed
from tests.simulation.promises import uncrashed
from tests.simulation.runs import Run, run

SEEDS = range(40)
FOLLOWED = (51, 254, 382)
"""In these two listen to one call at a time; who of them was woken first once hung on where in memory they lay."""
DIGESTS = "from tests.simulation.runs import run; print([run(seed).digest() for seed in range(40)])"


def jobs(played: Run) -> list[Job]:
    return [fold(job_id, records) for job_id, records in played.journals.items()]


def untimed(job: Job) -> bool:
    """Whether all that a job's end hangs on are its replies; a judge sees them in another order in each job."""
    timed = job.cut is not None or job.retries or job.spec.settle is not SettleRule.ALL
    return not timed and not job.failures() and job.spec.judge is None


def test_the_same_seed_is_the_same_history():
    assert [run(seed).digest() for seed in SEEDS] == [run(seed).digest() for seed in SEEDS]


def test_who_listens_is_woken_in_the_order_of_coming():
    for seed in FOLLOWED:
        assert len({run(seed).digest() for _ in range(4)}) == 1


def test_two_seeds_are_two_histories():
    assert len({run(seed).digest() for seed in SEEDS}) == len(SEEDS)


def test_a_history_does_not_hang_on_the_order_of_sets():
    here = str([run(seed).digest() for seed in SEEDS])
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", DIGESTS]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
        assert done.stdout.strip() == here


def test_where_nothing_fails_jobs_end_as_the_uncrashed_run_says():
    seen = 0
    for seed in SEEDS:
        played = run(seed, given=undisturbed(plan(seed)))
        assert played.violations == ()
        for job in jobs(played):
            if untimed(job) and job.state is JobState.COMPLETE:
                expected = uncrashed(seed, job)
                assert isinstance(expected.outcome, Completed)
                assert isinstance(job.outcome, Completed)
                assert job.outcome.verdict == expected.outcome.verdict
                seen += 1
    assert seen >= len(SEEDS) // 4


def test_faults_change_no_verdict_on_which_no_timer_had_a_say():
    compared = 0
    for seed in SEEDS:
        calm = {job.spec.metadata["tag"]: job for job in jobs(run(seed, given=undisturbed(plan(seed))))}
        for job in jobs(run(seed)):
            before = calm.get(job.spec.metadata["tag"])
            if before is None or not untimed(job) or not untimed(before):
                continue
            if isinstance(job.outcome, Completed) and isinstance(before.outcome, Completed):
                assert job.outcome.verdict == before.outcome.verdict
                compared += 1
    assert compared >= len(SEEDS) // 4
