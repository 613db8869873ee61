"""A verdict as the wire shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ditto.domain.verdict import Dissent, FieldVerdict, Judgement, Reading, Verdict


def render_verdict(verdict: Verdict, texts: Mapping[str, str]) -> dict[str, Any]:
    """Returns the verdict as decoded JSON in the wire's spelling.

    Args:
        texts: Each reply by its call's name.
    """
    return {
        "summary": verdict.summary,
        "intent": str(verdict.intent),
        "confidence": _rounded(verdict.confidence),
        "needsClarification": verdict.needs_clarification,
        "supportingModels": list(verdict.supporting),
        "responses": [_reading(reading, texts) for reading in verdict.readings],
        "answer": verdict.answer,
        "chosenModel": verdict.chosen,
        "agreement": _rounded(verdict.agreement),
        "needsReview": verdict.needs_review,
        "basis": {"kind": str(verdict.basis.kind), "skills": verdict.basis.skills},
        "dissent": [_dissent(dissent) for dissent in verdict.dissent],
        "fields": {path: _field(field) for path, field in verdict.fields.items()},
        "judge": None if verdict.judgement is None else _judgement(verdict.judgement),
    }


def _judgement(judgement: Judgement) -> dict[str, Any]:
    return {
        "model": judgement.model,
        "chosen": judgement.chosen,
        "reason": judgement.reason,
        "confidence": _rounded(judgement.confidence),
        "order": list(judgement.order),
    }


def _reading(reading: Reading, texts: Mapping[str, str]) -> dict[str, Any]:
    return {
        "model": reading.call,
        "raw": texts[reading.call],
        "summary": reading.summary,
        "intent": str(reading.intent),
        "confidence": _rounded(reading.confidence),
    }


def _dissent(dissent: Dissent) -> dict[str, Any]:
    return {"answer": dissent.answer, "models": list(dissent.models), "share": _rounded(dissent.share)}


def _field(field: FieldVerdict) -> dict[str, Any]:
    return {
        "confidence": _rounded(field.confidence),
        "supportingModels": list(field.supporting),
        "dissent": [_dissent(dissent) for dissent in field.dissent],
    }


def _rounded(probability: float | None) -> float | None:
    return None if probability is None else round(probability, 4)
