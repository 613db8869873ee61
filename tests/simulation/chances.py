"""What goes wrong and when, drawn from the seed."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from tests.simulation.ledger import Ledger
from tests.simulation.plans import Fault, Plan

T = TypeVar("T")


class Chances:
    """Draws the faults of a run. Once `quiet` is set nothing goes wrong any more."""

    def __init__(self, plan: Plan, dice: Random, ledger: Ledger) -> None:
        self.plan = plan
        self.quiet = False
        self._random = dice.random
        self._dice = dice
        self._ledger = ledger
        self._faults = list(plan.weights)
        self._weights = list(plan.weights.values())
        self._left = plan.process_faults
        self._next_step = self._gap() if self._left else 0

    def strikes(self, fault: Fault) -> bool:
        """Tells whether this message or commit is struck."""
        rate = self.plan.rates.get(fault)
        if rate is None or self.quiet or self._random() >= rate:
            return False
        self._ledger.counts[fault] += 1
        return True

    def between_steps(self, step: int) -> Fault | None:
        """Returns the fault that strikes after this step, if any."""
        if not self._left or step < self._next_step or self.quiet:
            return None
        self._left -= 1
        self._next_step = step + self._gap()
        return self._dice.choices(self._faults, self._weights)[0]

    def up_to(self, most: float) -> float:
        return self._random() * most

    def evens(self) -> bool:
        return self._random() < 0.5

    def odds(self, probability: float) -> bool:
        return self._random() < probability

    def one_of(self, choices: Sequence[T]) -> T:
        return choices[int(self._random() * len(choices))]

    def _gap(self) -> int:
        return 1 + int(self._dice.expovariate(1 / self.plan.gap))
