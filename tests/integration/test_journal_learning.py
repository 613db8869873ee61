"""What a journal keeps of its models, and which jobs can teach more, by the same contract in each."""

from __future__ import annotations

import pytest

from ditto.domain import events as ev
from ditto.domain.confidence.calibration import Calibration
from ditto.domain.confidence.kinship import Family
from ditto.domain.skills.sheet import NOTHING, Skill, Skills
from ditto.errors import AppendConflict
from ditto.store.port import Learned
from tests.integration.appends import COMPLETED, life, more
from tests.unit.domain.jobs import at

FAILED = ev.JobFailed(type="JobError", message="no model answered")
RETRIED = ev.JobRetried(holder="host:0", epoch=1, deadline_at=at(99))
RIGHT = ev.FeedbackGiven(correct=True, answer=None)


async def lived(journal, job_id, **changes):
    for append in life(job_id, **changes):
        await journal.append(append)


async def test_complete_jobs_are_told_by_their_end_and_others_are_not(journal):
    for number, job_id in enumerate(("c", "a", "b")):
        await lived(journal, job_id, second=10 * number)
    await lived(journal, "failed", second=5, end=FAILED)
    assert [job_id for _, job_id in await journal.completed(at(-1), 9)] == ["c", "a", "b"]
    assert await journal.completed(at(2), 9) == [(at(12), "a"), (at(22), "b")]


async def test_of_many_complete_jobs_the_latest_are_told(journal):
    for number in range(4):
        await lived(journal, f"j{number}", second=10 * number)
    assert [job_id for _, job_id in await journal.completed(at(-1), 2)] == ["j2", "j3"]


async def test_jobs_that_were_judged_are_told_by_that_moment_and_of_many_the_latest(journal):
    for number in range(3):
        await lived(journal, f"j{number}", second=10 * number)
    await journal.append(more(RIGHT, job_id="j0", after=4, append_id="said", second=90))
    await journal.append(more(RIGHT, job_id="j2", after=4, append_id="said", second=80))
    assert await journal.judged(at(0), 9) == [(at(80), "j2"), (at(90), "j0")]
    assert await journal.judged(at(80), 9) == [(at(90), "j0")]
    assert await journal.judged(at(0), 1) == [(at(90), "j0")]
    await journal.append(more(RIGHT, job_id="j2", after=5, append_id="again", second=95))
    assert await journal.judged(at(0), 9) == [(at(90), "j0"), (at(95), "j2")]


async def test_what_else_comes_after_a_jobs_end_judges_nothing(journal):
    await lived(journal, "j0")
    verdict = (await journal.read("j0"))[-1].event.verdict
    merged = ev.JobMerged(weights=None, schema=None, answer=None, verdict=verdict, merge_s=0.0)
    await journal.append(more(merged, job_id="j0", after=4, append_id="merged", second=90))
    assert await journal.judged(at(0), 9) == []


async def test_a_job_that_was_retried_is_no_longer_judged_for_its_new_result_is_another_one(journal):
    await lived(journal, "j0")
    await journal.append(more(RIGHT, job_id="j0", after=4, append_id="said", second=9))
    await journal.append(more(RETRIED, COMPLETED, job_id="j0", after=5, append_id="again", second=20))
    assert await journal.judged(at(0), 9) == []
    await journal.append(more(RIGHT, job_id="j0", after=7, append_id="of that", second=30))
    assert await journal.judged(at(0), 9) == [(at(30), "j0")]


async def test_nothing_is_known_at_first(journal):
    assert (await journal.learned()).skills == NOTHING


async def test_what_was_learned_is_kept_and_the_newest_counts(journal):
    skills = Skills(
        version=1,
        kinds={"number": {"a": Skill(skill=0.5, questions=30)}},
        families=(Family(models=("a", "b"), echo=0.5),),
        calibrations={"sums": Calibration(intercept=-0.1, slope=0.9, labels=50)},
    )
    await journal.learn(Learned(skills=skills, since=at(1)))
    assert await journal.learned() == Learned(skills=skills, since=at(1))
    later = Learned(skills=Skills(version=2), since=at(2))
    await journal.learn(later)
    assert await journal.learned() == later


async def test_of_two_that_learn_the_same_version_one_is_refused(journal):
    await journal.learn(Learned(skills=Skills(version=3), since=at(1)))
    for version in (3, 2):
        with pytest.raises(AppendConflict):
            await journal.learn(Learned(skills=Skills(version=version), since=at(1)))
