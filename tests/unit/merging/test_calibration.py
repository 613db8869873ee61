"""Labels correct a task's confidences: enough of them, in the right direction, and never the order of answers."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ditto.domain.confidence.calibration import FEWEST_LABELS, Calibration, calibrated
from ditto.domain.merging import merge
from ditto.domain.spec import AnswerKind
from ditto.domain.verdict import BasisKind, Verdict
from tests.unit.merging.panels import replies

LABELLED = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=FEWEST_LABELS, max_size=200)
HUMBLE = Calibration(intercept=-1.0, slope=0.5, labels=100)


def judged(calibration: Calibration | None, *, weights: tuple[float, ...] = ()) -> Verdict:
    """Returns the verdict over three equal answers and one other."""
    return merge(
        "How many?",
        replies("4", "4", "4", "5", weights=weights),
        schema=None,
        answer=AnswerKind.NUMBER,
        review_threshold=0.5,
        calibration=calibration,
    )


def test_few_labels_correct_nothing() -> None:
    assert calibrated([(0.9, False)] * (FEWEST_LABELS - 1)) is None


def test_overconfident_results_become_humbler() -> None:
    chance = random.Random(1)
    labelled = [(0.95, chance.random() < 0.7) for _ in range(300)] + [(0.4, chance.random() < 0.3) for _ in range(300)]

    correction = calibrated(labelled)

    assert correction is not None
    assert correction.applied(0.95) == pytest.approx(0.7, abs=0.06)
    assert correction.applied(0.4) == pytest.approx(0.3, abs=0.06)


@given(labelled=LABELLED, one=st.floats(0, 1), other=st.floats(0, 1))
def test_the_order_of_answers_stays(labelled: list[tuple[float, bool]], one: float, other: float) -> None:
    correction = calibrated(labelled)

    assert correction is not None
    low, high = sorted((one, other))
    assert 0.0 <= correction.applied(low) <= correction.applied(high) <= 1.0


def test_a_corrected_verdict_says_so_and_keeps_what_it_was() -> None:
    plain, corrected = judged(None), judged(HUMBLE)

    assert plain.confidence is not None
    assert corrected.confidence == pytest.approx(HUMBLE.applied(plain.confidence))
    assert corrected.basis.kind is BasisKind.CALIBRATED
    assert corrected.basis.uncalibrated == plain.confidence
    chances = {reading.answer: reading.confidence or 0.0 for reading in corrected.readings}
    assert chances[4] == corrected.confidence
    assert sum(chances.values()) <= 1.0 + 1e-9
    assert replace(corrected, confidence=None).result == plain.result


def test_with_weights_of_the_users_own_nothing_is_called_calibrated() -> None:
    assert judged(HUMBLE, weights=(2.0, 1.0, 1.0, 1.0)).basis.kind is BasisKind.COLD
