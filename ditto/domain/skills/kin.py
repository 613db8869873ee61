"""Which models are relatives: those that agree more than strangers do on answers that the rest rejects.

That two models are wrong together cannot be seen without labels; what can be seen is this. One of the two is left out,
skills are fitted to the others' answers, and each answer gets its probability of being right. Among the questions on
which both are probably wrong, so judged, relatives give the same wrong answer more often than pairs do on the whole.
Skilled models that agree on what is right are no relatives: the answer is held to be right without the second of them.
The excess is drawn towards none where there are few such questions, and a small one is taken for chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np

from ditto.domain.confidence.kinship import Family
from ditto.domain.confidence.prior import Prior
from ditto.domain.skills import likelihood
from ditto.domain.skills.likelihood import Answers, Floats
from ditto.domain.skills.observations import Observation

MOST_MODELS = 40
"""Among more models nobody looks for relatives: their number of pairs grows with the square."""

_DOUBT_QUESTIONS = 10.0
_CHANCE = 0.45
"""Recorded models of one maker reach .45; copies that differ in every seventh answer lie at .7 and above."""

_FEWEST_MODELS = 3

Fit = Callable[[Answers, int, Prior, Floats | None], Floats]
Pair = tuple[str, str]


def families(kinds: Sequence[Sequence[Observation]], fit: Fit, prior: Prior) -> tuple[Family, ...]:
    """Returns the families among the models of the observations, by kind of question.

    Args:
        kinds: For each kind its observations.
        fit: Returns the likeliest skills.
        prior: The numbers of the model.
    """
    joint: dict[Pair, float] = {}
    chances: dict[Pair, float] = {}
    for rows in kinds:
        for pair, (same, expected, doubtful) in _counts(rows, fit, prior).items():
            joint[pair] = joint.get(pair, 0.0) + same - expected * doubtful
            chances[pair] = chances.get(pair, 0.0) + (1.0 - expected) * doubtful
    excess = {pair: joint[pair] / (chances[pair] + _DOUBT_QUESTIONS) for pair in joint}
    return _joined({pair: each for pair, each in excess.items() if each > _CHANCE})


def _counts(rows: Sequence[Observation], fit: Fit, prior: Prior) -> dict[Pair, tuple[float, float, float]]:
    """Returns for each pair how often it was wrong with one answer, how often pairs are, and out of how many."""
    names = sorted({model for row in rows for model, _ in row.answers})
    if not _FEWEST_MODELS <= len(names) <= MOST_MODELS:
        return {}
    chances = _chances(rows, names, fit, prior)
    counts = {pair: _count(rows, chances, *pair) for pair in combinations(names, 2)}
    doubtful = sum(each for _, each in counts.values())
    usual = sum(same for same, _ in counts.values()) / doubtful if doubtful > 0.0 else 1.0
    return {pair: (same, usual, each) for pair, (same, each) in counts.items()}


_Chances = dict[str, list[dict[int, float]]]
"""By the model left out and the question: the probability of each answer that the others gave."""


def _chances(rows: Sequence[Observation], names: Sequence[str], fit: Fit, prior: Prior) -> _Chances:
    made: _Chances = {}
    everyone = {name: number for number, name in enumerate(names)}
    skills = fit(likelihood.answers(rows, everyone, (), prior), len(names), prior, None)
    for left_out in names:
        start = np.delete(skills, everyone[left_out])
        numbers = {name: number for number, name in enumerate(name for name in names if name != left_out)}
        given = likelihood.answers(rows, numbers, (), prior)
        posteriors = iter(likelihood.group_posteriors(given, fit(given, len(numbers), prior, start), prior).tolist())
        made[left_out] = [
            {group: next(posteriors) for group in sorted({group for model, group in row.answers if model in numbers})}
            for row in rows
        ]
    return made


def _count(rows: Sequence[Observation], chances: _Chances, one: str, other: str) -> tuple[float, float]:
    same = doubtful = 0.0
    for at, row in enumerate(rows):
        said = dict(reversed(row.answers))
        if one not in said or other not in said:
            continue
        without_other, without_one = chances[other][at][said[one]], chances[one][at][said[other]]
        if said[one] == said[other]:
            wrong = 1.0 - (without_other + without_one) / 2.0
            same += wrong
        else:
            wrong = max(0.0, 1.0 - without_other - without_one)
        doubtful += wrong
    return same, doubtful


def _joined(excess: dict[Pair, float]) -> tuple[Family, ...]:
    """Returns relatives of relatives as one family, with their mean excess."""
    groups: list[set[str]] = []
    for one, other in sorted(excess):
        touched = [group for group in groups if one in group or other in group]
        groups = [group for group in groups if group not in touched] + [{one, other}.union(*touched)]
    return tuple(
        Family(
            models=tuple(sorted(group)),
            echo=min(1.0, float(np.mean([each for pair, each in excess.items() if set(pair) <= group]))),
        )
        for group in sorted(groups, key=min)
    )
