"""The second pass: a batch knows all its questions, so its verdicts are made again by what they teach of the models.

When all answers are there, skills are fitted on the whole batch, without labels, and each row's replies are merged anew
with them; nobody is asked again. It is the ease–skill model that the service learns by too (`domain.skills`), on this
batch's questions alone. A reply that was no vote in the first pass is none in the second.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ditto.batching import records
from ditto.batching.source import Row, place_of
from ditto.domain import schemas
from ditto.domain.merging import merge
from ditto.domain.request import Request
from ditto.domain.skills.fitting import fit
from ditto.domain.skills.observations import Observation, observed
from ditto.domain.skills.sheet import NOTHING, Skills, SkillSheet
from ditto.domain.spec import AnswerKind, StrategyName
from ditto.domain.verdict import Ballot, Verdict
from ditto.domain.verdict_view import render_verdict

FEWEST = 30
"""Fewer questions teach too little."""
_MOST = 4000
"""Of more rows a sample teaches as much."""
_FIRST = ("result", "answer", "confidence", "agreement", "needsReview", "chosenModel", "supportingModels", "dissent")
_FINAL = frozenset({"judge", "calibrated"})
"""What the service knew better than the votes stays."""


class Merging(StrEnum):
    """How the verdicts of a batch are made."""

    AUTO = "auto"
    ONE_PASS = "one-pass"
    TWO_PASS = "two-pass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What a batch has taught.

    Attributes:
        questions: So many have taught it.
        review_threshold: Below this confidence a row needs a person's review.
    """

    skills: Skills
    questions: int
    review_threshold: float

    def sheet(self, models: Iterable[str]) -> SkillSheet:
        """Returns what is known of these models."""
        return self.skills.sheet(models)


class Lessons:
    """Gathers what the rows of a batch teach.

    Args:
        rows: How many there are, to sample from.
    """

    def __init__(self, rows: int, review_threshold: float) -> None:
        self._share = min(1.0, _MOST / max(rows, 1))
        self._threshold = review_threshold
        self._observations: list[Observation] = []
        self._panels: set[frozenset[str]] = set()

    def add(self, row: Row, record: Mapping[str, Any]) -> None:
        """Takes in one row of the output."""
        if not is_votable(record):
            return
        self._panels.add(frozenset(record["usage"]["models"]))
        if place_of(row.id) >= self._share:
            return
        verdict = merged(row.request, record, NOTHING.sheet(()), self._threshold)
        seen = observed(verdict, {call: model_of(call) for call in record["responses"]})
        if seen is not None:
            self._observations.append(seen)

    def lesson(self, *, wanted: bool) -> Lesson | None:
        """Returns what they have taught, None where it is not enough, or where several panels were asked.

        Args:
            wanted: Whatever they teach is to be used.
        """
        count = len(self._observations)
        if not count or (not wanted and (count < FEWEST or len(self._panels) > 1)):
            return None
        return Lesson(skills=fit(self._observations, version=1), questions=count, review_threshold=self._threshold)


def is_votable(record: Mapping[str, Any]) -> bool:
    """Tells whether a row's replies are there and were put to the vote."""
    return (
        record["state"] == records.COMPLETE
        and bool(record.get("responses"))
        and record["agreement"] is not None
        and record["basis"]["kind"] not in _FINAL
        and "firstPass" not in record
    )


def seconded(row: Row, record: Mapping[str, Any], lesson: Lesson) -> dict[str, Any]:
    """Returns the row with the verdict of the second pass, that of the first beside it."""
    if not is_votable(record):
        return dict(record)
    verdict = merged(row.request, record, lesson.sheet(map(model_of, record["responses"])), lesson.review_threshold)
    shown = render_verdict(verdict, record["responses"])
    first = {name: record[name] for name in _FIRST}
    second = {name: shown[name] for name in records.VERDICT}
    basis = {"kind": "batch", "questions": lesson.questions}
    return {**record, "result": verdict.result, **second, "basis": basis, "firstPass": first}


def merged(request: Request, record: Mapping[str, Any], sheet: SkillSheet, review_threshold: float) -> Verdict:
    """Returns the verdict over a row's replies."""
    answer = request.answer
    return merge(
        question_of(request),
        _ballots(request, record),
        schema=request.schema_ or None,
        answer=answer if answer is None or isinstance(answer, AnswerKind) else tuple(answer),
        review_threshold=review_threshold,
        skills=sheet if sheet.skills or sheet.families else None,
    )


def question_of(request: Request) -> str:
    """Returns the last user message."""
    return request.prompt if request.prompt is not None else (request.messages or [])[-1].content


def model_of(call: str) -> str:
    """Returns the model of a call: `name#2` is the second call of `name`."""
    name, mark, number = call.rpartition("#")
    return name if mark and number.isdecimal() else call


def is_one_panel(rows: Iterable[object]) -> bool:
    """Tells whether the first rows that can be asked are enough, and all ask one panel that may vote."""
    panels, count = set[str](), 0
    for row in rows:
        if not isinstance(row, Row):
            continue
        request = row.request
        if request.strategy not in (None, StrategyName.CONSENSUS):
            return False
        panels.add(repr((request.models, request.ensemble, request.samples)))
        count += 1
        if len(panels) > 1 or count == FEWEST:
            break
    return count == FEWEST and len(panels) == 1


def _ballots(request: Request, record: Mapping[str, Any]) -> list[Ballot]:
    schema, weights = request.schema_ or None, request.weights or {}
    voted = set(record["supportingModels"]).union(*(each["models"] for each in record["dissent"]))
    return [
        Ballot(
            call=call,
            model=model_of(call),
            text=text,
            value=None if schema is None else schemas.read(text, schema),
            weight=weights.get(model_of(call), 1.0),
            finish="stop" if schema is not None or call in voted else "length",
        )
        for call, text in record["responses"].items()
    ]
