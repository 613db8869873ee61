"""Skills are learned from the journal's own unlabelled jobs, and given to jobs at their acceptance."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from ditto.domain import events as ev
from ditto.domain import strategies
from ditto.domain.confidence.calibration import FEWEST_LABELS
from ditto.domain.events import Reply
from ditto.domain.job import apply, fold
from ditto.domain.labels import label_of
from ditto.domain.request import parse
from ditto.domain.skills.sheet import NOTHING
from ditto.domain.verdict import BasisKind
from ditto.errors import StoreUnavailable
from ditto.runtime import learning
from ditto.runtime.learning import FEWEST, Book, Learner, forget_skills
from ditto.runtime.runner import utc_now
from ditto.settings import from_args
from ditto.settings.resolving import resolve
from ditto.store.memory import MemoryJournal
from ditto.store.port import Append, Learned
from tests.unit.domain.jobs import spec

MODELS = ("good", "fair", "other", "poor")
NOW = utc_now()


@pytest.fixture
def journal():
    return MemoryJournal()


async def answered(journal, number, texts, *, at=NOW, task=None):
    """Writes the journal of one complete job in which the models said these numbers."""
    job_id = f"job{number:05}"
    metadata = {} if task is None else {"task": task}
    asked = spec(*MODELS, deadline_at=NOW.replace(year=2999), metadata=metadata)
    moment = at + timedelta(seconds=number)
    events = [ev.JobAccepted(spec=asked, holder="host:0")]
    events += [ev.CallStarted(call=model, round=1, caller="caller:0") for model in MODELS]
    events += [
        ev.CallCompleted(call=model, round=1, reply=Reply(text=text)) for model, text in zip(MODELS, texts, strict=True)
    ]
    begun = Append(job_id=job_id, id=f"a{number}", after=0, events=tuple((moment, event) for event in events))
    await journal.append(begun)
    verdict = strategies.verdict(fold(job_id, await journal.read(job_id)))
    ended = ev.JobCompleted(verdict=verdict, merge_s=0.0)
    await journal.append(Append(job_id=job_id, id=f"b{number}", after=len(events), events=((moment, ended),)))


async def history(journal, questions, *, first=0):
    """Writes jobs in which one model is always with the majority, two mostly, and one seldom."""
    for number in range(first, first + questions):
        right = str(100 + number)
        fair = right if number % 4 else str(7000 + number)
        other = right if number % 5 else str(8000 + number)
        await answered(journal, number, (right, fair, other, right if number % 6 == 0 else str(9000 + number)))


async def test_thirty_jobs_teach_which_model_is_better(journal):
    await history(journal, FEWEST)
    await Learner(journal).look()
    learned = (await journal.learned()).skills
    assert learned.version == 1
    numbers = learned.kinds["number"]
    assert numbers["good"].skill > numbers["fair"].skill > numbers["poor"].skill


async def test_fewer_teach_nothing(journal):
    await history(journal, FEWEST - 1)
    await Learner(journal).look()
    assert (await journal.learned()).skills == NOTHING


async def test_a_later_look_learns_from_what_is_new_and_counts_up(journal):
    learner = Learner(journal)
    await history(journal, FEWEST)
    await learner.look()
    await learner.look()
    assert (await journal.learned()).skills.version == 1
    await history(journal, FEWEST, first=FEWEST)
    await learner.look()
    learned = (await journal.learned()).skills
    assert learned.version == 2
    assert learned.kinds["number"]["good"].questions == 2 * FEWEST


async def test_a_keeper_that_begins_anew_does_not_learn_the_same_again(journal):
    await history(journal, FEWEST)
    await Learner(journal).look()
    await Learner(journal).look()
    assert (await journal.learned()).skills.version == 1


async def test_what_is_forgotten_is_not_learned_again_from_the_same_jobs(journal):
    learner = Learner(journal)
    await history(journal, FEWEST)
    await learner.look()
    assert await forget_skills(journal, NOW + timedelta(days=1)) == 2
    await learner.look()
    assert (await journal.learned()).skills.kinds == {}


async def test_of_two_that_learn_at_once_one_is_heard(journal):
    await history(journal, FEWEST)
    one, other = Learner(journal), Learner(journal)
    await one.look()
    await other.look()
    assert (await journal.learned()).skills.version == 1


async def test_a_job_keeps_the_skills_it_was_accepted_with(journal):
    await history(journal, FEWEST)
    await Learner(journal).look()
    settings = from_args({"providers": {"x": {"base_url": "http://127.0.0.1:1"}}}, source="x")
    learned = await journal.learned()
    renamed = {
        kind: {f"x/{name}": skill for name, skill in skills.items()} for kind, skills in learned.skills.kinds.items()
    }
    skills = type(learned.skills)(version=7, kinds=renamed)
    asked = parse({"prompt": "What is 6 * 7?", "models": [f"x/{model}" for model in MODELS]})
    job_spec = resolve(asked, settings, NOW, skills)
    assert job_spec.skills is not None
    assert job_spec.skills.version == 7
    texts = dict(zip(job_spec.calls, ("42", "41", "41", "40"), strict=True))
    records = [ev.JobAccepted(spec=job_spec, holder="host:0")]
    records += [ev.CallStarted(call=call.name, round=1, caller="caller:0") for call in texts]
    records += [ev.CallCompleted(call=call.name, round=1, reply=Reply(text=text)) for call, text in texts.items()]
    numbered = [ev.Recorded(seq=seq, at=NOW, event=ev.decode(ev.encode(e))) for seq, e in enumerate(records, 1)]
    verdict = strategies.verdict(fold("j", numbered))
    assert (verdict.basis.kind, verdict.basis.skills) == (BasisKind.HISTORY, 7)


async def labelled(journal, jobs, *, first=0):
    """Writes jobs of one task on whose results somebody has said a word, and returns the last."""
    for number in range(first, jobs):
        await answered(journal, number, ("42", "42", "42", "41"), task="sums")
        said = ev.FeedbackGiven(correct=number % 5 == 0, answer=None)
        job = fold(f"job{number:05}", await journal.read(f"job{number:05}"))
        later = job.updated_at + timedelta(seconds=1)
        await journal.append(Append(job_id=job.id, id=f"f{number}", after=job.seq, events=((later, said),)))
    return job


async def test_a_keeper_that_begins_anew_makes_its_corrections_from_all_labels(journal, monkeypatch):
    monkeypatch.setattr(learning, "_READ", 20)
    await labelled(journal, FEWEST_LABELS + 20)
    await Learner(journal).look()
    before = await journal.learned()
    assert before.skills.calibrations["sums"].labels == FEWEST_LABELS + 20
    await Learner(journal).look()
    assert await journal.learned() == before


async def test_of_more_labels_than_are_remembered_the_latest_count_also_for_a_keeper_that_begins_anew(
    journal, monkeypatch
):
    monkeypatch.setattr(learning, "MOST", FEWEST_LABELS)
    learner = Learner(journal)
    await labelled(journal, FEWEST_LABELS)
    await learner.look()
    await labelled(journal, 2 * FEWEST_LABELS, first=FEWEST_LABELS)
    await learner.look()
    assert len(learner._labels) == FEWEST_LABELS
    before = await journal.learned()
    await Learner(journal).look()
    assert await journal.learned() == before


async def test_a_keeper_that_begins_anew_learns_from_the_latest_questions(journal, monkeypatch):
    monkeypatch.setattr(learning, "MOST", FEWEST)
    await history(journal, 2 * FEWEST)
    for number in range(2 * FEWEST, 3 * FEWEST):
        right = str(100 + number)
        await answered(journal, number, (str(9000 + number), right, right, right))
    await Learner(journal).look()
    numbers = (await journal.learned()).skills.kinds["number"]
    assert numbers["poor"].questions == FEWEST
    assert numbers["poor"].skill > numbers["good"].skill


class FalteringJournal(MemoryJournal):
    """A journal that is away at the third read of each look until it is well."""

    well = False
    reads = 0

    async def read(self, job_id, after=0, limit=None):
        self.reads += 1
        if not self.well and self.reads == 3:
            raise StoreUnavailable("the database restarts")
        return await super().read(job_id, after)


async def test_a_store_that_is_away_in_the_middle_of_a_look_takes_nothing_from_what_is_learned():
    journal = FalteringJournal()
    journal.well = True
    await labelled(journal, FEWEST_LABELS)
    await Learner(journal).look()
    before = await journal.learned()
    journal.well, journal.reads = False, 0
    learner = Learner(journal)
    with pytest.raises(StoreUnavailable):
        await learner.look()
    assert await journal.learned() == before
    await learner.look()
    assert await journal.learned() == before


async def test_fifty_labels_of_a_task_correct_its_confidences(journal):
    job = await labelled(journal, FEWEST_LABELS)
    await Learner(journal).look()
    learned = (await journal.learned()).skills
    assert list(learned.calibrations) == ["sums"]
    stated = job.outcome.verdict.confidence
    assert learned.calibrations["sums"].applied(stated) < stated
    settings = from_args({"providers": {"x": {"base_url": "http://127.0.0.1:1"}}}, source="x")
    body = {"prompt": "What is 6 * 7?", "models": ["x/a", "x/b"]}
    of_the_task = resolve(parse({**body, "metadata": {"task": "sums"}}), settings, NOW, learned)
    assert of_the_task.calibration == learned.calibrations["sums"]
    assert resolve(parse(body), settings, NOW, learned).calibration is None


@pytest.mark.parametrize(("said", "right"), [("42", True), (42, True), ("forty-two", True), ("41", False)])
async def test_a_label_that_is_an_answer_is_compared_as_replies_are(journal, said, right):
    await answered(journal, 1, ("42", "It is 42.", "42", "41"), task="sums")
    job = fold("job00001", await journal.read("job00001"))
    judged = apply(job, ev.Recorded(seq=job.seq + 1, at=NOW, event=ev.FeedbackGiven(correct=None, answer=said)))
    assert label_of(judged).right is right


async def test_a_service_reads_the_newest_skills_now_and_then(journal, monkeypatch):
    book = Book(journal)
    assert await book.skills() == NOTHING
    await history(journal, FEWEST)
    await Learner(journal).look()
    assert await book.skills() == NOTHING
    monkeypatch.setattr("ditto.runtime.learning.READ_AGAIN_S", -1.0)
    for _ in itertools.repeat(None, 3):
        last = await book.skills()
        assert book._reading is not None
        await book._reading
    assert (await book.skills()).version == 1
    assert last.version == 1


async def test_learned_skills_of_no_later_version_are_refused(journal):
    await journal.learn(Learned(skills=type(NOTHING)(version=3), since=NOW))
    with pytest.raises(Exception, match="version 3 or later"):
        await journal.learn(Learned(skills=type(NOTHING)(version=3), since=NOW))
