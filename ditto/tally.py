"""Counts and distributions that a process keeps of what it does, in the terms of Prometheus; several add up.

A label's value may come from a request (the name of a model). So each measure has a limit of them: what is beyond it is
counted all the same, under `other`.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

SERIES = 500
"""So many sets of labels one measure has in one process."""
OTHER = "other"
_LABEL_CHARS = 120


class Kind(StrEnum):
    """How a measure behaves."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What is measured.

    Attributes:
        name: As Prometheus has it, with its unit.
        bounds: The upper bounds of a histogram's buckets, in order.
    """

    name: str
    kind: Kind
    about: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()

    def __hash__(self) -> int:
        """Returns that of the name, which is worked out once; one of all fields takes most of the time of a count."""
        return hash(self.name)


class Tally:
    """What was counted, by measure and by the values of its labels."""

    def __init__(self) -> None:
        self._numbers: dict[Measure, dict[tuple[str, ...], list[float]]] = {}

    def count(self, measure: Measure, labels: tuple[str, ...] = (), by: float = 1.0) -> None:
        """Adds to a counter or a gauge."""
        self._place(measure, labels)[0] += by

    def observe(self, measure: Measure, labels: tuple[str, ...], value: float) -> None:
        """Adds one value to a histogram."""
        place = self._place(measure, labels)
        place[bisect_left(measure.bounds, value)] += 1
        place[-1] += value

    def add(self, other: Tally) -> Self:
        """Adds all that another process has counted, and returns this one."""
        for measure, series in other._numbers.items():
            for labels, numbers in series.items():
                place = self._place(measure, labels)
                for index, number in enumerate(numbers):
                    place[index] += number
        return self

    def copy(self) -> Tally:
        """Returns what was counted until now."""
        return Tally().add(self)

    def series(self) -> dict[Measure, dict[tuple[str, ...], list[float]]]:
        """Returns the numbers: one of a counter or gauge; of a histogram each bucket's own, the one above, the sum."""
        return self._numbers

    def _place(self, measure: Measure, labels: tuple[str, ...]) -> list[float]:
        series = self._numbers.setdefault(measure, {})
        place = series.get(labels)
        if place is None:
            if len(series) >= SERIES:
                labels = (OTHER,) * len(labels)
            shown = tuple(label[:_LABEL_CHARS] for label in labels)
            size = len(measure.bounds) + 2 if measure.kind is Kind.HISTOGRAM else 1
            place = series.setdefault(shown, [0.0] * size)
        return place


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What one actor has counted; `tally` is None where it did not answer."""

    actor: str
    tally: Tally | None
