"""Groups of items of which it is known which are linked: average linkage, so that one item in between joins no two groups.

Two groups become one while at least half of the pairs across them are linked; the most linked first, then the heavier,
then the first in the order given, which must not be that of the replies. A sentence that names both of two answers is
linked to each, but not half of the pairs between them are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_ENOUGH = 0.5
_TIES = 1e-6
"""How much the weight of two groups counts beside how much they are linked."""


def clustered(linked: NDArray[np.bool_], weights: Sequence[float]) -> list[int]:
    """Returns for each item the first one of its group.

    Args:
        linked: Which items are linked, symmetric; what is on the diagonal does not matter.
        weights: How often each item is given, above 0.
    """
    first = list(range(len(linked)))
    for members in _components(linked):
        if len(members) < 3 or linked[np.ix_(members, members)].sum() >= len(members) * (len(members) - 1):
            groups = [list(range(len(members)))]
        else:
            groups = _grouped(linked[np.ix_(members, members)], np.array([weights[at] for at in members]))
        for group in groups:
            for member in group:
                first[members[member]] = members[group[0]]
    return first


def _components(linked: NDArray[np.bool_]) -> list[list[int]]:
    """Returns the items that are connected by links, in order."""
    left = np.ones(len(linked), dtype=np.bool_)
    found: list[list[int]] = []
    for at in range(len(linked)):
        if not left[at]:
            continue
        group = np.zeros(len(linked), dtype=np.bool_)
        fresh = group.copy()
        fresh[at] = True
        while fresh.any():
            group |= fresh
            fresh = linked[fresh].any(axis=0) & ~group
        left &= ~group
        found.append([int(member) for member in np.flatnonzero(group)])
    return found


def _grouped(linked: NDArray[np.bool_], weights: NDArray[np.float64]) -> list[list[int]]:
    """Returns the groups that average linkage makes of connected items."""
    count, total = len(weights), float(weights.sum())
    groups: list[list[int]] = [[at] for at in range(count)]
    weight = weights.astype(np.float64)
    links = linked.astype(np.float64) * np.outer(weight, weight)
    scores = _scores(links, weight, total)
    best = scores.max(axis=1)
    while True:
        one = int(best.argmax())
        if best[one] < _ENOUGH:
            return sorted(group for group in groups if group)
        other = int(scores[one].argmax())
        one, other = min(one, other), max(one, other)
        groups[one], groups[other] = sorted(groups[one] + groups[other]), []
        links[one] += links[other]
        links[:, one] += links[:, other]
        weight[one] += weight[other]
        weight[other] = 0.0
        scores[other] = scores[:, other] = best[other] = -1.0
        row = np.where(weight > 0, links[one] / np.maximum(weight[one] * weight, 1e-300), -1.0)
        row = np.where(row > 0, row + _TIES * (weight[one] + weight) / total, -1.0)
        row[one] = -1.0
        scores[one] = scores[:, one] = row
        best = np.where(weight > 0, scores.max(axis=1), -1.0)


def _scores(links: NDArray[np.float64], weight: NDArray[np.float64], total: float) -> NDArray[np.float64]:
    """Returns how linked each two items are, and beside that how heavy; below 0 where they are not."""
    mean = links / np.outer(weight, weight)
    scores: NDArray[np.float64] = np.where(mean > 0, mean + _TIES * np.add.outer(weight, weight) / total, -1.0)
    np.fill_diagonal(scores, -1.0)
    return scores
