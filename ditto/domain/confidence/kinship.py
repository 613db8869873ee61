"""How much the replies of relatives count: those that say the same are partly echoes of one another.

Within one answer the replies of a family count as 1 + (m − 1)(1 − ρ) replies, evenly shared, where ρ is how much of one
is an echo of another; so do several replies of one model. Where relatives disagree they count in full. So one more
relative never takes anything away, and never adds more than a stranger would. (Kish 1965 has the effective number of m
replies as m / (1 + (m − 1)ρ); that falls when a relative of several strangers joins them.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Models that are relatives: `echo` is ρ, from 0 (strangers) to 1 (copies)."""

    models: tuple[str, ...]
    echo: float


def effective(
    groups: Mapping[int, Hashable], models: Sequence[str], families: Sequence[Family], own_echo: float
) -> dict[int, float]:
    """Returns how much each voter's reply counts, above 0 and at most 1, before its weight.

    Args:
        groups: The answer of each voter, by its position in the panel.
        models: Of every reply in the panel.
        families: No model is in two of them.
        own_echo: ρ between several replies of one model.
    """
    belongs = {model: (number, family.echo) for number, family in enumerate(families) for model in family.models}
    replies = Counter((group, models[at]) for at, group in groups.items())
    tribes: dict[tuple[Hashable, int], set[str]] = {}
    for at, group in groups.items():
        if models[at] in belongs:
            tribes.setdefault((group, belongs[models[at]][0]), set()).add(models[at])
    counted = {}
    for at, group in groups.items():
        model = models[at]
        number, echo = belongs.get(model, (-1, 0.0))
        relatives = len(tribes.get((group, number), (model,)))
        own = replies[group, model]
        first = (1.0 + (relatives - 1) * (1.0 - echo)) / relatives
        counted[at] = (first + (own - 1) * (1.0 - own_echo)) / own
    return counted
