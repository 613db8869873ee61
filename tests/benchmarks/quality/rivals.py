"""Other ways to choose among the groups of equal answers, on the same readings: what Ditto is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ditto.domain.verdict import Verdict

_ROUNDS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Who said the same, as the verdict tells it: the groups' models, the winner's first."""

    members: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, verdict: Verdict) -> Groups:
        """Returns the groups of a verdict's vote, none where there was no vote."""
        if verdict.agreement is None:
            return cls(members=())
        return cls(members=tuple(each for each in (verdict.supporting, *(d.models for d in verdict.dissent)) if each))


def plurality(groups: Groups, panel: Sequence[str]) -> tuple[int | None, float]:
    """Returns the largest group, of equals the one whose first member stands earlier, and its share of the votes."""
    if not groups.members:
        return None, 0.0
    firsts = [min(panel.index(model) for model in members) for members in groups.members]
    best = min(range(len(groups.members)), key=lambda at: (-len(groups.members[at]), firsts[at]))
    return best, len(groups.members[best]) / sum(map(len, groups.members))


def dawid_skene(rows: Sequence[Groups], panel: Sequence[str]) -> list[tuple[int | None, float]]:
    """Returns for each question the likeliest group and its posterior by Dawid and Skene (1979), one coin a model.

    Expectation–maximisation over all given questions at once; errors are spread evenly over the other answers given.
    """
    skill = dict.fromkeys(panel, 0.7)
    posteriors: list[list[float]] = []
    for _ in range(_ROUNDS):
        posteriors = [_posterior(groups, skill) for groups in rows]
        right, seen = dict.fromkeys(panel, 1.0), dict.fromkeys(panel, 2.0)
        for groups, chances in zip(rows, posteriors, strict=True):
            for members, chance in zip(groups.members, chances, strict=True):
                for model in members:
                    right[model] += chance
                    seen[model] += 1.0
        skill = {model: right[model] / seen[model] for model in panel}
    best = [max(range(len(each)), key=each.__getitem__) if each else None for each in posteriors]
    return [(at, each[at] if at is not None else 0.0) for at, each in zip(best, posteriors, strict=True)]


def _posterior(groups: Groups, skill: dict[str, float]) -> list[float]:
    if not groups.members:
        return []
    others = max(len(groups.members) - 1, 1)
    logs = [
        sum(
            np.log(skill[model]) if own is members else np.log((1.0 - skill[model]) / others)
            for own in groups.members
            for model in own
        )
        for members in groups.members
    ]
    terms = np.exp(np.array(logs) - max(logs))
    return [float(each) for each in terms / terms.sum()]
