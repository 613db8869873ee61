"""Skills: how often each model is right at each kind of question, learned from answers that nobody has judged.

`observed` says what one verdict teaches, `fit` what many teach together, and `Skills.sheet` what one job needs of it.
"""

from __future__ import annotations

from ditto.domain.skills.fitting import fit
from ditto.domain.skills.observations import Observation, observed
from ditto.domain.skills.sheet import NOTHING, Skill, Skills, SkillSheet

__all__ = ["NOTHING", "Observation", "Skill", "SkillSheet", "Skills", "fit", "observed"]
