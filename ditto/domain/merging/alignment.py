"""Which elements of several lists are about the same thing, whatever their positions.

The list that is most like all the others is the pattern; the elements of each further list go to the most similar
place that is still free for it, and what fits nowhere opens a place of its own. Places stand in the order of a list
that most give exactly, else of their elements' mean positions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from ditto.domain.merging import values
from ditto.domain.merging.likeness import Likeness
from ditto.domain.spec import JSON

_FITS = 0.4

Place = dict[int, JSON]
"""The elements that are about one thing, by the position in the panel of the reply that gives them."""


def aligned(lists: Mapping[int, Sequence[JSON]], weights: Sequence[float]) -> list[Place]:
    """Returns the places that the elements of the lists share, in order.

    Args:
        lists: By position in the panel.
        weights: Of every reply in the panel.
    """
    alike: dict[object, list[int]] = {}
    for voter in sorted(lists):
        alike.setdefault(values.key(list(lists[voter])), []).append(voter)
    classes = sorted(alike.values(), key=lambda voters: (-_weight(voters, weights), voters[0]))
    likeness = Likeness({voters[0]: lists[voters[0]] for voters in classes})
    pattern = classes[_most_central(classes, likeness, weights)]
    places: list[_Seats] = []
    for voters in [pattern, *(each for each in classes if each is not pattern)]:
        _seat(places, voters[0], likeness)
    representative = {voter: voters[0] for voters in classes for voter in voters}
    seated = [(dict(place), *_spread(dict(place), representative, lists)) for place in places]
    first = _given_by_most(classes, weights)
    seated.sort(key=lambda item: item[0][first] if first in item[0] else _mean_position(item[2]))
    return [place for _, place, _ in seated]


_Seats = list[tuple[int, int]]
"""One place: who has an element there, and at which index of its list."""


def _seat(places: list[_Seats], voter: int, likeness: Likeness) -> None:
    numbers = likeness.numbers[voter]
    firsts = [likeness.numbers[first][index] for first, index in (place[0] for place in places)]
    similarities = likeness.matrix[np.ix_(firsts, numbers)]
    fits = [(-float(similarities[at, index]), int(at), int(index)) for at, index in np.argwhere(similarities >= _FITS)]
    taken: dict[int, int] = {}
    full: set[int] = set()
    for _, at, index in sorted(fits):
        if index not in taken and at not in full:
            taken[index] = at
            full.add(at)
    for index in range(len(numbers)):
        if index in taken:
            places[taken[index]].append((voter, index))
        else:
            places.append([(voter, index)])


def _spread(
    indices: Mapping[int, int], representative: Mapping[int, int], lists: Mapping[int, Sequence[JSON]]
) -> tuple[Place, list[int]]:
    """Returns a place with the elements of every reply, and the indices of its elements."""
    full = {voter: lists[voter][indices[first]] for voter, first in representative.items() if first in indices}
    return full, [indices[representative[voter]] for voter in full]


def _given_by_most(classes: Sequence[Sequence[int]], weights: Sequence[float]) -> int | None:
    """Returns the first of the voters who give the list that has more than half of all weight, if there is one."""
    heaviest, all_weight = classes[0], math.fsum(_weight(voters, weights) for voters in classes)
    return heaviest[0] if 2 * _weight(heaviest, weights) > all_weight else None


def _mean_position(positions: Sequence[int]) -> float:
    return math.fsum(positions) / len(positions)


def _most_central(classes: Sequence[Sequence[int]], likeness: Likeness, weights: Sequence[float]) -> int:
    """Returns which of the classes of equal lists is most like all the others, the first of those."""
    if len(classes) == 1:
        return 0
    heavy = [_weight(voters, weights) for voters in classes]
    rows = likeness.of_lists([voters[0] for voters in classes])
    sums = [math.fsum(weight * alike for weight, alike in zip(heavy, row, strict=True)) for row in rows]
    return sums.index(max(sums))


def _weight(voters: Sequence[int], weights: Sequence[float]) -> float:
    return math.fsum(weights[voter] for voter in voters)
