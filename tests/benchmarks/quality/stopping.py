"""What settling early saves and costs: replies arrive one by one, and each rule stops where it is first satisfied."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ditto.domain.merging import merge, values
from ditto.domain.skills.sheet import SkillSheet
from ditto.domain.spec import AnswerKind, Call
from ditto.domain.strategies import settling
from ditto.domain.verdict import Ballot, Verdict
from tests.benchmarks.quality import scores, ways
from tests.benchmarks.quality.draws import Draw
from tests.benchmarks.quality.questions import Question

CERTAINTIES = (0.8, 0.9, 0.95, 0.99)
KINDS = {
    "gsm8k": AnswerKind.NUMBER,
    "mmlu_pro": AnswerKind.CHOICE,
    "crux": AnswerKind.CODE,
    "bfcl": None,
    "evouna": AnswerKind.TEXT,
}
"""What a user who settles early says is compared; function calls have a schema instead."""


@dataclass(slots=True)
class Stops:
    """What came of one rule: calls that were not waited for, answers that differ from the full panel's."""

    calls: int = 0
    saved: int = 0
    changed: int = 0
    confidences: list[float | None] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        stated, truth = scores.arrays(self.confidences, self.right)
        return {
            "saved": self.saved / max(1, self.calls),
            "changed": self.changed,
            "rows": len(self.right),
            "accuracy": float(truth.mean()),
            "ece": scores.ece(stated, truth),
        }


@dataclass(slots=True)
class Curve:
    """All rules over the draws of one set."""

    name: str
    data: Path
    rules: dict[str, Stops] = field(default_factory=lambda: defaultdict(Stops))

    def run(self, questions: Sequence[Question], drawn: Draw, sheet: SkillSheet | None, way: str) -> None:
        """Lets the replies arrive in a seeded order, and by their recorded times where there are some."""
        chance = random.Random(f"{self.name}/{'/'.join(drawn.panel)}")
        for question in questions:
            order = list(drawn.panel)
            chance.shuffle(order)
            self._arrive(question, drawn, order, sheet, way)
            times = question.row.get("latency_s") or {}
            if all(times.get(model) is not None for model in drawn.panel):
                timed = sorted(drawn.panel, key=lambda model: times[model])
                self._arrive(question, drawn, timed, sheet, f"{way}, by recorded times")

    def _arrive(
        self, question: Question, drawn: Draw, order: Sequence[str], sheet: SkillSheet | None, way: str
    ) -> None:
        full = self._merged(question, question.panel(drawn.panel), sheet)
        open_rules = ["decided", *(f"confident {p}" for p in CERTAINTIES)]
        for count in range(1, len(order) + 1):
            ballots = question.panel([model for model in drawn.panel if model in order[:count]])
            missing = [Call(name=model, model=model) for model in order[count:]]
            now = self._merged(question, ballots, sheet)
            for rule in list(open_rules):
                if missing and not self._satisfied(rule, question, ballots, missing, now, sheet):
                    continue
                open_rules.remove(rule)
                self._stop(f"{rule}, {way}", question, now, full, len(order), len(missing))

    def _satisfied(
        self,
        rule: str,
        question: Question,
        ballots: Sequence[Ballot],
        missing: Sequence[Call],
        now: Verdict | None,
        sheet: SkillSheet | None,
    ) -> bool:
        if now is None:
            return False
        if rule != "decided":
            return settling.confident(now, len(ballots), float(rule.split()[1]), 1)
        return settling.decided(
            question.prompt,
            ballots,
            missing,
            schema=question.schema,
            answer=KINDS[self.name],
            review_threshold=ways.REVIEW_THRESHOLD,
            min_responses=1,
            skills=sheet,
        )

    def _stop(
        self, rule: str, question: Question, now: Verdict | None, full: Verdict | None, calls: int, saved: int
    ) -> None:
        stops = self.rules[rule]
        confidence, right = ways.judged(now, question, self.data)
        stops.calls += calls
        stops.saved += saved
        stops.changed += not _same(now, full)
        stops.confidences.append(confidence)
        stops.right.append(right)

    def _merged(self, question: Question, ballots: Sequence[Ballot], sheet: SkillSheet | None) -> Verdict | None:
        if not ballots:
            return None
        return merge(
            question.prompt,
            ballots,
            schema=question.schema,
            answer=KINDS[self.name],
            review_threshold=ways.REVIEW_THRESHOLD,
            skills=sheet,
        )


def _same(now: Verdict | None, full: Verdict | None) -> bool:
    """Tells whether two verdicts give the same answer; who supported it before supports it still."""
    if now is None or full is None:
        return now is full
    if isinstance(now.result, dict | list) or not now.supporting:
        return values.key(now.result) == values.key(full.result)
    return set(now.supporting) <= set(full.supporting)
