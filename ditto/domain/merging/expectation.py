"""Which kind of answer is compared: as the caller says, else as the question asks and the panel as a whole answers.

No single reply decides: a kind is taken only where most replies can be read as it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ditto.domain.merging import booleans, dates, numbers, options, reading
from ditto.domain.merging.options import Option
from ditto.domain.merging.reading import Expected, Sheet
from ditto.domain.spec import AnswerKind

_CODE = re.compile(
    r"==\s*\?\?|\[PYTHON\]|\bwhat (?:does|will|would|is)\b.{0,80}\b(?:return|print|output|evaluate)"
    r"|\boutput of (?:the|this)\b.{0,40}(?:code|program|function)",
    re.IGNORECASE | re.DOTALL,
)
_COUNT = re.compile(
    r"\bhow (?:many|much|old|long|far|tall|fast|big|high|heavy|deep|wide|large)\b|\bwhat (?:is|was|are|were"
    r"|will be|would be) the (?:\w+ )?(?:total|number|sum|"
    r"average|mean|probability|percent\w*|price|cost|value|area|volume|product|difference|ratio|population|speed|distance|weight|"
    r"length|height|age|amount|remainder)\b|\bcalculate\b|\bcompute\b|\bwhat percent|^\s*what is [-\d(][^a-z]*\??\s*$",
    re.IGNORECASE,
)
_WHEN = re.compile(
    r"^\s*(?:when|(?:in|on) (?:what|which) (?:day|date|year)|(?:what|which) (?:day|date|year))\b", re.IGNORECASE
)
_PROSE = re.compile(
    r"\b(?:write|explain|describe|compose|draft|summari[sz]e|essay|story|poem|discuss|compare|outline|brainstorm|suggest|"
    r"recommend|advise|rewrite|translate|elaborate|in your own words|pros and cons)\b|\bhow (?:do|can|should|to"
    r"|does|would|could|might)\b|"
    r"\bwhy\b|\btell me about\b|\bgive me (?:some|a list|ideas|tips)\b|\bwhat (?:should|are (?:some|the (?:best"
    r"|main)))\b",
    re.IGNORECASE,
)
_JSON = re.compile(r"\bjson\b", re.IGNORECASE)
_PHRASE_WORDS = 12
_SHORT_WORDS = 70


def of(question: str, answer: AnswerKind | tuple[str, ...] | None, sheets: Sequence[Sheet]) -> Expected:
    """Returns what is compared.

    Args:
        question: The last user message.
        answer: The kind or the allowed answers that the caller names, None where the caller names none.
        sheets: The replies that may vote: complete, neither refusing nor asking back.
    """
    match answer:
        case None:
            return _inferred(question, sheets)
        case tuple():
            return Expected(kind=AnswerKind.CHOICE, options=tuple(Option(label="", text=text) for text in answer))
        case AnswerKind.CHOICE:
            offered = options.offered(question)
            return Expected(kind=AnswerKind.CHOICE if offered else AnswerKind.TEXT, options=offered)
        case _:
            return Expected(kind=answer)


def _inferred(question: str, sheets: Sequence[Sheet]) -> Expected:
    offered = options.offered(question)
    if offered and _some(sheets, lambda each: reading.choice(each, offered) is not None):
        return Expected(kind=AnswerKind.CHOICE, options=offered)
    for kind, asks, reads in _closed(question):
        if asks and _most(sheets, reads):
            return Expected(kind=kind)
    if _most(sheets, lambda each: bool(each.finals)):
        return Expected(kind=_marked_kind(sheets))
    if _JSON.search(question) and _most(sheets, lambda each: reading.structure(each) is not None):
        return Expected(kind=AnswerKind.JSON)
    longest = _PHRASE_WORDS if _PROSE.search(question) else _SHORT_WORDS
    if _most(sheets, lambda each: 0 < len(each.text.split()) <= longest):
        return Expected(kind=AnswerKind.TEXT, loose=True)
    return Expected(kind=None)


def _closed(question: str) -> tuple[tuple[AnswerKind, bool, Callable[[Sheet], bool]], ...]:
    return (
        (AnswerKind.CODE, bool(_CODE.search(question)), lambda each: reading.code(each) is not None),
        (AnswerKind.BOOLEAN, booleans.asked(question), lambda each: reading.boolean(each) is not None),
        (AnswerKind.NUMBER, bool(_COUNT.search(question)), lambda each: reading.quantity(each, question) is not None),
        (AnswerKind.DATE, bool(_WHEN.search(question)), lambda each: reading.date(each) is not None),
    )


def _marked_kind(sheets: Sequence[Sheet]) -> AnswerKind:
    first = [each.finals[0] for each in sheets if each.finals]
    if 2 * sum(_is_number(final) for final in first) > len(first):
        return AnswerKind.NUMBER
    if 2 * sum(isinstance(final, bool) or booleans.opened(str(final)) is not None for final in first) > len(first):
        return AnswerKind.BOOLEAN
    if 2 * sum(isinstance(final, list | dict) for final in first) > len(first):
        return AnswerKind.CODE
    if 2 * sum(dates.entire(str(final)) is not None for final in first) > len(first):
        return AnswerKind.DATE
    return AnswerKind.TEXT


def _is_number(final: object) -> bool:
    if isinstance(final, bool):
        return False
    return isinstance(final, int | float) or (isinstance(final, str) and numbers.entire(final) is not None)


def _some(sheets: Sequence[Sheet], reads: Callable[[Sheet], bool]) -> bool:
    """More than a quarter: enough where the question itself shows the kind."""
    return 4 * sum(reads(each) for each in sheets) > len(sheets)


def _most(sheets: Sequence[Sheet], reads: Callable[[Sheet], bool]) -> bool:
    return bool(sheets) and 2 * sum(reads(each) for each in sheets) > len(sheets)
