"""`ditto models --skills`: what was learned of the models from the store's own jobs, and how to have it forgotten."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ditto.cli.options import Where

if TYPE_CHECKING:
    from ditto.store.port import Learned


async def learned(where: Where, *, forget: bool) -> Learned:
    """Returns what the store's jobs have taught; with `forget`, after it was forgotten."""
    from ditto.cli.doors import stored

    async with stored(where) as store:
        return await store.learned(forget=forget)


def as_json(found: Learned) -> dict[str, Any]:
    """Returns the skills as decoded JSON: by kind of question and model, and the relatives."""
    return {
        "version": found.skills.version,
        "since": found.since.isoformat(),
        "skills": {
            kind: {
                model: {"skill": skill.skill, "rightWhereAverage": _chance(skill.skill), "questions": skill.questions}
                for model, skill in skills.items()
            }
            for kind, skills in found.skills.kinds.items()
        },
        "relatives": [{"models": list(family.models), "echo": family.echo} for family in found.skills.families],
    }


def rows(found: Learned) -> list[tuple[str, ...]]:
    """Returns a line for each kind and model, the most skilled first."""
    return [
        (kind, model, f"{_chance(skill.skill):.0%} right", f"{skill.questions} questions")
        for kind, skills in found.skills.kinds.items()
        for model, skill in sorted(skills.items(), key=lambda item: -item[1].skill)
    ]


def relatives(found: Learned) -> list[tuple[str, ...]]:
    """Returns a line for each family of models."""
    return [(", ".join(family.models), f"{family.echo:.0%} echo") for family in found.skills.families]


def _chance(skill: float) -> float:
    """Returns how probably a model of this skill is right where the question's ease is average."""
    return 1.0 / (1.0 + math.exp(-skill))
