"""The ways of merging that are measured: for every scored question of a draw, a confidence and its truth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from ditto.domain.confidence.prior import PRIOR, Prior
from ditto.domain.merging import choosing, merge
from ditto.domain.skills.fitting import fit
from ditto.domain.skills.observations import observed
from ditto.domain.skills.sheet import SkillSheet
from ditto.domain.verdict import Ballot, Verdict
from tests.benchmarks.quality import functions, rivals
from tests.benchmarks.quality.draws import Draw
from tests.benchmarks.quality.questions import Question

REVIEW_THRESHOLD = 0.5
_NO_VOTE = "open text is not voted on"


@dataclass(slots=True)
class Tally:
    """What came out, pooled over draws: per way the confidences and truths, and the same for single fields."""

    confidences: dict[str, list[float | None]] = field(default_factory=lambda: defaultdict(list))
    right: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    field_confidences: dict[str, list[float | None]] = field(default_factory=lambda: defaultdict(list))
    field_right: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    best_single: list[float] = field(default_factory=list)
    mean_single: list[float] = field(default_factory=list)
    any_right: list[float] = field(default_factory=list)

    def count(self, way: str, confidence: float | None, *, right: bool) -> None:
        self.confidences[way].append(confidence)
        self.right[way].append(right)

    def count_verdict(self, way: str, verdict: Verdict | None, question: Question, data: Path) -> None:
        """Counts one verdict, and its fields where it has some."""
        confidence, right = judged(verdict, question, data)
        self.count(way, confidence, right=right)
        if verdict is not None and verdict.fields and question.schema is not None:
            truths = functions.right_fields(data, verdict.result, dict(question.row))
            for pointer, truth in truths.items():
                self.field_confidences[way].append(_stated(verdict, pointer))
                self.field_right[way].append(truth)


def merged(question: Question, ballots: Sequence[Ballot], skills: SkillSheet | None = None) -> Verdict | None:
    """Returns the verdict of a panel, None where no reply was usable."""
    if not ballots:
        return None
    return merge(
        question.prompt,
        ballots,
        schema=question.schema,
        answer=None,
        review_threshold=REVIEW_THRESHOLD,
        skills=skills,
    )


def learned(verdicts: Iterable[Verdict | None], panel: Sequence[str], prior: Prior = PRIOR) -> SkillSheet:
    """Returns what the verdicts on some questions teach of a panel, without labels."""
    names = {reading.call: reading.call for verdict in verdicts if verdict for reading in verdict.readings}
    rows = [row for verdict in verdicts if verdict and (row := observed(verdict, names))]
    return fit(rows, version=1, prior=prior).sheet(panel)


def judged(verdict: Verdict | None, question: Question, data: Path) -> tuple[float | None, bool]:
    """Returns a verdict's confidence and whether its result is right; without a readable answer: 0, and wrong."""
    if verdict is None:
        return 0.0, False
    if verdict.agreement is None and not any(reading.abstained == _NO_VOTE for reading in verdict.readings):
        return 0.0, False
    if verdict.chosen is not None:
        return verdict.confidence, question.right[verdict.chosen]
    return verdict.confidence, functions.all_right(data, verdict.result, dict(question.row))


def _stated(verdict: Verdict, pointer: str) -> float | None:
    """Returns the confidence in one argument, of a nested one its least certain part's; None for one left out."""
    parts = [each for at, each in verdict.fields.items() if at == pointer or at.startswith(f"{pointer}/")]
    stated = [each.confidence for each in parts if each.confidence is not None]
    return min(stated) if stated and len(stated) == len(parts) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """The questions of a set, and for each the verdict over all recorded models, which only teaches skills."""

    questions: Sequence[Question]
    everybody: Sequence[Verdict | None]
    data: Path

    @classmethod
    def of(cls, questions: Sequence[Question], data: Path) -> Set:
        return cls(
            questions=questions,
            everybody=[merged(question, list(question.ballots.values())) for question in questions],
            data=data,
        )


def run(given: Set, drawn: Draw, tally: Tally) -> None:
    """Counts every way of merging on the scored questions of one draw."""
    scored = [given.questions[at] for at in drawn.scored]
    cold = [merged(question, question.panel(drawn.panel)) for question in scored]
    sheets = {
        "history": history(given, drawn),
        "history of all models": learned(_at(given.everybody, drawn.history), drawn.panel),
        "two passes": learned(cold, drawn.panel),
    }
    for question, verdict in zip(scored, cold, strict=True):
        tally.count_verdict("cold", verdict, question, given.data)
    for way, sheet in sheets.items():
        for question in scored:
            verdict = merged(question, question.panel(drawn.panel), sheet)
            tally.count_verdict(way, verdict, question, given.data)
    _rivals(scored, cold, drawn, tally, given.data)
    _singles(scored, drawn, tally)


def run_both(given: Set, drawn: Draw, tally: Tally, prior: Prior, data: Path) -> None:
    """Counts the cold merge and that with the panel's own history alone."""
    sheet = history(given, drawn, prior)
    for question in _at(given.questions, drawn.scored):
        ballots = question.panel(drawn.panel)
        tally.count_verdict("cold", merged(question, ballots), question, data)
        tally.count_verdict("history", merged(question, ballots, sheet), question, data)


def history(given: Set, drawn: Draw, prior: Prior = PRIOR) -> SkillSheet:
    """Returns what the panel's own answers to the draw's earlier questions teach."""
    earlier = [merged(question, question.panel(drawn.panel)) for question in _at(given.questions, drawn.history)]
    return learned(earlier, drawn.panel, prior)


_Item = TypeVar("_Item")


def _at(items: Sequence[_Item], positions: Sequence[int]) -> list[_Item]:
    return [items[position] for position in positions]


def _rivals(scored: Sequence[Question], cold: Sequence[Verdict | None], drawn: Draw, tally: Tally, data: Path) -> None:
    """Counts the other ways on the same groups; where there was no vote they give what Ditto gives."""
    groups = [rivals.Groups.of(verdict) if verdict else rivals.Groups(members=()) for verdict in cold]
    ways: dict[str, Callable[[], list[tuple[int | None, float]]]] = {
        "plurality": lambda: [rivals.plurality(each, drawn.panel) for each in groups],
        "dawid_skene": lambda: rivals.dawid_skene(groups, drawn.panel),
    }
    for way, decide in ways.items():
        for question, verdict, each, (best, share) in zip(scored, cold, groups, decide(), strict=True):
            if best is None:
                confidence, right = judged(verdict, question, data)
                tally.count(way, confidence, right=right)
                continue
            ballots = [question.ballots[model] for model in each.members[best]]
            chosen = ballots[choosing.one_of(range(len(ballots)), ballots)]
            tally.count(way, share, right=question.right[chosen.model])


def _singles(scored: Sequence[Question], drawn: Draw, tally: Tally) -> None:
    rates = [sum(question.right[model] for question in scored) / len(scored) for model in drawn.panel]
    tally.best_single.append(max(rates))
    tally.mean_single.append(sum(rates) / len(rates))
    tally.any_right.append(
        sum(any(question.right[model] for model in drawn.panel) for question in scored) / len(scored)
    )
