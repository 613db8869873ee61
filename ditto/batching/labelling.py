"""What labels say of a batch: whether each answer is right, how true the confidences are, and how to correct them.

No label corrects the confidence of its own row: rows are dealt into folds, and each fold is corrected by the labels of
the others. Accuracy and calibration error are told of what that gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ditto.batching import records
from ditto.batching.second_pass import question_of
from ditto.batching.source import Row, place_of
from ditto.domain.confidence.calibration import Calibration, calibrated
from ditto.domain.merging import merge, values
from ditto.domain.spec import JSON, AnswerKind
from ditto.domain.verdict import Ballot

FOLDS = 5
BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrections:
    """How confidences are corrected: those of each fold by the labels of the others, of rows without label by all."""

    of_folds: tuple[Calibration | None, ...]
    of_all: Calibration | None

    def corrected(self, record: Mapping[str, Any], review_threshold: float) -> dict[str, Any]:
        """Returns the row with its confidence corrected, where labels are enough for that."""
        found = self.of_folds[fold_of(record["id"])] if record.get("correct") is not None else self.of_all
        stated = record["confidence"]
        if found is None or stated is None:
            return dict(record)
        confidence = round(found.applied(stated), 4)
        basis = {**record["basis"], "kind": "calibrated", "labels": found.labels, "uncalibrated": stated}
        return {
            **record, "confidence": confidence, "needsReview": confidence < review_threshold, "basis": basis
        }  # fmt: skip


class Labels:
    """Gathers what the labels of a batch say."""

    def __init__(self) -> None:
        self._said: list[tuple[int, float, bool]] = []

    def add(self, record: Mapping[str, Any]) -> None:
        """Takes in one row of the output."""
        if record.get("correct") is not None and record["confidence"] is not None:
            self._said.append((fold_of(record["id"]), record["confidence"], record["correct"]))

    def corrections(self) -> Corrections:
        """Returns what they come to; fewer labels than it takes correct nothing."""

        def others(fold: int) -> Calibration | None:
            return calibrated((stated, right) for each, stated, right in self._said if each != fold)

        return Corrections(
            of_folds=tuple(others(fold) for fold in range(FOLDS)),
            of_all=calibrated((stated, right) for _, stated, right in self._said),
        )


def fold_of(id: str) -> int:
    """Returns the fold of a row: always the same."""
    return int(place_of(f"fold\0{id}") * FOLDS)


def labelled(row: Row, record: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the row with its label, and whether its answer is right; a row without answer is not."""
    if row.label is None or row.label == "":
        return {name: value for name, value in record.items() if name not in ("label", "correct")}
    return {**record, "label": row.label, "correct": is_right(row, record, row.label)}


def is_right(row: Row, record: Mapping[str, Any], label: JSON) -> bool:
    """Tells whether a row's answer is its label: by value with a schema, else as replies are compared."""
    if record["state"] != records.COMPLETE:
        return False
    if row.request.schema_:
        return values.key(record["result"]) == values.key(label) or _text(record["result"]) == _text(label)
    given = record["answer"] if record["answer"] is not None else record["result"]
    if _text(given) == _text(label):
        return True
    answer = row.request.answer
    kind = answer if answer is None or isinstance(answer, AnswerKind) else tuple(answer)
    both = [Ballot(call=name, model=name, text=_text(value)) for name, value in (("given", given), ("label", label))]
    return merge(question_of(row.request), both, schema=None, answer=kind, review_threshold=0.0).agreement == 1.0


def calibration_error(said: Sequence[tuple[float, bool]]) -> float | None:
    """Returns the expected calibration error over ten bins of equal width (Naeini et al. 2015), None without rows."""
    if not said:
        return None
    bins: dict[int, list[tuple[float, bool]]] = {}
    for stated, right in said:
        bins.setdefault(min(int(stated * BINS), BINS - 1), []).append((stated, right))
    gaps = (abs(sum(stated for stated, _ in each) - sum(right for _, right in each)) for each in bins.values())
    return sum(gaps) / len(said)


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
