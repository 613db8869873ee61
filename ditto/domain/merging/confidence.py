r"""How probable it is that an answer is right, given who gave which: the ease–skill model with clustered errors.

Each question has an ease θ ~ N(0, τ²). A reply is right with probability σ(θ): all skills are equal as long as no
history tells them apart. Right replies say the same; wrong replies fall into groups by a Chinese-restaurant process of
concentration α, because models err together. So, for groups of n₁ … n_K of N replies,

    P(groups, group k is right | θ) = σ(θ)^{n_k} σ(-θ)^{N-n_k} CRP(the other groups)
    P(groups, no group is right | θ) = σ(-θ)^N CRP(all groups)
    CRP(n₁ … n_K) = α^K ∏ Γ(n_j) · Γ(α) / Γ(α + ∑ n_j)

and the posterior of a group is its term over the sum of all, θ integrated out by Gauss–Hermite quadrature around each
integrand's mode (Liu and Pierce 1994), which stays exact for one reply as for a thousand. τ = 2 and the α below are
cold priors, chosen on recorded answers. A group's size is the weight of its replies, the heaviest reply counting as
one: only the ratio of weights matters, and no weight makes a panel more than it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ditto.domain.spec import AnswerKind

EASE_SPREAD = 2.0
"""τ"""

_CONCENTRATION = {
    AnswerKind.NUMBER: 8.0,
    AnswerKind.JSON: 8.0,
    AnswerKind.CHOICE: 2.0,
    AnswerKind.BOOLEAN: 2.0,
}
_USUAL_CONCENTRATION = 4.0
_NODES = 32
_NEWTON_STEPS = 30
_PRECISE_ENOUGH = 1e-6


def concentration(kind: AnswerKind) -> float:
    """Returns α: the smaller, the more often wrong replies coincide."""
    return _CONCENTRATION.get(kind, _USUAL_CONCENTRATION)


def posteriors(sizes: Sequence[float], alpha: float) -> list[float]:
    """Returns for each group the probability that its answer is right; what is missing to 1 is "none of these".

    Args:
        sizes: The weight of each group's replies, above 0; the heaviest reply counts as 1.
        alpha: The concentration α, above 0.
    """
    total = math.fsum(sizes)
    tables = math.fsum(sorted(math.log(alpha) + math.lgamma(size) for size in sizes))
    ease = {size: _log_ease(size, total - size) for size in {*sizes, 0.0}}
    logs = [
        ease[size] + tables - math.log(alpha) - math.lgamma(size) - _log_rising(alpha, total - size) for size in sizes
    ]
    none = ease[0.0] + tables - _log_rising(alpha, total)
    top = max(none, *logs)
    terms = [math.exp(log - top) for log in logs]
    whole = math.fsum([*terms, math.exp(none - top)])
    return [term / whole for term in terms]


def _log_rising(alpha: float, count: float) -> float:
    return math.lgamma(alpha + count) - math.lgamma(alpha)


def _log_ease(right: float, wrong: float) -> float:
    """Returns log ∫ σ(θ)^right σ(-θ)^wrong N(θ; 0, τ²) dθ."""
    mode, width = _peak(right, wrong)
    nodes, log_weights = _quadrature()
    theta = mode + math.sqrt(2.0) * width * nodes
    logs = (
        -right * np.logaddexp(0.0, -theta)
        - wrong * np.logaddexp(0.0, theta)
        - theta**2 / (2.0 * EASE_SPREAD**2)
        + log_weights
    )
    top = float(logs.max())
    return top + math.log(float(np.exp(logs - top).sum())) + math.log(width / EASE_SPREAD) - 0.5 * math.log(math.pi)


def _peak(right: float, wrong: float) -> tuple[float, float]:
    """Returns where the integrand is highest and how wide it is there; it is log-concave, so Newton finds it."""
    total, mode = right + wrong, 0.0
    for _ in range(_NEWTON_STEPS):
        sigma = 1.0 / (1.0 + math.exp(-mode))
        curvature = total * sigma * (1.0 - sigma) + 1.0 / EASE_SPREAD**2
        step = (right - total * sigma - mode / EASE_SPREAD**2) / curvature
        mode += max(-2.0, min(2.0, step))
        if abs(step) < _PRECISE_ENOUGH:
            break
    sigma = 1.0 / (1.0 + math.exp(-mode))
    return mode, 1.0 / math.sqrt(total * sigma * (1.0 - sigma) + 1.0 / EASE_SPREAD**2)


@lru_cache(maxsize=1)
def _quadrature() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    nodes, weights = np.polynomial.hermite.hermgauss(_NODES)
    return nodes, np.log(weights) + nodes**2
