"""Groups of items of which it is known which are linked: average linkage, so that one in between joins no two groups.

Two groups become one while at least half of the pairs across them are linked: the most linked first, of these the most
alike, then the heavier, then the first in the order given, which must not be that of the replies. A sentence that names
both of two answers is linked to each, but not half of the pairs between them are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_ENOUGH = 0.5
_FIRST_TIE, _SECOND_TIE = 1e-2, 1e-6
"""How much likeness and weight count beside links: less than what is half linked falls short of it by."""

Matrix = NDArray[np.float64]


def clustered(linked: NDArray[np.bool_], alike: Matrix, weights: Sequence[float]) -> list[int]:
    """Returns for each item the first one of its group.

    Args:
        linked: Which items are linked, symmetric; what is on the diagonal does not matter.
        alike: How alike they are, 0 to 1, symmetric: what is linked as much is joined in this order.
        weights: How often each item is given, above 0.
    """
    first = list(range(len(linked)))
    for members in _components(linked):
        inside = np.ix_(members, members)
        if len(members) < 3 or linked[inside].sum() >= len(members) * (len(members) - 1):
            groups = [list(range(len(members)))]
        else:
            groups = _Grouping(linked[inside], alike[inside], [weights[at] for at in members]).groups()
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


class _Grouping:
    """Connected items on their way to groups: the sums over the pairs across every two groups, and their scores."""

    def __init__(self, linked: NDArray[np.bool_], alike: Matrix, weights: Sequence[float]) -> None:
        self._weight = np.array(weights, dtype=np.float64)
        self._total = float(self._weight.sum())
        pairs = np.outer(self._weight, self._weight)
        self._links = linked * pairs
        self._alike = alike * pairs
        self._groups: list[list[int]] = [[at] for at in range(len(weights))]
        self._scores = np.stack([self._row(at) for at in range(len(weights))])

    def groups(self) -> list[list[int]]:
        """Returns the groups, each in order, and they in the order of their first items."""
        best = self._scores.max(axis=1)
        while best.max() >= _ENOUGH:
            one = int(best.argmax())
            other = int(self._scores[one].argmax())
            self._join(min(one, other), max(one, other))
            best = self._scores.max(axis=1)
        return sorted(group for group in self._groups if group)

    def _join(self, one: int, other: int) -> None:
        self._groups[one], self._groups[other] = sorted(self._groups[one] + self._groups[other]), []
        for sums in (self._links, self._alike):
            sums[one] += sums[other]
            sums[:, one] += sums[:, other]
        self._weight[one] += self._weight[other]
        self._weight[other] = 0.0
        self._scores[other] = self._scores[:, other] = -1.0
        self._scores[one] = self._scores[:, one] = self._row(one)

    def _row(self, at: int) -> Matrix:
        """Returns how much a group is linked to each, below 0 where it is not at least half."""
        there = self._weight > 0
        pairs = np.where(there, self._weight[at] * self._weight, 1.0)
        mean = self._links[at] / pairs
        ties = _FIRST_TIE * self._alike[at] / pairs + _SECOND_TIE * (self._weight[at] + self._weight) / self._total
        row: Matrix = np.where(there & (mean >= _ENOUGH), mean + ties, -1.0)
        row[at] = -1.0
        return row
