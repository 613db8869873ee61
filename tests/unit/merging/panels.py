"""Panels of replies, written as short as a test can say them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ditto.domain.merging import merge
from ditto.domain.spec import AnswerKind
from ditto.domain.verdict import Ballot, Verdict


def replies(*texts: str, weights: Sequence[float] = (), finish: Sequence[str] = ()) -> list[Ballot]:
    """Returns one ballot for each text, from models named a, b, c …"""
    return [
        Ballot(
            call=name,
            model=name,
            text=text,
            weight=weights[at] if weights else 1.0,
            finish=finish[at] if finish else "stop",
        )
        for at, (text, name) in enumerate(zip(texts, names(len(texts)), strict=True))
    ]


def objects(*values: Any, weights: Sequence[float] = ()) -> list[Ballot]:
    """Returns one ballot for each validated value, from models named a, b, c …"""
    return [
        Ballot(call=name, model=name, text="{}", value=value, weight=weights[at] if weights else 1.0)
        for at, (value, name) in enumerate(zip(values, names(len(values)), strict=True))
    ]


def names(count: int) -> list[str]:
    """Returns names of models that sort in their order."""
    return [chr(ord("a") + number) if number < 26 else f"z{number:04d}" for number in range(count)]


def merged(
    question: str,
    ballots: Sequence[Ballot],
    *,
    schema: dict[str, Any] | None = None,
    answer: AnswerKind | tuple[str, ...] | None = None,
    review_threshold: float = 0.5,
) -> Verdict:
    """Returns the verdict of a panel."""
    return merge(question, ballots, schema=schema, answer=answer, review_threshold=review_threshold)
