"""What a skill has found, before a persona words it: the answer, its ground, and what one could wrongly say instead."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """How a finding can be worded."""

    VALUE = auto()
    """A short answer: a number, a name, a letter."""
    YES_NO = auto()
    PASSAGE = auto()
    """Sentences out of a text."""
    POINTS = auto()
    """Key points, then a summary of them."""
    SPOKEN = auto()
    """A text to be said as it is: an echo, a question back, what it can do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One answer with what is needed to say it, to doubt it, and to get it wrong.

    Attributes:
        answer: `391`, `yes`, `Paris`, or the whole text.
        lead: Goes before the answer to make a sentence, `17 * 23 is`; blank where none does.
        ground: Why, as a clause without a full stop.
        doubt: Why one could say otherwise, as a clause.
        others: Plausible wrong answers, the likeliest first.
        passages: The sentences, the most telling first.
        order: The same sentences as they stand in the text.
        least: How many passages are given at least: those of an earlier answer and one more.
        unsure: There is nothing to go by; then nobody contradicts.
    """

    kind: Kind
    answer: str
    lead: str = ""
    ground: str = ""
    doubt: str = ""
    others: tuple[str, ...] = ()
    passages: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    least: int = 0
    unsure: bool = False
