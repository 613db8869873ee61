"""What a batch came to, in numbers: counted row by row, in memory that does not grow with the rows.

Nothing of what was asked or answered is kept but of the few rows that most need a person's review.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ditto.batching import records
from ditto.batching.labelling import BINS
from ditto.batching.second_pass import Lesson, question_of
from ditto.batching.source import BadRow, Row
from ditto.domain.spec import JSON

MOST_REVIEWED = 40
MOST_WRONG = 40
_TEXT_CHARS = 1200
_STEP = 1.1
_PERCENTILES = (50, 90, 99)


@dataclass(slots=True)
class Model:
    """What one model, or one of its seats, did.

    Attributes:
        with_verdict: Of its votes, those for the answer that won.
    """

    rows: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    votes: int = 0
    with_verdict: int = 0


@dataclass(slots=True)
class Reliability:
    """Confidences held against truths, in bins of equal width: how many, the sum of what was stated, how many right."""

    bins: list[list[float]] = field(default_factory=lambda: [[0, 0.0, 0] for _ in range(BINS)])
    rows: int = 0
    right: int = 0

    def add(self, stated: float | None, *, right: bool) -> None:
        """Takes in one row; one without a confidence counts for the accuracy alone."""
        self.rows += 1
        self.right += right
        if stated is not None:
            found = self.bins[min(int(stated * BINS), BINS - 1)]
            found[0] += 1
            found[1] += stated
            found[2] += right

    def told(self) -> dict[str, JSON]:
        """Returns accuracy and calibration error."""
        stated = sum(each[0] for each in self.bins)
        gaps = sum(abs(each[1] - each[2]) for each in self.bins)
        return {
            "rows": self.rows,
            "accuracy": round(self.right / self.rows, 4) if self.rows else None,
            "ece": round(gaps / stated, 4) if stated else None,
            "bins": [{"rows": int(n), "stated": round(s / n, 4), "right": round(r / n, 4)} if n else {"rows": 0}
                     for n, s, r in self.bins],
        }  # fmt: skip


class Summary:
    """Counts the rows of an output."""

    def __init__(self) -> None:
        self.rows = self.complete = self.review = 0
        self.models: dict[str, Model] = {}
        self.errors: Counter[str] = Counter()
        self._confidences = [0] * BINS
        self._without_confidence = 0
        self._pairs: dict[tuple[str, str], list[int]] = {}
        self._times: Counter[int] = Counter()
        self._slowest_ms = 0.0
        self._wrong: list[dict[str, JSON]] = []
        self._reviewed: list[tuple[float, int, dict[str, Any]]] = []
        self._labelled = Reliability()
        self._first = Reliability()

    def add(self, row: Row | BadRow | None, record: Mapping[str, Any], *, first_right: bool | None = None) -> None:
        """Takes in one row of the output.

        Args:
            row: Of the input, None where it is not there any more.
            first_right: Whether the first pass was right, where there is a label and there were two.
        """
        self.rows += 1
        if record["state"] != records.COMPLETE:
            self._add_failure(record)
        else:
            self.complete += 1
            self.review += bool(record["needsReview"])
            self._add_verdict(record)
            self._add_review(row, record)
        self._add_models(record)
        total_ms = (record.get("timings") or {}).get("total")
        if total_ms is not None:
            self._times[math.ceil(math.log(max(total_ms, 1.0), _STEP))] += 1
            self._slowest_ms = max(self._slowest_ms, total_ms)
        if record.get("correct") is not None:
            self._labelled.add(record["confidence"], right=record["correct"])
            if first_right is not None:
                self._first.add(record["firstPass"]["confidence"], right=first_right)

    def told(self, lesson: Lesson | None) -> dict[str, Any]:
        """Returns all of it as JSON."""
        found: dict[str, Any] = {
            "rows": self.rows,
            "complete": self.complete,
            "failed": self.rows - self.complete,
            "needsReview": self.review,
            "confidence": {"bins": self._confidences, "none": self._without_confidence},
            "latencyMs": self._latency(),
            "models": {name: self._model(name, model, lesson) for name, model in sorted(self.models.items())},
            "agreement": [
                {"models": list(pair), "rows": both, "same": same} for pair, (same, both) in sorted(self._pairs.items())
            ],
            "errors": dict(self.errors.most_common()),
            "wrongRows": self._wrong,
            "review": [row for *_, row in sorted(self._reviewed, key=lambda each: each[:2], reverse=True)],
            "passes": None if lesson is None else {"questions": lesson.questions},
            "labels": None,
        }
        if self._labelled.rows:
            found["labels"] = {**self._labelled.told(), "firstPass": self._first.told() if self._first.rows else None}
        return found

    def _add_failure(self, record: Mapping[str, Any]) -> None:
        error = record.get("error") or {}
        self.errors[str(error.get("type", record["state"]))] += 1
        if len(self._wrong) < MOST_WRONG:
            details = error.get("details")
            first = details[0] if isinstance(details, list) and details else {}
            message = ": ".join(filter(None, (str(first.get("path", "")), str(first.get("message", "")))))
            place = {name: record[name] for name in ("id", "file", "line") if name in record}
            said = message or _short(error.get("message", record["state"]))
            self._wrong.append({**place, "type": error.get("type"), "message": said})

    def _add_verdict(self, record: Mapping[str, Any]) -> None:
        confidence = record["confidence"]
        if confidence is None:
            self._without_confidence += 1
        else:
            self._confidences[min(int(confidence * BINS), BINS - 1)] += 1
        if record["agreement"] is None:
            return
        groups = [record["supportingModels"] or [], *(each["models"] for each in record["dissent"] or [])]
        side = {name: number for number, group in enumerate(groups) for name in group}
        for name, number in side.items():
            model = self.models.setdefault(name, Model())
            model.votes += 1
            model.with_verdict += number == 0
        for pair in itertools.combinations(sorted(side), 2):
            found = self._pairs.setdefault(pair, [0, 0])
            found[0] += side[pair[0]] == side[pair[1]]
            found[1] += 1

    def _add_models(self, record: Mapping[str, Any]) -> None:
        for name, used in ((record.get("usage") or {}).get("models") or {}).items():
            model = self.models.setdefault(name, Model())
            model.rows += 1
            model.calls += used["calls"]
            model.input_tokens += used["inputTokens"] or 0
            model.output_tokens += used["outputTokens"] or 0
        for name, error in (record.get("errors") or {}).items():
            self.models.setdefault(name, Model()).failed[error["type"]] += 1

    def _add_review(self, row: Row | BadRow | None, record: Mapping[str, Any]) -> None:
        """Keeps the row if it is among those that most need review: first those that say so, the least sure first.

        Where all agree and nothing says so, there is nothing to review.
        """
        if not record["needsReview"] and record["agreement"] in (None, 1.0):
            return
        urgency = bool(record["needsReview"]) + 1.0 - (record["confidence"] or 0.0)
        place = -self.rows
        if len(self._reviewed) >= MOST_REVIEWED and (urgency, place) <= self._reviewed[0][:2]:
            return
        heapq.heappush(self._reviewed, (urgency, place, _reviewed(row, record)))
        if len(self._reviewed) > MOST_REVIEWED:
            heapq.heappop(self._reviewed)

    def _model(self, name: str, model: Model, lesson: Lesson | None) -> dict[str, Any]:
        kinds = {} if lesson is None else lesson.skills.kinds
        return {
            "rows": model.rows,
            "failed": dict(model.failed.most_common()),
            "calls": model.calls,
            "inputTokens": model.input_tokens,
            "outputTokens": model.output_tokens,
            "votes": model.votes,
            "withVerdict": model.with_verdict,
            "skills": {kind: round(known[name].skill, 3) for kind, known in kinds.items() if name in known},
        }

    def _latency(self) -> dict[str, float | None]:
        count = sum(self._times.values())
        found: dict[str, float | None] = {f"p{each}": None for each in _PERCENTILES}
        seen = 0
        for step, rows in sorted(self._times.items()):
            seen += rows
            for each in _PERCENTILES:
                if found[f"p{each}"] is None and seen * 100 >= each * count:
                    found[f"p{each}"] = round(min(_STEP**step, self._slowest_ms), 1)
        return {**found, "slowest": self._slowest_ms if count else None}


def _reviewed(row: Row | BadRow | None, record: Mapping[str, Any]) -> dict[str, Any]:
    groups = [(record["answer"], record["supportingModels"] or [])]
    groups += [(each["answer"], each["models"]) for each in record["dissent"] or []]
    replies = record.get("responses") or {}
    answers = [
        {"model": name, "answer": _short(answer), "reply": _short(replies.get(name)), "won": number == 0}
        for number, (answer, models) in enumerate(groups)
        for name in models
    ]
    told = {each["model"] for each in answers}
    answers += [
        {"model": name, "answer": None, "reply": _short(text), "won": False}
        for name, text in replies.items()
        if name not in told
    ]
    return {
        "id": record["id"],
        "file": record.get("file"),
        "line": record["line"],
        "question": _short(question_of(row.request)) if isinstance(row, Row) else None,
        "result": _short(record["result"]),
        "needsReview": record["needsReview"],
        "confidence": record["confidence"],
        "agreement": record["agreement"],
        "label": _short(record.get("label")),
        "answers": answers,
    }


def _short(value: JSON) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else records.as_json(value)
    return text if len(text) <= _TEXT_CHARS else f"{text[: _TEXT_CHARS - 1]}…"
