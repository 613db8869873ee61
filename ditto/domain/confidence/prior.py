"""What is believed of models and questions before any history: the numbers of the ease–skill model, in one place.

They are the same for every kind of question. Where answers are picked from a list, the length of the list says how
often wrong answers coincide; nothing else is told apart by kind but whether right answers may differ in form.
"""

from __future__ import annotations

from dataclasses import dataclass

from ditto.domain.spec import AnswerKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """The numbers of the model in `posterior`.

    Attributes:
        skill: Of a model without history.
        ease_spread: τ, the standard deviation of a question's ease.
        concentrations: α of an ordinary question and of a trap, where most errors are the same error.
        traps: The share of questions that are traps.
        forms: How often, relative to α, an answer that differs from the right one is right as well.
        kinship: How much of a model's second reply to the same question is an echo of its first, 0 to 1.
    """

    skill: float = 0.5
    ease_spread: float = 2.0
    concentrations: tuple[float, float] = (8.0, 1.0)
    traps: float = 0.35
    forms: float = 0.12
    kinship: float = 0.5

    @property
    def shares(self) -> tuple[float, float]:
        """How many questions have each of the concentrations."""
        return (1.0 - self.traps, self.traps)


PRIOR = Prior()

_SEVERAL_FORMS = frozenset({AnswerKind.JSON})
"""Objects may differ in an optional part, or in how a text in them is put, and be right both."""


def forms(kind: AnswerKind, prior: Prior) -> float:
    """Returns how often right answers of a kind differ in form, relative to α; 0 where they never do."""
    return prior.forms if kind in _SEVERAL_FORMS else 0.0
