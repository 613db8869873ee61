"""What one job teaches about its models: who said the same as whom, at which kind of question. No label is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ditto.domain.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One question's answers.

    Attributes:
        kind: Of question (`AnswerKind`).
        answers: For each reply that voted its model and the number of its answer; equal numbers are equal answers.
        options: How many answers were offered, None where answers are open.
    """

    kind: str
    answers: tuple[tuple[str, int], ...]
    options: int | None = None


def observed(verdict: Verdict, models: Mapping[str, str]) -> Observation | None:
    """Returns what a verdict teaches, None where fewer than two models' answers were compared.

    Args:
        verdict: Of replies that did not see each other.
        models: The model of each call, by the call's name.
    """
    if verdict.kind is None or verdict.agreement is None:
        return None
    groups = [group for group in (verdict.supporting, *(each.models for each in verdict.dissent)) if group]
    answers = tuple((models[call], number) for number, group in enumerate(groups) for call in group)
    if len({model for model, _ in answers}) < 2:
        return None
    return Observation(kind=str(verdict.kind), answers=answers, options=verdict.options)
