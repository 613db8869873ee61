"""The vote: equal answers form groups, the heaviest wins.

Ties go to the group with more total skill, then to the one whose first member stands earlier in the panel. Without
history all skills are equal, so the weight has already said it.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from ditto.domain.merging import confidence
from ditto.domain.verdict import Ballot

_DECIMALS = 9
"""Weights are compared to so many decimals, so that 0.1 + 0.2 ties with 0.3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Replies that give one answer.

    Attributes:
        members: Their positions in the panel, rising.
        weight: The sum of their weights.
    """

    key: Hashable
    members: tuple[int, ...]
    weight: float


def ranked(keys: Mapping[int, Hashable], weights: Sequence[float]) -> list[Group]:
    """Returns the groups of equal keys, the winner first; replies of weight 0 are left out.

    Args:
        keys: The key of each voting reply's answer, by its position in the panel.
        weights: Of every reply in the panel.
    """
    members: dict[Hashable, list[int]] = {}
    for position in sorted(keys):
        if weights[position] > 0:
            members.setdefault(keys[position], []).append(position)
    groups = [
        Group(key=key, members=tuple(at), weight=round(math.fsum(weights[i] for i in at), _DECIMALS))
        for key, at in members.items()
    ]
    return sorted(groups, key=lambda group: (-group.weight, group.members[0]))


def probabilities(
    groups: Sequence[Group], ballots: Sequence[Ballot], alpha: float, *, loner: float = 1.0
) -> list[float] | None:
    """Returns for each group the probability that it is right, None where fewer than two models voted.

    One model's vote says nothing about how often that model is right, however often it is repeated.

    Args:
        groups: All groups of the vote.
        ballots: The panel.
        alpha: The concentration of wrong answers.
        loner: How much a reply that stands alone counts: less than 1 where answers that mean the same may go unnoticed.
    """
    voters = [position for group in groups for position in group.members]
    if len({ballots[position].model for position in voters}) < 2:
        return None
    heaviest = max(ballots[position].weight for position in voters)
    sizes = [
        math.fsum(ballots[position].weight / heaviest for position in group.members)
        * (loner if len(group.members) == 1 else 1.0)
        for group in groups
    ]
    return confidence.posteriors(sizes, alpha)
