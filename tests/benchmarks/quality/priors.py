"""Are the numbers of the model tuned to these sets? Each set's figures under the numbers that the others choose.

The candidates differ from what is shipped in one number each; the first, plainest, is the model of the literature: no
traps, an average skill of 0, exact comparison. A set's choice is the candidate with the lowest mean Brier score (cold
and with history) on the other sets, the plainer of those that are as good.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from ditto.domain.confidence import posterior, prior
from ditto.domain.confidence.prior import PRIOR, Prior
from ditto.domain.merging import voting
from tests.benchmarks.quality import scores, ways
from tests.benchmarks.quality.draws import Draw

_PLAIN = Prior(skill=0.0, concentrations=(4.0, 1.0), traps=0.0, forms=0.0, lumped=0.0)
CANDIDATES: Mapping[str, Prior] = {
    "plain": _PLAIN,
    "plain, skill 0.5": replace(_PLAIN, skill=0.5),
    "exact": replace(PRIOR, forms=0.0, lumped=0.0),
    "not lumped": replace(PRIOR, lumped=0.0),
    "one form": replace(PRIOR, forms=0.0),
    "skill 0": replace(PRIOR, skill=0.0),
    "skill 1": replace(PRIOR, skill=1.0),
    "fewer traps": replace(PRIOR, traps=0.2),
    "more traps": replace(PRIOR, traps=0.5),
    "shipped": PRIOR,
}
WAYS = ("cold", "history")
_AS_GOOD = 5e-4

Figures = dict[str, Any]


@contextmanager
def believing(other: Prior) -> Iterator[None]:
    """Has everything in this process believe other numbers for a while."""
    modules = (prior, posterior, voting)
    before = [module.PRIOR for module in modules]
    for module in modules:
        vars(module)["PRIOR"] = other
    try:
        yield
    finally:
        for module, own in zip(modules, before, strict=True):
            vars(module)["PRIOR"] = own


def scored(given: ways.Set, drawn: Sequence[Draw], data: Path) -> Figures:
    """Returns the figures of one set under each candidate, by way."""
    made: Figures = {}
    for name, candidate in CANDIDATES.items():
        tally = ways.Tally()
        with believing(candidate):
            for draw in drawn:
                ways.run_both(given, draw, tally, candidate, data)
        made[name] = {way: asdict(scores.scored(tally.confidences[way], tally.right[way])) for way in WAYS}
    return made


def left_out(sets: Mapping[str, Figures]) -> Figures:
    """Returns for each set the candidate that the other sets choose, and the set's figures under it."""
    chosen: Figures = {}
    for name in sets:
        others = [sets[other] for other in sets if other != name]
        loss = {
            candidate: fmean(each[candidate][way]["brier"] for each in others for way in WAYS)
            for candidate in CANDIDATES
        }
        best = next(candidate for candidate in CANDIDATES if loss[candidate] <= min(loss.values()) + _AS_GOOD)
        chosen[name] = {"chosen": best, **sets[name][best], "shipped": sets[name]["shipped"]}
    return chosen
