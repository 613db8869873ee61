"""When waiting on can change nothing, or nothing worth it: the two rules by which a job settles early.

`decided` is exact about the answer's class, and errs only towards waiting: it holds where the answer, or every field of
a structure, stays the same in every completion of the missing calls (`completions`). What kind of answer is compared
must be fixed by the request: read from the panel, it could change with the next reply; and the answers must be firm: a
later reply must not make one answer of two (`firmness`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ditto.domain import merging
from ditto.domain.confidence.prior import comparison
from ditto.domain.merging import completions, firmness, structures, voting
from ditto.domain.skills.sheet import SkillSheet
from ditto.domain.spec import JSON, AnswerKind, Call
from ditto.domain.verdict import Ballot, Intent, Verdict

_PLAIN = ("number", "integer", "boolean", "string")
_FEWEST = 2
"""One reply alone is no ground for a confidence."""


def decided(
    question: str,
    ballots: Sequence[Ballot],
    missing: Sequence[Call],
    *,
    schema: dict[str, Any] | None,
    answer: AnswerKind | tuple[str, ...] | None,
    review_threshold: float,
    min_responses: int,
    skills: SkillSheet | None = None,
) -> bool:
    """Tells whether every completion of the missing calls gives the same answer.

    A missing call may join any group, open new ones in any partition, abstain, refuse or fail.

    Args:
        question: The last user message.
        ballots: The usable replies so far, in the panel's order.
        missing: The calls that may still give a reply.
        schema: As `merging.merge` takes it, like `answer`, `review_threshold` and `skills`.
        min_responses: So many must have answered.
    """
    if len(ballots) < max(1, min_responses):
        return False
    if not missing:
        return True
    if schema is None and (answer is None or not firmness.firm(question, ballots, answer=answer)):
        return False
    if schema is not None and not structures.fixes_kind(schema):
        return False
    verdict = merging.merge(
        question, ballots, schema=schema, answer=answer, review_threshold=review_threshold, skills=skills
    )
    if verdict.intent is not Intent.ANSWER or verdict.agreement is None or verdict.kind is None:
        return False
    return _settled(verdict, ballots, missing, skills, schema)


def _settled(
    verdict: Verdict,
    ballots: Sequence[Ballot],
    missing: Sequence[Call],
    skills: SkillSheet | None,
    schema: dict[str, Any] | None,
) -> bool:
    """Tells whether the answers that were compared leave the missing calls nothing to change."""
    assert verdict.kind is not None
    awaited = [Ballot(call=call.name, model=call.model, text="", weight=call.weight) for call in missing]
    panel = [*ballots, *awaited]
    voters = voting.electorate(panel, verdict.kind, skills)
    positions = {ballot.call: at for at, ballot in enumerate(panel)}
    groups = [verdict.supporting, *(each.models for each in verdict.dissent)]
    keys = {positions[call]: number for number, group in enumerate(groups) for call in group}
    open_seats = [positions[call.name] for call in missing]
    if not isinstance(verdict.result, dict | list):
        return completions.wins(0, keys, open_seats, voters, comparison(verdict.kind, verdict.options))
    agreeing = [at for at, number in keys.items() if number == 0]
    others = [*(at for at, number in keys.items() if number > 0), *open_seats]
    if _has_order(verdict.result, schema or {}) and not completions.are_most(agreeing, others, voters):
        return False
    return completions.wins_every_field(verdict.result, agreeing, others, voters)


def _has_order(value: JSON, schema: Any) -> bool:
    """Tells whether a list of several items stands in it whose order a missing reply could still change.

    What it is in a list that can hold nothing but plain values, `completions` tells.
    """
    if isinstance(value, dict):
        parts = _part(schema, "properties")
        return any(_has_order(item, _part(parts, name)) for name, item in value.items())
    if not isinstance(value, list):
        return False
    items = _part(schema, "items")
    plain = _part(items, "type") in _PLAIN
    return (len(value) > 1 and not plain) or any(_has_order(item, items) for item in value)


def _part(schema: Any, name: str) -> Any:
    """Returns what a schema says under this name, nothing where it says something else than names."""
    return schema.get(name, {}) if isinstance(schema, dict) else {}


def confident(verdict: Verdict, answered: int, p: float, min_responses: int) -> bool:
    """Tells whether enough models have answered, and the verdict over their replies is at least `p` sure.

    Args:
        verdict: Over the replies so far.
        answered: How many they are.
        p: The confidence that is enough, 0 to 1.
        min_responses: So many must have answered, and never fewer than two.
    """
    enough = answered >= max(_FEWEST, min_responses)
    return enough and verdict.confidence is not None and verdict.confidence >= p
