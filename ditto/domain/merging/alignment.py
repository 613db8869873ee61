"""Which elements of several lists are about the same thing, whatever their positions.

The list that is most like all the others is the pattern; the elements of each further list go to the most similar
place that is still free for it, and what fits nowhere opens a place of its own. Places stand in the order of their
elements' mean positions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ditto.domain.merging import values
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
    pattern = max(classes, key=lambda voters: _centrality(voters, classes, lists, weights))
    places: list[list[tuple[int, JSON]]] = []
    for voters in [pattern, *(each for each in classes if each is not pattern)]:
        _seat(places, voters[0], lists[voters[0]])
    representative = {voter: voters[0] for voters in classes for voter in voters}
    seated = [_spread(place, representative, lists) for place in places]
    return [place for place, _ in sorted(seated, key=lambda item: _mean_position(item[1]))]


def _seat(places: list[list[tuple[int, JSON]]], voter: int, elements: Sequence[JSON]) -> None:
    fits = [
        (-values.similarity(place[0][1], element), at, number)
        for number, element in enumerate(elements)
        for at, place in enumerate(places)
    ]
    taken: dict[int, int] = {}
    for distance, at, number in sorted(fits):
        if -distance >= _FITS and number not in taken and at not in taken.values():
            taken[number] = at
    for number, element in enumerate(elements):
        if number in taken:
            places[taken[number]].append((voter, element))
        else:
            places.append([(voter, element)])


def _spread(
    place: list[tuple[int, JSON]], representative: Mapping[int, int], lists: Mapping[int, Sequence[JSON]]
) -> tuple[Place, list[float]]:
    """Returns a place with the elements of every reply, and the relative positions of its elements."""
    number = {voter: _index(lists[voter], element) for voter, element in place}
    full = {voter: lists[voter][number[first]] for voter, first in representative.items() if first in number}
    return full, [number[representative[voter]] for voter in full]


def _index(elements: Sequence[JSON], element: JSON) -> int:
    return next(number for number, each in enumerate(elements) if each is element)


def _mean_position(positions: Sequence[float]) -> float:
    return math.fsum(positions) / len(positions)


def _centrality(
    voters: Sequence[int],
    classes: Sequence[Sequence[int]],
    lists: Mapping[int, Sequence[JSON]],
    weights: Sequence[float],
) -> float:
    if len(classes) == 1:
        return 0.0
    return math.fsum(_weight(others, weights) * _likeness(lists[voters[0]], lists[others[0]]) for others in classes)


def _likeness(one: Sequence[JSON], other: Sequence[JSON]) -> float:
    if not one or not other:
        return float(len(one) == len(other))
    best = [max(values.similarity(element, each) for each in other) for element in one]
    return math.fsum(best) / max(len(one), len(other))


def _weight(voters: Sequence[int], weights: Sequence[float]) -> float:
    return math.fsum(weights[voter] for voter in voters)
