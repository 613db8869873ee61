"""The short answers that the replies of a panel give, read as one kind and made comparable.

A reply that marks its answer is held to the mark. Only where it marks none is its prose searched. Where nothing of the
expected kind is found, the reply abstains: a guess would be a vote.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import median_low

from ditto.domain import schemas
from ditto.domain.merging import booleans, dates, finals, literals, numbers, options, phrases, sentences, units, values
from ditto.domain.merging.numbers import Quantity
from ditto.domain.merging.options import Option
from ditto.domain.schemas import mending, sizes
from ditto.domain.spec import JSON, AnswerKind

_SHORT_REPLY_SENTENCES = 3
_LONGEST_PHRASE_CHARS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A reply's text with the answers that it marks as final, the most trusted first."""

    text: str
    finals: tuple[JSON, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is compared.

    Attributes:
        kind: None for open prose, which has no short answer.
        options: The offered answers, where the kind is a choice.
        loose: The answers are sentences: the same may be said in words that nobody else uses.
    """

    kind: AnswerKind | None
    options: tuple[Option, ...] = ()
    loose: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A short answer: `key` is equal for answers that mean the same, `shown` is its readable form."""

    key: Hashable
    shown: JSON


def sheet(text: str) -> Sheet:
    """Returns a reply prepared for reading."""
    return Sheet(text=text, finals=tuple(finals.of(text)))


def answers(expected: Expected, sheets: Sequence[Sheet], question: str) -> list[Answer | None]:
    """Returns the answer of each reply, None where none can be read; the replies are the whole panel's."""
    match expected.kind:
        case None:
            return [None] * len(sheets)
        case AnswerKind.NUMBER:
            return _numbers([quantity(each, question) for each in sheets], question)
        case AnswerKind.TEXT:
            return _texts([phrase(each) for each in sheets], question)
        case AnswerKind.CHOICE:
            return [_choice(choice(each, expected.options)) for each in sheets]
        case AnswerKind.BOOLEAN:
            return [_boolean(boolean(each), question) for each in sheets]
        case AnswerKind.DATE:
            return _dates([date(each) for each in sheets], question)
        case AnswerKind.CODE:
            return [_code(code(each)) for each in sheets]
        case AnswerKind.JSON:
            return [_json(structure(each)) for each in sheets]


def quantity(reply: Sheet, question: str) -> Quantity | None:
    """Returns the number that a reply gives."""
    for final in reply.finals:
        if isinstance(final, int | float) and not isinstance(final, bool):
            return Quantity(value=float(final))
        if isinstance(final, str) and (read := numbers.stated(final)):
            return read
    if reply.finals:
        return None
    said = [found for sentence in sentences.of(reply.text) if (found := numbers.found(sentence))]
    if not said:
        return None
    if (computed := _computed(reply.text)) is not None:
        return computed
    if len(said) <= _SHORT_REPLY_SENTENCES:
        given = {number.value for _, number in numbers.found(question)}
        fresh = [number for found in said for _, number in found if number.value not in given]
        return fresh[0] if fresh else said[0][0][1]
    return said[-1][-1][1]


def _computed(text: str) -> Quantity | None:
    """Returns what the last equation of a reply comes to."""
    equations = [sentence for sentence in sentences.of(text) if "=" in sentence]
    return numbers.stated(equations[-1]) if equations else None


def choice(reply: Sheet, offered: tuple[Option, ...]) -> Option | None:
    """Returns the offered answer that a reply picks."""
    for final in reply.finals:
        if (picked := options.picked(str(final), offered)) is not None:
            return picked
    return options.mentioned(reply.text, offered)


def boolean(reply: Sheet) -> bool | None:
    """Returns whether a reply says yes or no."""
    for final in reply.finals:
        if isinstance(final, bool):
            return final
        if isinstance(final, str) and (said := booleans.said(final)) is not None:
            return said
    opened = booleans.opened(reply.text)
    return opened if opened is not None else booleans.judged(reply.text)


def date(reply: Sheet) -> dates.Date | None:
    """Returns the date that a reply gives."""
    for text in (*(str(final) for final in reply.finals), *sentences.of(reply.text)):
        if (found := dates.found(text)) is not None:
            return found
    return None


def code(reply: Sheet) -> tuple[Hashable, JSON] | None:
    """Returns key and shown form of the code or value that a reply gives."""
    if reply.finals:
        return literals.marked(reply.finals[0])
    return literals.inside(reply.text)


def structure(reply: Sheet) -> JSON:
    """Returns the object or list that a reply gives, None where it gives none."""
    text = reply.text
    starts = [at for sign in "{[" if (at := text.find(sign)) >= 0]
    if not starts:
        return None
    try:
        value: JSON = json.JSONDecoder(strict=False).raw_decode(text, min(starts))[0]
    except (ValueError, RecursionError):
        value = next(mending.mended(text), None)
    try:
        sizes.parts(value)
    except schemas.Misfit:
        return None
    return value if isinstance(value, dict | list) else None


def phrase(reply: Sheet) -> list[str]:
    """Returns the short text that a reply gives: what it marks, else the sentences that answer, in order."""
    for final in reply.finals:
        text = final if isinstance(final, str) else json.dumps(final, ensure_ascii=False)
        if text.strip() and len(text) <= _LONGEST_PHRASE_CHARS:
            return [text.strip()]
    return phrases.answering(reply.text)


def _numbers(read: Sequence[Quantity | None], question: str) -> list[Answer | None]:
    scaled = iter(units.alike([each for each in read if each is not None], question))
    return [
        None if each is None else Answer(key=numbers.key(value := next(scaled)), shown=numbers.shown(value))
        for each in read
    ]


def _texts(read: Sequence[list[str]], question: str) -> list[Answer | None]:
    given = [" ".join(each) for each in read]
    keys = phrases.classes(given, question)
    shown = [each[0].rstrip(".").strip("\"'“”") for each in read]
    return [Answer(key=key, shown=text) if text else None for key, text in zip(keys, shown, strict=True)]


def _choice(picked: Option | None) -> Answer | None:
    return None if picked is None else Answer(key=picked.name, shown=picked.name)


def _boolean(said: bool | None, question: str) -> Answer | None:
    return None if said is None else Answer(key=said, shown=booleans.shown(value=said, question=question))


def _dates(read: Sequence[dates.Date | None], question: str) -> list[Answer | None]:
    """Compares down to the part that the question asks for, else that the panel gives in the median."""
    given = [sum(part is not None for part in each) for each in read if each is not None]
    parts = 1 if not given or "year" in question.lower() else median_low(given)
    exact = [None if each is None else dates.down_to(each, parts) for each in read]
    return [None if each is None else Answer(key=each, shown=dates.shown(each)) for each in exact]


def _code(found: tuple[Hashable, JSON] | None) -> Answer | None:
    return None if found is None else Answer(key=found[0], shown=found[1])


def _json(value: JSON) -> Answer | None:
    return None if value is None else Answer(key=values.key(value), shown=value)
