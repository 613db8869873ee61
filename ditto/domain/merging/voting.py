"""The vote: equal answers form groups, and the likeliest wins.

As long as all skills are the same the heaviest group is the likeliest, and is found by its weight alone. Ties go to the
group with more total skill, then to the one whose first member stands earlier in the panel.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from ditto.domain.confidence import kinship, posterior
from ditto.domain.confidence.kinship import Family
from ditto.domain.confidence.posterior import Votes
from ditto.domain.confidence.prior import EXACT, PRIOR, Comparison
from ditto.domain.skills.sheet import SkillSheet
from ditto.domain.verdict import Ballot, Basis, BasisKind

_DECIMALS = 9
"""Weights and probabilities are compared to so many decimals, so that 0.1 + 0.2 ties with 0.3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Electorate:
    """What is known of those who vote, by their position in the panel.

    Attributes:
        weights: As the user gave them; who has 0 does not vote.
        skills: At the kind of question that is asked.
        informed: The skills come from history.
        families: Relatives among the models.
    """

    models: tuple[str, ...]
    weights: tuple[float, ...]
    skills: tuple[float, ...]
    informed: bool = False
    families: tuple[Family, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Replies that give one answer.

    Attributes:
        members: Their positions in the panel, rising.
        weight: The sum of their weights, relatives counted once.
    """

    key: Hashable
    members: tuple[int, ...]
    weight: float


def electorate(ballots: Sequence[Ballot], kind: str | None, skills: SkillSheet | None) -> Electorate:
    """Returns the electorate of a panel for one kind of question."""
    models = tuple(ballot.model for ballot in ballots)
    known = skills.of(kind, models) if skills is not None and kind is not None else None
    return Electorate(
        models=models,
        weights=tuple(ballot.weight for ballot in ballots),
        skills=tuple(known[model] for model in models) if known else (PRIOR.skill,) * len(models),
        informed=known is not None,
        families=skills.families if skills is not None else (),
    )


def ranked(keys: Mapping[int, Hashable], voters: Electorate, how: Comparison = EXACT) -> list[Group]:
    """Returns the groups of equal keys, the winner first; replies of weight 0 are left out.

    Args:
        keys: The key of each voting reply's answer, by its position in the panel.
        voters: The whole panel.
        how: The answers compare.
    """
    groups = _groups(keys, voters)
    if len(groups) < 2:
        return groups
    merits = _merits(groups, voters, how)
    order = sorted(
        range(len(groups)), key=lambda number: (-merits[number][0], -merits[number][1], groups[number].members[0])
    )
    return [groups[number] for number in order]


def sole_winner(keys: Mapping[int, Hashable], voters: Electorate, how: Comparison = EXACT) -> Hashable:
    """Returns the key of the group that wins without a tie, None where there is none; args as of `ranked`."""
    groups = _groups(keys, voters)
    if len(groups) < 2:
        return groups[0].key if groups else None
    merits = _merits(groups, voters, how)
    best = max(merits)
    return groups[merits.index(best)].key if merits.count(best) == 1 else None


def _merits(groups: Sequence[Group], voters: Electorate, how: Comparison) -> list[tuple[float, float]]:
    """Returns by what groups are ranked: weight while all skills are equal, else probability and total skill."""
    if len({voters.skills[at] for group in groups for at in group.members}) == 1:
        return [(group.weight, 0.0) for group in groups]
    chances = _posteriors(groups, voters, how)
    return [
        (round(chance, _DECIMALS), _total_skill(group, voters)) for group, chance in zip(groups, chances, strict=True)
    ]


def probabilities(
    groups: Sequence[Group],
    voters: Electorate,
    how: Comparison = EXACT,
    *,
    lead: int | None = None,
) -> list[float] | None:
    """Returns for each group the probability that it is right, None where there is no ground for one.

    Without history one model's vote says nothing about how often that model is right, however often it is repeated.

    Args:
        groups: All groups of the vote.
        voters: The whole panel.
        how: The answers compare.
        lead: The group that is the result, the likeliest if None.
    """
    models = {voters.models[at] for group in groups for at in group.members}
    if not models or (len(models) < 2 and not voters.informed):
        return None
    return _posteriors(groups, voters, how, lead)


def basis(voters: Electorate, skills: SkillSheet | None, chance: float | None) -> Basis:
    """Returns what a confidence of this vote rests on."""
    if skills is None or not voters.informed or chance is None:
        return Basis()
    return Basis(kind=BasisKind.HISTORY, skills=skills.version)


def _groups(keys: Mapping[int, Hashable], voters: Electorate) -> list[Group]:
    members: dict[Hashable, list[int]] = {}
    for position in sorted(keys):
        if voters.weights[position] > 0:
            members.setdefault(keys[position], []).append(position)
    counted = _counted(members, voters)
    return [
        Group(key=key, members=tuple(at), weight=round(math.fsum(counted[i] for i in at), _DECIMALS))
        for key, at in members.items()
    ]


def _counted(members: Mapping[Hashable, Sequence[int]], voters: Electorate) -> dict[int, float]:
    """Returns the weight of each voter, relatives counted once."""
    voting = {at: key for key, positions in members.items() for at in positions}
    if not voters.families and len({voters.models[at] for at in voting}) == len(voting):
        return {at: voters.weights[at] for at in voting}
    shares = kinship.effective(voting, voters.models, voters.families, PRIOR.kinship)
    return {at: voters.weights[at] * share for at, share in shares.items()}


def _posteriors(groups: Sequence[Group], voters: Electorate, how: Comparison, lead: int | None = None) -> list[float]:
    counted = _counted({number: group.members for number, group in enumerate(groups)}, voters)
    heaviest = max(voters.weights[at] for at in counted)
    voting = [(number, at) for number, group in enumerate(groups) for at in group.members]
    votes = Votes(
        groups=tuple(number for number, _ in voting),
        weights=tuple(counted[at] / heaviest for _, at in voting),
        skills=tuple(voters.skills[at] for _, at in voting),
    )
    return posterior.posteriors(votes, how, lead=lead)


def _total_skill(group: Group, voters: Electorate) -> float:
    return round(math.fsum(voters.skills[at] for at in group.members), _DECIMALS)
