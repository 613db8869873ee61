"""Which panels and which questions: drawn by fixed seeds, the same for every way of merging."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass

DRAWS = 20
SIZES = (3, 5, 8)
_MOST_HISTORY = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """A panel, and the positions of the questions that are history and of those that are scored."""

    panel: tuple[str, ...]
    history: tuple[int, ...]
    scored: tuple[int, ...]


def draws(models: Sequence[str], questions: int, size: int, *, name: str, count: int = DRAWS) -> list[Draw]:
    """Returns the draws of one set for panels of one size; few panels are all taken in turn, each in any order."""
    made = []
    every = list(itertools.combinations(sorted(models), size)) if len(models) <= 5 else None
    for number in range(count):
        chance = random.Random(f"{name}/{size}/{number}")
        panel = list(every[number % len(every)]) if every else chance.sample(sorted(models), size)
        chance.shuffle(panel)
        order = list(range(questions))
        chance.shuffle(order)
        half = min(questions // 2, _MOST_HISTORY)
        made.append(
            Draw(panel=tuple(panel), history=tuple(order[:half]), scored=tuple(sorted(order[questions // 2 :])))
        )
    return made
