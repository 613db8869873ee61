r"""How probable it is that an answer is right, given who gave which: the ease–skill model with clustered errors.

A question has an ease θ ~ N(0, τ²), a model a skill s; its reply is right with probability σ(s + θ), as in Rasch's
model of tests (1960). Right replies say the same. Wrong replies fall into groups by a Chinese-restaurant process
(Aldous 1985) of concentration α, because models err together; where an answer is picked from m options, into the m − 1
wrong ones by its finite form, Dirichlet–multinomial with α/(m − 1) each. α is large for ordinary questions and small
for traps, in which most errors are one error; which of them a question is, is not known. For groups g₁ … g_K,

    P(groups, g is right | θ) = ∏_{i ∈ g} σ(s_i + θ) ∏_{i ∉ g} σ(-s_i - θ) · ∑_α P(α) CRP_α(the other groups)
    P(groups, none is right | θ) = ∏_i σ(-s_i - θ) · ∑_α P(α) CRP_α(all groups)
    CRP_α(n₁ … n_K) = α^K ∏ Γ(n_j) · Γ(α) / Γ(α + ∑ n_j)

and the posterior of a group is its term over the sum of all, θ integrated out by the trapezoidal rule, which converges
exponentially for such integrands (Trefethen and Weideman 2014); the step shrinks with the panel, as the integrand does.
A reply's weight is an exponent of its factor and its part of its group's size: a reply of weight ½ is half a reply.

Right answers of some kinds come in several forms, so that two groups may be right both. There each group other than the
main one is right as well with odds ρα ∏ σ(s_i + θ) to the wrong group's α ∏ σ(-s_i - θ). The probability of the leading
group counts that in; those of the others stay what is left, so that all of them together are at most 1. Where answers
may have been taken for the same that are not, a group's answer is right that much less often.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ditto.domain.confidence.prior import EXACT, PRIOR, Comparison, Prior

Floats = NDArray[np.float64]

_REACH = 6.0
"""θ is looked at up to so many standard deviations of its prior."""

_WIDEST_STEP = 0.5
_IMPOSSIBLE = -1e30
_FEWEST_OPTIONS = 6
"""Three to five options count as six: among fewer, models are often worse than chance, and then the model holds the
smallest group for the right one. Of two options the larger group is the likelier anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes:
    """Who voted for what.

    Attributes:
        groups: The number of each voter's group, from 0 on, none left out.
        weights: Above 0; the heaviest voter's is 1.
        skills: Of each voter.
    """

    groups: tuple[int, ...]
    weights: tuple[float, ...]
    skills: tuple[float, ...]


def posteriors(
    votes: Votes, how: Comparison = EXACT, *, lead: int | None = None, prior: Prior | None = None
) -> list[float]:
    """Returns for each group the probability that its answer is right; what is missing to 1 is "none of these".

    Args:
        votes: At least one.
        how: The answers compare.
        lead: The group that is the result; the likeliest if None.
        prior: The numbers of the model; `PRIOR` if None.
    """
    return list(_posteriors(votes, how, lead, prior or PRIOR))


@lru_cache(maxsize=4096)
def _posteriors(votes: Votes, how: Comparison, lead: int | None, prior: Prior) -> tuple[float, ...]:
    """Returns the same, kept: a panel often votes as it did before, and every panel of equals is like any other."""
    members = np.asarray(votes.groups)
    weights = np.asarray(votes.weights, dtype=np.float64)
    count = int(members.max()) + 1
    sizes = tuple(np.bincount(members, weights=weights, minlength=count).tolist())
    right, wrong, log_prior = _evidence(members, weights, votes.skills, count, prior)
    all_wrong = wrong.sum(axis=0)
    if how.forms > 0.0 and how.options is None and count > 1:
        chances = _with_forms(sizes, right, wrong, all_wrong + log_prior, how.forms, lead, prior)
    else:
        integrals = _log_sum(np.vstack([right - wrong + all_wrong, all_wrong]) + log_prior)
        logs = integrals + mixed_partitions(sizes, how.options, prior)
        terms = np.exp(logs - logs.max())
        chances = [float(term) for term in terms[:-1] / terms.sum()]
    return tuple(chance * (1.0 - how.lumped) for chance in chances)


@lru_cache(maxsize=4096)
def mixed_partitions(sizes: tuple[float, ...], options: int | None, prior: Prior) -> Floats:
    """Returns log ∑_α P(α) CRP_α of all groups but one, for each one, and last of all groups; not to be changed."""
    made = [
        _partitions(np.array(sizes), options, alpha) + math.log(share)
        for alpha, share in zip(prior.concentrations, prior.shares, strict=True)
        if share > 0.0
    ]
    mixed: Floats = np.logaddexp.reduce(made)
    return mixed


def _partitions(sizes: Floats, options: int | None, alpha: float) -> Floats:
    """Returns log CRP_α of all groups but one, for each one, and last of all groups; sizes are above 0."""
    total = float(sizes.sum())
    if options is None:
        tables, unseen = math.log(alpha) + _log_gamma(sizes), 0.0
    else:
        offered = max(_counted(options), len(sizes))
        each = alpha / max(offered - 1, 1)
        tables = _log_gamma(each + sizes) - math.lgamma(each)
        unseen = math.log(offered - len(sizes)) if offered > len(sizes) else _IMPOSSIBLE
    whole = float(tables.sum())
    seated = _log_gamma(alpha + total - sizes) - math.lgamma(alpha)
    none = unseen + whole - math.lgamma(alpha + total) + math.lgamma(alpha)
    return np.append(whole - tables - seated, none)


def _counted(options: int) -> int:
    return options if options <= 2 else max(options, _FEWEST_OPTIONS)


def _evidence(
    members: NDArray[np.intp], weights: Floats, skills: Sequence[float], count: int, prior: Prior
) -> tuple[Floats, Floats, Floats]:
    """Returns by group and θ the log probability that all of it is right, that all of it is wrong; and θ's prior."""
    theta, log_prior = nodes(float(weights.sum()), prior.ease_spread)
    distinct, which = np.unique(np.asarray(skills, dtype=np.float64), return_inverse=True)
    ability = distinct[:, None] + theta
    log_wrong = -np.logaddexp(0.0, ability)
    by_skill = np.zeros((count, len(distinct)))
    np.add.at(by_skill, (members, which), weights)
    wrong = by_skill @ log_wrong
    return by_skill @ (log_wrong + ability), wrong, log_prior


def nodes(votes: float, spread: float) -> tuple[Floats, Floats]:
    """Returns the values of θ to sum over for a panel of so many votes, and the log of their prior weights."""
    narrowest = 1.0 / math.sqrt(votes / 4.0 + 1.0 / spread**2)
    return _nodes(2.0 ** math.floor(math.log2(min(_WIDEST_STEP, narrowest))), spread)


@lru_cache(maxsize=32)
def _nodes(step: float, spread: float) -> tuple[Floats, Floats]:
    half = math.ceil(_REACH * spread / step)
    theta: Floats = np.arange(-half, half + 1, dtype=np.float64) * step
    log_prior: Floats = -(theta**2) / (2.0 * spread**2) + math.log(step / (spread * math.sqrt(2.0 * math.pi)))
    return theta, log_prior


def _with_forms(
    sizes: tuple[float, ...],
    right: Floats,
    wrong: Floats,
    all_wrong: Floats,
    forms: float,
    lead: int | None,
    prior: Prior,
) -> list[float]:
    """Returns the posteriors where groups other than the main one may be right as well."""
    also = math.log(forms) + right - wrong
    either = np.logaddexp(0.0, also)
    others = either.sum(axis=0) - either
    main = right - wrong + all_wrong + others
    none = all_wrong + either.sum(axis=0)
    crp = mixed_partitions(sizes, None, prior)
    logs = np.vstack([main, none]) + crp[:, None]
    terms = np.exp(logs - logs.max())
    terms /= terms.sum()
    mains = terms[:-1].sum(axis=1)
    lead = int(np.argmax(mains)) if lead is None else lead
    too = np.exp(also[lead] - either[lead])
    leading = float(mains[lead] + ((terms.sum(axis=0) - terms[lead]) * too).sum())
    left = float(mains.sum() - mains[lead])
    kept = min(1.0, max(0.0, 1.0 - leading) / left) if left > 0.0 else 0.0
    return [min(1.0, leading) if at == lead else float(each) * kept for at, each in enumerate(mains)]


def _log_sum(logs: Floats) -> Floats:
    top = logs.max(axis=1, keepdims=True)
    summed: Floats = top[:, 0] + np.log(np.exp(logs - top).sum(axis=1))
    return summed


def _log_gamma(values: Floats) -> Floats:
    return np.array([math.lgamma(value) for value in values.tolist()])
