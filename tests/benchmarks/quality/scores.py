"""Figures over stated confidences and what came true: accuracy, calibration and ranking, as pure functions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 15
_RESAMPLINGS = 100

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What one way of merging reached on pooled questions; `nulls` is the part without a confidence."""

    accuracy: float
    ece: float
    floor: float
    brier: float
    auroc: float | None
    at_50: float
    at_80: float
    nulls: float
    rows: int


def scored(confidences: list[float | None], right: list[bool]) -> Score:
    """Returns the figures of answers with these confidences, null counted as .5."""
    stated, truth = arrays(confidences, right)
    return Score(
        accuracy=float(truth.mean()),
        ece=ece(stated, truth),
        floor=floor(stated),
        brier=float(((stated - truth) ** 2).mean()),
        auroc=auroc(stated, truth),
        at_50=selective(stated, truth, 0.5),
        at_80=selective(stated, truth, 0.8),
        nulls=sum(each is None for each in confidences) / len(confidences),
        rows=len(right),
    )


def arrays(confidences: list[float | None], right: list[bool]) -> tuple[Floats, Floats]:
    """Returns confidences, null as .5, and truths, as numbers."""
    stated = np.array([0.5 if each is None else each for each in confidences], dtype=np.float64)
    return stated, np.array(right, dtype=np.float64)


def ece(stated: Floats, truth: Floats) -> float:
    """Returns the expected calibration error over equally wide bins (Guo et al. 2017)."""
    bins = np.minimum((stated * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights=stated - truth, minlength=BINS)
    return float(np.abs(gaps).sum() / len(stated))


def floor(stated: Floats) -> float:
    """Returns the calibration error that a perfectly calibrated method would show on as many rows, by chance."""
    draws = np.random.default_rng(1).random((_RESAMPLINGS, len(stated))) < stated
    return float(np.mean([ece(stated, outcome.astype(np.float64)) for outcome in draws]))


def auroc(stated: Floats, truth: Floats) -> float | None:
    """Returns how probable it is that a right answer has more confidence than a wrong one; ties count half."""
    right, wrong = int(truth.sum()), int(len(truth) - truth.sum())
    if not right or not wrong:
        return None
    values, places, counts = np.unique(stated, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2.0
    assert len(values) == len(ranks)
    return float((ranks[places][truth == 1.0].sum() - right * (right + 1) / 2.0) / (right * wrong))


def selective(stated: Floats, truth: Floats, coverage: float) -> float:
    """Returns the accuracy on the most confident part of the answers; ties at the edge count with their mean."""
    wanted = coverage * len(stated)
    values, places, counts = np.unique(-stated, return_inverse=True, return_counts=True)
    assert len(values) == len(counts)
    hits = np.bincount(places, weights=truth)
    taken = np.clip(wanted - (np.cumsum(counts) - counts), 0.0, counts)
    return float((hits / counts * taken).sum() / wanted)


def curve(stated: Floats, truth: Floats) -> list[tuple[float, float]]:
    """Returns coverage and accuracy from the most confident answers on, a point for every twentieth."""
    return [(step / 20, selective(stated, truth, step / 20)) for step in range(1, 21)]


def reliability(stated: Floats, truth: Floats) -> list[tuple[float, float, int]]:
    """Returns for each bin that holds something: mean confidence, accuracy, number of answers."""
    bins = np.minimum((stated * BINS).astype(int), BINS - 1)
    return [
        (float(stated[bins == each].mean()), float(truth[bins == each].mean()), int((bins == each).sum()))
        for each in range(BINS)
        if (bins == each).any()
    ]
