"""Confidence corrected by labels: what people said of earlier results of a task tells how true its confidences are.

Platt's scaling (1999) on log-odds: σ(a + b · logit p), fitted by penalised maximum likelihood around "change nothing"
(a = 0, b = 1), so that few labels change little. It keeps the order of answers, and helps on its own task only: one
that was fitted on other tasks makes things worse.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

FEWEST_LABELS = 50
"""Fewer labels are not enough for a correction."""

_SPREAD_A = 2.0
_SPREAD_B = 0.5
_LEAST_SLOPE = 0.05
_STEPS = 50
_CLOSE_ENOUGH = 1e-9
_EXTREME = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """σ(intercept + slope · logit p), from so many labels; the slope is above 0."""

    intercept: float
    slope: float
    labels: int

    def applied(self, confidence: float) -> float:
        """Returns the corrected confidence, 0 to 1."""
        return _sigma(self.intercept + self.slope * _logit(confidence))


def calibrated(labelled: Iterable[tuple[float, bool]]) -> Calibration | None:
    """Returns the correction that labels teach, None where there are too few.

    Args:
        labelled: The confidence of each result as it was stated uncorrected, and whether the result was right.
    """
    pairs = [(_logit(confidence), float(right)) for confidence, right in labelled]
    if len(pairs) < FEWEST_LABELS:
        return None
    a, b = 0.0, 1.0
    for _ in range(_STEPS):
        chances = [_sigma(a + b * x) for x, _ in pairs]
        slope_a = math.fsum(y - p for (_, y), p in zip(pairs, chances, strict=True)) - a / _SPREAD_A**2
        slope_b = math.fsum(x * (y - p) for (x, y), p in zip(pairs, chances, strict=True)) - (b - 1.0) / _SPREAD_B**2
        spread = [p * (1.0 - p) for p in chances]
        aa = math.fsum(spread) + 1.0 / _SPREAD_A**2
        ab = math.fsum(x * w for (x, _), w in zip(pairs, spread, strict=True))
        bb = math.fsum(x * x * w for (x, _), w in zip(pairs, spread, strict=True)) + 1.0 / _SPREAD_B**2
        determinant = aa * bb - ab * ab
        step_a, step_b = (bb * slope_a - ab * slope_b) / determinant, (aa * slope_b - ab * slope_a) / determinant
        longest = max(abs(step_a), abs(step_b), 1.0)
        a, b = a + step_a / longest, max(_LEAST_SLOPE, b + step_b / longest)
        if longest == 1.0 and max(abs(step_a), abs(step_b)) < _CLOSE_ENOUGH:
            break
    return Calibration(intercept=a, slope=b, labels=len(pairs))


def _logit(p: float) -> float:
    inside = min(1.0 - _EXTREME, max(_EXTREME, p))
    return math.log(inside) - math.log1p(-inside)


def _sigma(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0.0 else math.exp(x) / (1.0 + math.exp(x))
