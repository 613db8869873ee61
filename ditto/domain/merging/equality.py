"""When two answers of a panel are the same, kind by kind.

Within one kind every answer is the same as itself, sameness goes both ways, and what is the same as the same is the
same: either because it is equality of a key that each reply has by itself, or because the groups are made by a stated
linkage. Neither depends on the order of the replies.

| kind | the same are |
| --- | --- |
| number | equal values in nine digits (whole numbers: in all), units of one dimension converted; a number without a unit is in the unit that the question or else most of the panel names; percent is a hundredth only where nobody asks for percent and most give plain shares; ranges by both ends; then `rounded` |
| choice, boolean | the same option, or the same set of options; the same truth |
| date | the same moment, down to the part that the question or else the panel gives; `03/04` as the panel's clear dates say |
| code | equal values of the language with their types; programs with equal syntax trees |
| json | equal values as `values.key` says; function calls by name and arguments, whatever their notation and order |
| math | equal in value at fixed points, as `mathematics.senses` says; then `linked`, then `rounded` |
| list | equal items, in order only where the question asks for one; items as texts |
| text | the same words; then grouped by content words as `phrases.classes` says |
"""  # noqa: E501

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction

_LEAST_DIGITS = 2
_LEAST_DECIMALS = Fraction(1, 100)
_EXACT_ENOUGH_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Rounded:
    """A number as written: its value, the place value of its last decimal (0 where it is exact), its digits."""

    value: Fraction
    step: Fraction
    digits: int


def linked(senses: Sequence[Sequence[Hashable]]) -> list[int]:
    """Returns for each answer the position of the first one that it is connected to by shared keys.

    Args:
        senses: The keys that each answer may be compared by.
    """
    parent = list(range(len(senses)))
    owner: dict[Hashable, int] = {}
    for at, keys in enumerate(senses):
        for key in keys:
            join(parent, owner.setdefault(key, at), at)
    return [root(parent, at) for at in range(len(senses))]


def join(parent: list[int], one: int, other: int) -> None:
    """Makes two groups one, named after their first member."""
    a, b = root(parent, one), root(parent, other)
    parent[max(a, b)] = min(a, b)


def root(parent: list[int], at: int) -> int:
    """Returns the first member of a group."""
    while parent[at] != at:
        parent[at] = parent[parent[at]]
        at = parent[at]
    return at


def rounded(numbers: Sequence[Rounded]) -> list[Fraction]:
    """Returns for each number the one that it stands for: 33.33 is 33 1/3 where a panel says so.

    A number with two decimals, or with one and three digits, joins the more exact ones that round to it, unless these
    differ among themselves: then it stands for itself. The most exact are looked at first.
    """
    coarse = {(number.step, number.value) for number in numbers if may_be_rounded(number)}
    if not coarse:
        return [number.value for number in numbers]
    values = sorted({number.value for number in numbers})
    finest: dict[Fraction, Fraction] = {}
    for number in numbers:
        finest[number.value] = min(finest.get(number.value, number.step), number.step)
    stands_for = {value: value for value in values}
    for step, value in sorted(coarse):
        if finest[value] != step:
            continue
        near = values[bisect_left(values, value - step / 2) : bisect_right(values, value + step / 2)]
        meant = {stands_for[other] for other in near if finest[other] < step}
        if len(meant) == 1:
            stands_for[value] = meant.pop()
    return [stands_for[number.value] for number in numbers]


def may_be_rounded(number: Rounded) -> bool:
    """Tells whether a number says enough to be taken for the rounded form of another."""
    if not number.step or number.digits < _LEAST_DIGITS:
        return False
    return number.digits >= _EXACT_ENOUGH_DIGITS or number.step <= _LEAST_DECIMALS
