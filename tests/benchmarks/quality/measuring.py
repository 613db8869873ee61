"""All figures of one run: the sets side by side in processes of their own, by size of panel and way of merging."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

from tests.benchmarks.quality import draws, priors, recall, refusals, scores, speed, stopping, ways
from tests.benchmarks.quality.questions import CHECKABLE, load

QUICK_DRAWS, QUICK_SIZES = 3, (5,)
FEW_DRAWS = 4
"""For settling early and other priors, which need many merges a question."""

_PROCESSES = 2

Figures = dict[str, Any]


def measured(data: Path, *, quick: bool, count: int) -> Figures:
    """Returns every figure: `sets` by set, size and way, `means` over the sets by size and way, and the rest."""
    merge_ms = speed.merge_ms()
    with ProcessPoolExecutor(_PROCESSES) as pool:
        tasks = {name: pool.submit(one_set, data, name, quick=quick, count=count) for name in CHECKABLE}
        sets = {name: task.result() for name, task in tasks.items()}
    sizes = {name: each["sizes"] for name, each in sets.items()}
    return {
        "sets": sizes,
        "means": _means(sizes),
        "stops": {name: each["stops"] for name, each in sets.items()},
        "left_out": priors.left_out({name: each["priors"] for name, each in sets.items()}),
        "refusals": asdict(refusals.refusals(data)),
        "merge_ms": merge_ms,
        "draws": count,
    }


def one_set(data: Path, name: str, *, quick: bool, count: int) -> Figures:
    """Returns the figures of one set: `sizes` by the size of the panel, `stops` by rule, `priors` by candidate."""
    recall.begin()
    given = ways.Set.of(load(data, name), data)
    questions = given.questions
    models = sorted(questions[0].right)
    made = {}
    for size in QUICK_SIZES if quick else draws.SIZES:
        if size > len(models):
            continue
        tally = ways.Tally()
        for drawn in draws.draws(models, len(questions), size, name=name, count=count):
            ways.run(given, drawn, tally)
        made[str(size)] = _figures(tally)
    few = draws.draws(models, len(questions), 5, name=name, count=1 if quick else min(count, FEW_DRAWS))
    return {"sizes": made, "stops": _stops(given, name, few), "priors": priors.scored(given, few, data)}


def _stops(given: ways.Set, name: str, drawn: Sequence[draws.Draw]) -> Figures:
    curve = stopping.Curve(name=name, data=given.data)
    for draw in drawn:
        scored = [given.questions[at] for at in draw.scored]
        for way, sheet in (("cold", None), ("history", ways.history(given, draw))):
            curve.run(scored, draw, sheet, way)
    return {rule: stops.figures() for rule, stops in sorted(curve.rules.items())}


def _figures(tally: ways.Tally) -> Figures:
    return {
        "ways": {way: asdict(scores.scored(tally.confidences[way], tally.right[way])) for way in tally.right},
        "fields": {
            way: asdict(scores.scored(tally.field_confidences[way], tally.field_right[way]))
            for way in tally.field_right
        },
        "best_single": fmean(tally.best_single),
        "mean_single": fmean(tally.mean_single),
        "any_right": fmean(tally.any_right),
        "drawn": {
            way: {
                "curve": scores.curve(*scores.arrays(tally.confidences[way], tally.right[way])),
                "reliability": scores.reliability(*scores.arrays(tally.confidences[way], tally.right[way])),
            }
            for way in tally.right
        },
    }


def _means(sets: Figures) -> Figures:
    """Returns the plain means over the sets that have panels of a size."""
    means: Figures = {}
    for size in sorted({size for each in sets.values() for size in each}, key=int):
        having = [each[size] for each in sets.values() if size in each]
        means[size] = {
            "ways": {way: _mean_of([each["ways"][way] for each in having]) for way in having[0]["ways"]},
            **{name: fmean(each[name] for each in having) for name in ("best_single", "mean_single", "any_right")},
        }
    return means


def _mean_of(figures: list[Figures]) -> Figures:
    return {
        name: fmean(each[name] for each in figures) if all(each[name] is not None for each in figures) else None
        for name in figures[0]
    }
