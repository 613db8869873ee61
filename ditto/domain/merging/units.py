"""Units that are only another scale of each other, so that 2 hours and 120 minutes are one answer.

Numbers are compared in the unit that most of the panel uses; a number without a unit is taken to be in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ditto.domain.merging.numbers import Quantity

_TABLE: dict[str, dict[float, str]] = {
    "time": {
        1e-3: "ms millisecond milliseconds",
        1: "s sec secs second seconds",
        60: "min mins minute minutes",
        3600: "h hr hrs hour hours",
        86400: "day days",
        604800: "week weeks",
    },
    "length": {
        1e-3: "mm millimeters",
        1e-2: "cm centimeters",
        1: "m meter meters metre metres",
        1e3: "km kilometer kilometers kilometres",
    },
    "imperial length": {1: "inch inches", 12: "foot feet ft", 36: "yard yards"},
    "mass": {1e-3: "mg", 1: "g gram grams", 1e3: "kg kilogram kilograms"},
    "volume": {1e-3: "ml milliliters", 1: "l liter liters litre litres"},
    "money": {0.01: "cent cents", 1: "dollar dollars"},
}
_SCALE = {
    unit: (dimension, factor)
    for dimension, scales in _TABLE.items()
    for factor, units in scales.items()
    for unit in units.split()
}


def alike(quantities: Sequence[Quantity], question: str) -> list[float]:
    """Returns the numbers of a panel in one scale, in the order given."""
    scales = Counter(_SCALE[quantity.unit] for quantity in quantities if quantity.unit in _SCALE)
    if len({dimension for dimension, _ in scales}) != 1 or len(scales) < 2:
        return _percent(quantities, question)
    common = max(scales, key=lambda scale: (scales[scale], scale))[1]
    return [
        quantity.value * _SCALE[quantity.unit][1] / common if quantity.unit in _SCALE else quantity.value
        for quantity in quantities
    ]


def _percent(quantities: Sequence[Quantity], question: str) -> list[float]:
    """A percentage is a hundredth only where the others give plain shares and nobody asked for percent."""
    plain = [abs(quantity.value) <= 1 for quantity in quantities if not quantity.percent]
    asked = "%" in question or "percent" in question.lower()
    hundredths = not asked and any(plain) and 2 * sum(plain) > len(plain)
    return [quantity.value / 100 if quantity.percent and hundredths else quantity.value for quantity in quantities]
