"""The entry: replies in text are merged as texts, replies read by a schema as structures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ditto.domain.merging import structures, texts
from ditto.domain.skills.sheet import SkillSheet
from ditto.domain.spec import AnswerKind
from ditto.domain.verdict import Ballot, Verdict


def merge(
    question: str,
    ballots: Sequence[Ballot],
    *,
    schema: dict[str, Any] | None,
    answer: AnswerKind | tuple[str, ...] | None,
    review_threshold: float,
    skills: SkillSheet | None = None,
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
    """
    if schema is not None:
        return structures.verdict(ballots, schema=schema, review_threshold=review_threshold, skills=skills)
    return texts.verdict(question, ballots, answer=answer, review_threshold=review_threshold, skills=skills)
