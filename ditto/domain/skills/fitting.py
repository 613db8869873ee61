"""Skills from many unlabelled answers: those under which the answers that were given are likeliest.

By kind of question the marginal likelihood of the ease–skill model (the right answer, the ease and whether it is a trap
integrated out) is maximised over the skills, with a normal prior, by expectation–maximisation with one Newton step a
skill (Bock and Aitkin 1981). Learning is more sceptical than judging, because models that err alike look skilled: it
holds more questions for traps and nobody for better than even, and halves what is found. Near copies are found first,
with everybody counted in full, and then counted as relatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ditto.domain.confidence.kinship import Family
from ditto.domain.confidence.prior import PRIOR, Prior
from ditto.domain.skills import kin, likelihood
from ditto.domain.skills.likelihood import Answers, Floats
from ditto.domain.skills.observations import Observation
from ditto.domain.skills.sheet import Skill, Skills

MOST_QUESTIONS = 1000
"""Of each kind so many of the latest questions are used."""

_SHRINKAGE = 0.5
_TRAPS = 0.4
_TRAP = 0.25
"""How many questions are held for traps, and their concentration."""

_SKILL_SPREAD = 1.5
_STEPS = 40
_LONGEST_STEP = 1.0
_CLOSE_ENOUGH = 1e-3


def fit(observations: Sequence[Observation], *, version: int, prior: Prior = PRIOR) -> Skills:
    """Returns the skills that the observations teach.

    Args:
        observations: The oldest first.
        version: What the result is to be called; higher than any before.
        prior: The numbers of the model.
    """
    kinds: dict[str, list[Observation]] = {}
    for each in observations:
        kinds.setdefault(each.kind, []).append(each)
    latest = {kind: rows[-MOST_QUESTIONS:] for kind, rows in sorted(kinds.items())}
    families = kin.families(list(latest.values()), found, prior)
    sceptical = replace(prior, skill=0.0, traps=_TRAPS, concentrations=(prior.concentrations[0], _TRAP))
    return Skills(
        version=version,
        kinds={kind: _skills(rows, families, sceptical) for kind, rows in latest.items()},
        families=families,
    )


def _skills(rows: Sequence[Observation], families: Sequence[Family], prior: Prior) -> dict[str, Skill]:
    names = sorted({model for row in rows for model, _ in row.answers})
    numbers = {name: number for number, name in enumerate(names)}
    given = likelihood.answers(rows, numbers, families, prior)
    skills = _SHRINKAGE * found(given, len(names), prior, None)
    seen = {name: sum(any(model == name for model, _ in row.answers) for row in rows) for name in names}
    return {name: Skill(skill=float(skills[numbers[name]]), questions=seen[name]) for name in names}


def found(given: Answers, count: int, prior: Prior, start: Floats | None) -> Floats:
    """Returns the likeliest skills under the prior, before they are halved.

    Args:
        given: The votes.
        count: How many models there are.
        prior: The numbers of the model.
        start: Where to begin; at the prior mean if None.
    """
    skills = np.full(count, prior.skill) if start is None else start.copy()
    for _ in range(_STEPS):
        gained, curvature = likelihood.slope(given, skills, prior)
        gained -= (skills - prior.skill) / _SKILL_SPREAD**2
        step = np.clip(gained / (curvature + 1.0 / _SKILL_SPREAD**2), -_LONGEST_STEP, _LONGEST_STEP)
        skills += step
        if float(np.abs(step).max(initial=0.0)) < _CLOSE_ENOUGH:
            break
    return skills
