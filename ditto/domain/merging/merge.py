"""The entry: replies in text are merged as texts, replies read by a schema as structures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ditto.domain.confidence.calibration import Calibration
from ditto.domain.merging import structures, texts
from ditto.domain.skills.sheet import SkillSheet
from ditto.domain.spec import AnswerKind
from ditto.domain.verdict import Ballot, BasisKind, Reading, Verdict

_END_CHARS = 20_000
"""A question may be sixteen megabytes, and reading takes seconds a megabyte, on a loop that other jobs share."""


def merge(
    question: str,
    ballots: Sequence[Ballot],
    *,
    schema: dict[str, Any] | None,
    answer: AnswerKind | tuple[str, ...] | None,
    review_threshold: float,
    skills: SkillSheet | None = None,
    calibration: Calibration | None = None,
) -> Verdict:
    """Returns what the replies come to.

    Their order decides nothing but ties, which go to the answer whose first reply stands earlier.

    Args:
        question: The last user message.
        ballots: The usable replies in the panel's order, at least one.
        schema: JSON Schema 2020-12 of the result, None for text.
        answer: The kind of answer to compare, or the allowed answers; None: read from question and panel.
        review_threshold: Below this confidence the verdict needs a person's review.
        skills: What is known of the models; None: nothing.
        calibration: What labels say of such confidences; used where all weights are 1.
    """
    if schema is not None:
        verdict = structures.verdict(ballots, schema=schema, review_threshold=review_threshold, skills=skills)
    else:
        verdict = texts.verdict(
            _ends(question), ballots, answer=answer, review_threshold=review_threshold, skills=skills
        )
    if calibration is None or verdict.confidence is None or any(ballot.weight != 1.0 for ballot in ballots):
        return verdict
    return _corrected(verdict, verdict.confidence, calibration, review_threshold)


def _ends(question: str) -> str:
    """Returns as much of a question as is read: what is asked, and from what, stands at its beginning or its end."""
    if len(question) <= 2 * _END_CHARS:
        return question
    return f"{question[:_END_CHARS]}\n\n{question[-_END_CHARS:]}"


def _corrected(verdict: Verdict, stated: float, calibration: Calibration, review_threshold: float) -> Verdict:
    """Returns the verdict with its confidence corrected; the other answers share what is left as they did before."""
    confidence = calibration.applied(stated)
    shrunk = (1.0 - confidence) / (1.0 - stated) if stated < 1.0 else 1.0

    def corrected(reading: Reading) -> Reading:
        if reading.confidence is None:
            return reading
        supports = reading.call in verdict.supporting
        return replace(reading, confidence=confidence if supports else reading.confidence * shrunk)

    return replace(
        verdict,
        confidence=confidence,
        needs_review=confidence < review_threshold,
        basis=replace(verdict.basis, kind=BasisKind.CALIBRATED, uncalibrated=stated),
        readings=tuple(corrected(reading) for reading in verdict.readings),
    )
