"""How alike the elements of several lists are, each two different ones compared once however many replies give them.

Replies mostly agree, so few of their elements differ: each different element gets a number, and so does each field.
What is compared, and what comes out, is that of `values.similarity`.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ditto.domain.merging import values
from ditto.domain.spec import JSON


class Likeness:
    """The elements of lists as numbers, and how similar each is to each.

    Attributes:
        numbers: Of each list's elements, by the position in the panel of the reply that gives it.
        matrix: The similarity of the element of a row to that of a column, from 0 to 1.
    """

    def __init__(self, lists: Mapping[int, Sequence[JSON]]) -> None:
        different = _Different()
        found = {voter: [different.number(element) for element in elements] for voter, elements in lists.items()}
        rows = {number: row for row, number in enumerate(dict.fromkeys(n for each in found.values() for n in each))}
        self.numbers = {voter: [rows[number] for number in each] for voter, each in found.items()}
        self.matrix: NDArray[np.float64] = np.array(
            [[different.similarity(one, other) for other in rows] for one in rows], dtype=np.float64
        ).reshape(len(rows), len(rows))

    def of_lists(self, voters: Sequence[int]) -> list[list[float]]:
        """Returns how like each list of these replies is to each: the mean of its elements' best matches there."""
        best = np.stack([self._best_matches(self.numbers[voter]) for voter in voters], axis=1)
        return [
            [
                self._mean(self.numbers[voter], self.numbers[other], matches)
                for other, matches in zip(voters, best[self.numbers[voter]].T.tolist(), strict=True)
            ]
            for voter in voters
        ]

    def _best_matches(self, numbers: Sequence[int]) -> NDArray[np.float64]:
        """Returns for every element how similar the one of this list is that is most like it."""
        if not numbers:
            return np.zeros(len(self.matrix))
        best: NDArray[np.float64] = self.matrix[:, sorted(set(numbers))].max(axis=1)
        return best

    @staticmethod
    def _mean(one: Sequence[int], other: Sequence[int], matches: Sequence[float]) -> float:
        if not one or not other:
            return float(len(one) == len(other))
        return math.fsum(matches) / max(len(one), len(other))


class _Different:
    """Different values as numbers; objects also by their fields."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._values: list[JSON] = []
        self._keys: list[Hashable] = []
        self._fields: list[dict[str, int] | None] = []
        self._similarities: dict[tuple[int, int], float] = {}

    def number(self, value: JSON) -> int:
        """Returns the number of a value, the same for one that is written the same."""
        written = repr(value)
        if written not in self._numbers:
            fields = {name: self.number(value[name]) for name in sorted(value)} if isinstance(value, dict) else None
            self._numbers[written] = len(self._values)
            self._values.append(value)
            self._keys.append(values.key(value))
            self._fields.append(fields)
        return self._numbers[written]

    def similarity(self, one: int, other: int) -> float:
        """Returns `values.similarity` of two values by their numbers."""
        if one == other:
            return 1.0
        left, right = self._fields[one], self._fields[other]
        if left is not None and right is not None:
            return self._of_objects(left, right)
        known = self._similarities.get((one, other))
        if known is None:
            known = 1.0 if self._keys[one] == self._keys[other] else self._of_unequal(one, other)
            self._similarities[one, other] = known
        return known

    def _of_unequal(self, one: int, other: int) -> float:
        left, right = self._values[one], self._values[other]
        if isinstance(left, str) and isinstance(right, str):
            return values.text_similarity(left, right)
        if isinstance(left, list) and isinstance(right, list):
            return values.similarity(left, right)
        return 0.0

    def _of_objects(self, left: Mapping[str, int], right: Mapping[str, int]) -> float:
        names = left if left.keys() == right.keys() else sorted({*left, *right})
        if not names:
            return 1.0
        total = alike = 0.0
        for name in names:
            weight = values.weight(name)
            total += weight
            if name not in left or name not in right:
                continue
            same = self.similarity(left[name], right[name])
            if same == 0.0 and weight > 1.0 and isinstance(self._values[left[name]], str):
                return 0.0
            alike += weight * same
        return alike / total
