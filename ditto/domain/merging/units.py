"""Units that are only another scale of each other, so that 2 hours and 120 minutes are one answer.

Numbers are compared in the unit that most of the panel uses; a number without a unit is taken to be in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ditto.domain.merging.numbers import Quantity

_TABLE = {
    "time": {"second": 1, "seconds": 1, "sec": 1, "secs": 1, "s": 1, "ms": 1e-3, "millisecond": 1e-3, "milliseconds": 1e-3,
             "minute": 60, "minutes": 60, "min": 60, "mins": 60, "hour": 3600, "hours": 3600, "hr": 3600, "hrs": 3600, "h": 3600,
             "day": 86400, "days": 86400, "week": 604800, "weeks": 604800},
    "length": {"mm": 1e-3, "cm": 1e-2, "m": 1, "meter": 1, "meters": 1, "metre": 1, "metres": 1, "km": 1e3, "kilometer": 1e3,
               "kilometers": 1e3, "kilometres": 1e3, "centimeters": 1e-2, "millimeters": 1e-3},
    "imperial": {"inch": 1, "inches": 1, "foot": 12, "feet": 12, "ft": 12, "yard": 36, "yards": 36},
    "mass": {"mg": 1e-3, "g": 1, "gram": 1, "grams": 1, "kg": 1e3, "kilogram": 1e3, "kilograms": 1e3},
    "volume": {"ml": 1e-3, "milliliters": 1e-3, "l": 1, "liter": 1, "liters": 1, "litre": 1, "litres": 1},
    "money": {"cent": 0.01, "cents": 0.01, "dollar": 1, "dollars": 1},
}  # fmt: skip
_SCALE = {unit: (dimension, float(factor)) for dimension, units in _TABLE.items() for unit, factor in units.items()}


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
