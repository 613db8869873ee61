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
        forms: ρ of `Comparison`, where right answers may differ in form.
        lumped: Of `Comparison`, where answers are compared by their words.
        kinship: How much of a model's second reply to the same question is an echo of its first, 0 to 1.
    """

    skill: float = 0.5
    ease_spread: float = 2.0
    concentrations: tuple[float, float] = (8.0, 1.0)
    traps: float = 0.35
    forms: float = 0.12
    lumped: float = 0.06
    kinship: float = 0.5

    @property
    def shares(self) -> tuple[float, float]:
        """How many questions have each of the concentrations."""
        return (1.0 - self.traps, self.traps)


PRIOR = Prior()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How answers of one kind compare.

    Attributes:
        options: How many answers are offered, None where answers are open.
        forms: ρ, how often, relative to α, an answer that differs from the right one is right as well.
        lumped: How often answers that were taken for the same are not.
    """

    options: int | None = None
    forms: float = 0.0
    lumped: float = 0.0


def comparison(kind: AnswerKind | None, options: int | None = None, prior: Prior | None = None) -> Comparison:
    """Returns how answers of a kind compare.

    Objects may differ in an optional part, or in how a text in them is put, and be right both. So may short texts;
    and these are taken for the same where their words say so, which is a guess. All else is compared exactly.
    """
    prior = prior or PRIOR
    match kind:
        case AnswerKind.JSON:
            return Comparison(options=options, forms=prior.forms)
        case AnswerKind.TEXT:
            return Comparison(options=options, forms=prior.forms, lumped=prior.lumped)
        case _:
            return Comparison(options=options)


EXACT = Comparison()
"""Open answers that are compared exactly."""
