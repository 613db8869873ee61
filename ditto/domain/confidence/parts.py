"""How skilled a model is in one part of what it gives, by its skill in the whole: a part is easier to get right.

A whole is right when all its parts are. Were the parts right or wrong independently of one another, a model that gets
a whole of k parts right with probability σ(s) would get each right with σ(s)^(1/k); were they right or wrong together,
with σ(s). They are in between: k parts count as √k independent ones, halfway in the exponent.
"""

from __future__ import annotations

import math

_MOST = 30.0
"""Beyond this σ is 1 as a float."""


def skill(whole: float, parts: int) -> float:
    """Returns the skill in one part of a whole of so many, at least the skill in the whole."""
    if parts < 2 or whole > _MOST:
        return whole
    log_chance = -math.log1p(math.exp(-whole)) if whole > -_MOST else whole
    each = log_chance / math.sqrt(parts)
    return each - math.log(-math.expm1(each))
