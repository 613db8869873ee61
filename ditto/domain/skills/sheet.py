"""What is known of the models: their skills by kind of question, and which of them are relatives."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ditto.domain.confidence.calibration import Calibration
from ditto.domain.confidence.kinship import Family


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """One model's log-odds of being right where the ease is average, and from how many questions they are known."""

    skill: float
    questions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillSheet:
    """What one job needs to know of its models; plain, so that it is kept with the job.

    Attributes:
        version: Of the skills that it was taken from.
        skills: By kind of question (`AnswerKind`) and model. A kind that is absent is one without history.
        families: Relatives among the models.
    """

    version: int
    skills: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    families: tuple[Family, ...] = ()

    def of(self, kind: str, models: Iterable[str]) -> dict[str, float] | None:
        """Returns the skill of each model, None where none is known; a model without one gets the mean of the sheet."""
        known = self.skills.get(kind, {})
        if not known:
            return None
        usual = math.fsum(known.values()) / len(known)
        return {model: known.get(model, usual) for model in models}


@dataclass(frozen=True, slots=True, kw_only=True)
class Skills:
    """All that was learned, as it is kept in the store.

    Attributes:
        version: Counts up with every fit; 0: nothing learned.
        kinds: By kind of question (`AnswerKind`) and model.
        families: Models that agree on answers that the others reject more often than strangers do.
        calibrations: By task, what labels say of the confidences stated there.
    """

    version: int
    kinds: Mapping[str, Mapping[str, Skill]] = field(default_factory=dict)
    families: tuple[Family, ...] = ()
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)

    def sheet(self, models: Iterable[str]) -> SkillSheet:
        """Returns the part that a job over these models needs."""
        wanted = dict.fromkeys(models)
        known = {
            kind: {model: skills[model].skill for model in wanted if model in skills}
            for kind, skills in self.kinds.items()
        }
        related = [
            Family(models=tuple(model for model in family.models if model in wanted), echo=family.echo)
            for family in self.families
        ]
        return SkillSheet(
            version=self.version,
            skills={kind: skills for kind, skills in known.items() if skills},
            families=tuple(family for family in related if len(family.models) > 1),
        )


NOTHING = Skills(version=0)
"""No history: every job is cold."""
