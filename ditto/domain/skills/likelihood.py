"""The ease–skill model over many questions at once: how likely the answers are, and what they say of each skill.

The model is that of `confidence.posterior`. Answers are kept flat: one entry a vote, votes of one group side by side,
groups of one question side by side, so that sums over groups and questions are sums over slices. Sums over the votes of
a question are products with the matrix of who voted on it, because the odds of a right to a wrong reply are e^(s + θ):
what a group adds where it is right is linear in θ.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ditto.domain.confidence import kinship, posterior
from ditto.domain.confidence.kinship import Family
from ditto.domain.confidence.prior import Prior
from ditto.domain.skills.observations import Observation

Floats = NDArray[np.float64]
Whole = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """All votes on the questions of one kind.

    Attributes:
        models: Of each vote, as a number.
        weights: Of each vote, relatives counted once.
        group_starts: The first vote of each group.
        question_starts: The first group of each question.
        counts: By question and model, how much its votes weigh.
        group_of_vote, question_of_group, question_of_vote: As numbers.
        labels: Of each vote, the group's number in its observation.
        sizes: Of each group, by weight.
        partitions: Of each group: log probability of how the other groups came about, were this one right.
        none: Of each question: the same, were no group right.
    """

    models: Whole
    weights: Floats
    group_starts: Whole
    question_starts: Whole
    counts: Floats
    group_of_vote: Whole
    question_of_group: Whole
    question_of_vote: Whole
    labels: Whole
    sizes: Floats
    partitions: Floats
    none: Floats


def answers(
    observations: Sequence[Observation], numbers: dict[str, int], families: Sequence[Family], prior: Prior
) -> Answers:
    """Returns the votes of the observations; models that `numbers` does not name are left out."""
    models: list[int] = []
    weights: list[float] = []
    group_sizes: list[int] = []
    question_sizes: list[int] = []
    labels: list[int] = []
    heavies: list[float] = []
    partitions: list[float] = []
    none: list[float] = []
    for each in observations:
        kept = [(model, group) for model, group in each.answers if model in numbers]
        if not kept:
            continue
        kept.sort(key=lambda vote: vote[1])
        counted = _counted(kept, families)
        sizes: dict[int, list[int]] = {}
        for at, (_, group) in enumerate(kept):
            sizes.setdefault(group, []).append(at)
        heavy = tuple(math.fsum(counted[at] for at in members) for members in sizes.values())
        mixed = posterior.mixed_partitions(heavy, each.options, prior)
        models.extend(numbers[model] for model, _ in kept)
        weights.extend(counted[at] for at in range(len(kept)))
        group_sizes.extend(len(members) for members in sizes.values())
        question_sizes.append(len(sizes))
        labels.extend(group for _, group in kept)
        heavies.extend(heavy)
        partitions.extend(mixed[:-1].tolist())
        none.append(float(mixed[-1]))
    group_of_vote = np.repeat(np.arange(len(group_sizes)), group_sizes)
    question_of_group = np.repeat(np.arange(len(question_sizes)), question_sizes)
    question_of_vote = question_of_group[group_of_vote]
    counts = np.zeros((len(question_sizes), len(numbers)))
    np.add.at(counts, (question_of_vote, np.array(models, dtype=np.intp)), weights)
    return Answers(
        models=np.array(models, dtype=np.intp),
        weights=np.array(weights),
        counts=counts,
        group_starts=_starts(group_sizes),
        question_starts=_starts(question_sizes),
        group_of_vote=group_of_vote,
        question_of_group=question_of_group,
        question_of_vote=question_of_vote,
        labels=np.array(labels, dtype=np.intp),
        sizes=np.array(heavies),
        partitions=np.array(partitions),
        none=np.array(none),
    )


def _counted(votes: Sequence[tuple[str, int]], families: Sequence[Family]) -> list[float]:
    """Returns how much each vote counts; that a model agrees with itself teaches nothing."""
    replies = Counter(model for model, _ in votes)
    groups = {at: group for at, (_, group) in enumerate(votes)}
    shares = kinship.effective(groups, [model for model, _ in votes], families, 1.0)
    same = Counter(votes)
    return [shares[at] * same[vote] / replies[vote[0]] for at, vote in enumerate(votes)]


def _starts(sizes: Sequence[int]) -> Whole:
    ends = np.cumsum(np.array(sizes, dtype=np.intp))
    return np.concatenate([np.zeros(1, dtype=np.intp), ends[:-1]])


def expected_agreement(given: Answers, skills: Floats, newcomer: Floats, prior: Prior) -> tuple[Floats, Floats]:
    """Returns for each vote how probably it is wrong, and how probable it is that one more model says the same.

    Args:
        given: The votes, without the newcomer's.
        skills: By model.
        newcomer: Its skill as it is fitted without each model's answers, by that model.
        prior: The numbers of the model.
    """
    right, none = _responsibilities(given, skills, prior)
    theta, _ = _nodes(given, prior)
    ease = np.add.reduceat(right, given.question_starts, axis=0) + none
    chance = 1.0 / (1.0 + np.exp(-(newcomer[:, None] + theta)))
    own = right.sum(axis=1)[given.group_of_vote]
    joins = (right @ chance.T)[given.group_of_vote, given.models]
    errs = ease.sum(axis=1)[given.question_of_vote] - own
    errs -= (ease @ chance.T)[given.question_of_vote, given.models] - joins
    total = np.add.reduceat(given.sizes, given.question_starts)[given.question_of_vote]
    coincide = sum(
        share * given.sizes[given.group_of_vote] / (alpha + total)
        for alpha, share in zip(prior.concentrations, prior.shares, strict=True)
    )
    expected: Floats = joins + errs * coincide
    doubt: Floats = 1.0 - own
    return doubt, expected


def slope(given: Answers, skills: Floats, prior: Prior) -> tuple[Floats, Floats]:
    """Returns the gradient of the log likelihood by skill, and its expected curvature (as a positive number)."""
    right, none = _responsibilities(given, skills, prior)
    theta, _ = _nodes(given, prior)
    ease = np.add.reduceat(right, given.question_starts, axis=0) + none
    chance = 1.0 / (1.0 + np.exp(-(skills[:, None] + theta)))
    won = np.bincount(given.models, given.weights * right.sum(axis=1)[given.group_of_vote], len(skills))
    gradient: Floats = won - (given.counts * (ease @ chance.T)).sum(axis=0)
    curvature: Floats = (given.counts * (ease @ (chance * (1.0 - chance)).T)).sum(axis=0)
    return gradient, curvature


def _responsibilities(given: Answers, skills: Floats, prior: Prior) -> tuple[Floats, Floats]:
    """Returns by group and θ the posterior that it is right, and by question and θ that none is."""
    theta, log_prior = _nodes(given, prior)
    log_wrong = -np.logaddexp(0.0, skills[:, None] + theta)
    lead = np.add.reduceat(given.weights * skills[given.models], given.group_starts)
    none = given.counts @ log_wrong + log_prior
    right = lead[:, None] + np.outer(given.sizes, theta) + none[given.question_of_group] + given.partitions[:, None]
    none = none + given.none[:, None]
    top = np.maximum(np.maximum.reduceat(right.max(axis=1), given.question_starts), none.max(axis=1))
    right = np.exp(right - top[given.question_of_group][:, None])
    none = np.exp(none - top[:, None])
    whole = np.add.reduceat(right.sum(axis=1), given.question_starts) + none.sum(axis=1)
    return right / whole[given.question_of_group][:, None], none / whole[:, None]


def _nodes(given: Answers, prior: Prior) -> tuple[Floats, Floats]:
    largest = np.add.reduceat(given.weights, given.group_starts)
    return posterior.nodes(float(np.add.reduceat(largest, given.question_starts).max()), prior.ease_spread)
