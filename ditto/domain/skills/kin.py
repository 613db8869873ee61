"""Which models are relatives: those that agree more than their skills explain on answers that the rest rejects.

That two models are wrong together cannot be seen without labels; what can be seen is this. Leave one of the two out and
fit skills to the others' answers: that gives for each answer of the second the probability that it is wrong, and how
probable it is that a model of the first one's skill (fitted without the second) says the same. Copies agree more often
than that on answers that are probably wrong. If a share ρ of replies were echoes, agreement would rise from e to
ρ + (1 − ρ)e: so ρ is the excess over what was not expected. It is drawn towards none where there are few such answers,
and a moderate one is taken for chance or for skill that the fit underrates.
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
"""Among more models nobody looks for relatives: the work grows with the square of their number."""

_DOUBTFUL_ANSWERS = 10.0
_CHANCE = 0.4
_AS_PLAIN = 0.1
_MOST_LOOKS = 12
_FEWEST_MODELS = 3

Fit = Callable[[Answers, int, Prior, Floats | None], Floats]
Pair = tuple[str, str]


def families(kinds: Sequence[Sequence[Observation]], fit: Fit, prior: Prior) -> tuple[Family, ...]:
    """Returns the families among the models of the observations.

    The plainest relatives are taken first and counted as such, because copies mislead the fit for all others; then all
    are looked at again.

    Args:
        kinds: For each kind of question its observations.
        fit: Returns the likeliest skills.
        prior: The numbers of the model.
    """
    known: dict[Pair, float] = {}
    for _ in range(_MOST_LOOKS):
        joined = _joined(known)
        related = {pair for family in joined for pair in combinations(family.models, 2)}
        found = {pair: echo for pair, echo in _echoes(kinds, joined, fit, prior).items() if pair not in related}
        plainest = max(found.values(), default=0.0)
        if plainest <= _CHANCE:
            break
        known |= {pair: echo for pair, echo in found.items() if echo > max(_CHANCE, plainest - _AS_PLAIN)}
    return _joined(known)


def _echoes(
    kinds: Sequence[Sequence[Observation]], known: Sequence[Family], fit: Fit, prior: Prior
) -> dict[Pair, float]:
    excess: dict[Pair, float] = {}
    room: dict[Pair, float] = {}
    for rows in kinds:
        names = sorted({model for row in rows for model, _ in row.answers})
        if not _FEWEST_MODELS <= len(names) <= MOST_MODELS:
            continue
        more, possible = _agreements(rows, names, known, fit, prior)
        for (at, one), (to, other) in combinations(enumerate(names), 2):
            pair = (one, other)
            excess[pair] = excess.get(pair, 0.0) + float(more[at, to] + more[to, at]) / 2.0
            room[pair] = room.get(pair, 0.0) + float(possible[at, to] + possible[to, at]) / 2.0
    return {pair: excess[pair] / (room[pair] + _DOUBTFUL_ANSWERS) for pair in excess}


def _agreements(
    rows: Sequence[Observation], names: Sequence[str], known: Sequence[Family], fit: Fit, prior: Prior
) -> tuple[Floats, Floats]:
    """Returns by (left out, other): agreement beyond the expected, and how much there could be; both by doubt."""
    everyone = {name: number for number, name in enumerate(names)}
    skills = fit(likelihood.answers(rows, everyone, known, prior), len(names), prior, None)
    parts = [_leaving_out(rows, names, at, known, prior) for at in range(len(names))]
    without = np.array(
        [np.insert(fit(part, len(names) - 1, prior, np.delete(skills, at)), at, 0.0) for at, part in enumerate(parts)]
    )
    more, room = np.zeros((len(names), len(names))), np.zeros((len(names), len(names)))
    for at, name in enumerate(names):
        others = np.delete(np.arange(len(names)), at)
        given = parts[at]
        doubt, expected = likelihood.expected_agreement(given, without[at][others], without[others, at], prior)
        said = [dict(reversed(row.answers)).get(name) for row in rows if any(m != name for m, _ in row.answers)]
        answered = np.array([each is not None for each in said])[given.question_of_vote]
        same = np.array([-1 if each is None else each for each in said])[given.question_of_vote] == given.labels
        weights = doubt * answered
        more[at, others] = np.bincount(given.models, weights=weights * (same - expected), minlength=len(others))
        room[at, others] = np.bincount(given.models, weights=weights * (1.0 - expected), minlength=len(others))
    return more, room


def _leaving_out(
    rows: Sequence[Observation], names: Sequence[str], at: int, known: Sequence[Family], prior: Prior
) -> Answers:
    numbers = {name: number for number, name in enumerate(each for each in names if each != names[at])}
    return likelihood.answers(rows, numbers, known, prior)


def _joined(echoes: dict[Pair, float]) -> tuple[Family, ...]:
    """Returns relatives of relatives as one family, with their mean echo."""
    groups: list[set[str]] = []
    for one, other in sorted(echoes):
        touched = [group for group in groups if one in group or other in group]
        groups = [group for group in groups if group not in touched] + [{one, other}.union(*touched)]
    return tuple(
        Family(
            models=tuple(sorted(group)),
            echo=min(1.0, float(np.mean([echo for pair, echo in echoes.items() if set(pair) <= group]))),
        )
        for group in sorted(groups, key=min)
    )
