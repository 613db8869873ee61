"""Whether a later reply can change which of a panel's answers are the same.

Some kinds are compared by what each reply says by itself: these are firm. Others are compared as the panel as a whole
shows it (in which unit a bare number is, which sentences a further sentence links): there one more reply may make one
answer of two, or two of one. A job may settle before its last reply only where the equality is firm.
"""

from __future__ import annotations

from collections.abc import Sequence

from ditto.domain.merging import amounts, expectation, lists, moments, reading
from ditto.domain.spec import AnswerKind
from ditto.domain.verdict import Ballot


def firm(question: str, ballots: Sequence[Ballot], *, answer: AnswerKind | tuple[str, ...]) -> bool:
    """Tells whether the answers of these replies stay as equal or unequal as they are, whatever else is said.

    Args:
        question: The last user message.
        ballots: The replies so far.
        answer: The kind that the caller names; one that is read from the panel is never firm.
    """
    sheets = [reading.sheet(ballot.text) for ballot in ballots]
    match expectation.of(question, answer, sheets).kind:
        case AnswerKind.NUMBER:
            return amounts.firm([reading.quantity(each, question) for each in sheets], question)
        case AnswerKind.DATE:
            return moments.firm(question)
        case AnswerKind.LIST:
            return lists.firm([reading.listed(each) for each in sheets])
        case AnswerKind.CHOICE | AnswerKind.BOOLEAN | AnswerKind.CODE | AnswerKind.JSON:
            return True
        case _:
            return False
