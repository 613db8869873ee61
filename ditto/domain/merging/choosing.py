"""Which of several replies is given back.

The one with the most weight; then that of the most skilled model; then one that ended by itself; then the one whose
length is nearest to the median length of them all (neither the tersest nor the wordiest); then the shorter; then the
first in the alphabet, so that the order in which they stand decides only between replies that are the same. Where
answers are compared by their words skill is left out: replies that were taken for the same may not be, and it is what
the usual one says that the others stand for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median_low

from ditto.domain.verdict import Ballot


def one_of(positions: Iterable[int], ballots: Sequence[Ballot], skills: Sequence[float] = ()) -> int:
    """Returns the position in the panel of the reply to give back.

    Args:
        positions: The candidates, at least one.
        ballots: The whole panel.
        skills: Of each reply's model, none where they are all the same.
    """
    candidates = sorted(positions)
    usual = median_low(len(ballots[position].text) for position in candidates)

    def preference(position: int) -> tuple[float, float, bool, int, int, str, int]:
        ballot = ballots[position]
        length = len(ballot.text)
        skill = skills[position] if skills else 0.0
        return (-ballot.weight, -skill, ballot.finish != "stop", abs(length - usual), length, ballot.text, position)

    return min(candidates, key=preference)
