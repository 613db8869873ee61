"""When waiting on can change nothing, or nothing worth it: the two rules by which a job settles early.

`decided` is exact about the answer's class and errs only towards waiting. While all weights are equal a lead that the
missing calls together cannot make up decides; a field-by-field result is not decided before its last reply. What kind
of answer is compared must be fixed by the request: read from the panel, it could change with the next reply; and the
answers must be firm: a later reply must not make one answer of two (`firmness`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ditto.domain import merging
from ditto.domain.merging import firmness
from ditto.domain.spec import AnswerKind, Call
from ditto.domain.verdict import Ballot, Intent, Verdict

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
) -> bool:
    """Tells whether every completion of the missing calls gives the same answer.

    A missing call may join any group, open new ones in any partition, abstain, refuse or fail.

    Args:
        question: The last user message.
        ballots: The usable replies so far, in the panel's order.
        missing: The calls that may still give a reply.
        schema: As `merging.merge` takes it, like `answer` and `review_threshold`.
        min_responses: So many must have answered.
    """
    if len(ballots) < max(1, min_responses):
        return False
    if not missing:
        return True
    if schema is None and (answer is None or not firmness.firm(question, ballots, answer=answer)):
        return False
    verdict = merging.merge(question, ballots, schema=schema, answer=answer, review_threshold=review_threshold)
    if verdict.intent is not Intent.ANSWER or verdict.agreement is None or isinstance(verdict.result, dict | list):
        return False
    weights = {ballot.call: ballot.weight for ballot in ballots}
    lead = math.fsum(weights[call] for call in verdict.supporting)
    others = [math.fsum(weights[call] for call in dissent.models) for dissent in verdict.dissent]
    return lead > max(others, default=0.0) + math.fsum(call.weight for call in missing)


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
