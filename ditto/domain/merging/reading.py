"""The short answers that the replies of a panel give, read as one kind and made comparable.

A reply that marks its answer is held to the mark. Only where it marks none is its prose searched. Where nothing of the
expected kind is found, the reply abstains: a guess would be a vote. When two answers are the same, `equality` says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ditto.domain import schemas
from ditto.domain.merging import (
    amounts,
    booleans,
    equality,
    finals,
    lists,
    literals,
    mathematics,
    moments,
    numbers,
    options,
    phrases,
    sentences,
    thoughts,
    values,
)
from ditto.domain.merging.dates import Date
from ditto.domain.merging.equality import Rounded
from ditto.domain.merging.labels import Option
from ditto.domain.merging.numbers import Quantity
from ditto.domain.schemas import calls, mending, sizes
from ditto.domain.spec import JSON, AnswerKind

_LONGEST_PHRASE_CHARS = 300
_CUTOFF = re.compile(r"\b[Aa]s of my (?:last|latest|knowledge|training|most recent)[^,.\n]{0,80}[,.]\s*")
"""What a model says about how old its knowledge is, rather than about the question."""

_MOST_CANDIDATES = 3


_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A reply's text with the answers that it marks as final, the most trusted first.

    The last may only stand out; `held` tells whether another one says that it is the answer. What has been read out of
    it is kept: finding out which kind is compared reads it as several.
    """

    text: str
    finals: tuple[JSON, ...]
    held: bool = False
    _known: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def once(self, name: str, read: Callable[[], _Read]) -> _Read:
        """Returns what is read under this name, reading it the first time only."""
        if name not in self._known:
            self._known[name] = read()
        found: _Read = self._known[name]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is compared.

    Attributes:
        kind: None for open prose, which has no short answer.
        options: The offered answers, where the kind is a choice.
        several: All options that are right are asked for.
        loose: The answers are sentences: the same may be said in words that nobody else uses.
    """

    kind: AnswerKind | None
    options: tuple[Option, ...] = ()
    several: bool = False
    loose: bool = False

    @property
    def count(self) -> int | None:
        """How many answers are possible, None where answers are open."""
        if self.kind is AnswerKind.BOOLEAN:
            return 2
        return len(self.options) if self.kind is AnswerKind.CHOICE and not self.several else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A short answer: `key` is equal for answers that mean the same, `shown` is its readable form."""

    key: Hashable
    shown: JSON


def sheet(text: str) -> Sheet:
    """Returns a reply prepared for reading: without its reasoning, and with the answers that it marks."""
    if sentences.is_word(text) or numbers.is_plain(text):
        return Sheet(text=text, finals=())
    said = thoughts.removed(text)
    if "{" in said and finals.reasons_only(said):
        return Sheet(text="", finals=())
    said = _CUTOFF.sub("", said) if "s of my " in said else said
    marked = finals.of(said)
    return Sheet(text=said, finals=(*marked, *finals.emphasised(said)), held=bool(marked))


def answers(expected: Expected, sheets: Sequence[Sheet], question: str) -> list[Answer | None]:
    """Returns the answer of each reply, None where none can be read; the replies are the whole panel's."""
    match expected.kind:
        case None:
            return [None] * len(sheets)
        case AnswerKind.NUMBER:
            return _answers(amounts.compared([quantity(each, question) for each in sheets], question))
        case AnswerKind.MATH:
            return _answers(_mathematics(sheets))
        case AnswerKind.DATE:
            return _answers(moments.compared([date(each, question) for each in sheets], question))
        case AnswerKind.LIST:
            return _answers(lists.compared([listed(each) for each in sheets], question))
        case AnswerKind.TEXT:
            return _texts([phrase(each) for each in sheets], question)
        case AnswerKind.CHOICE if expected.several:
            return [_choices(choices(each, expected.options)) for each in sheets]
        case AnswerKind.CHOICE:
            return [_choice(choice(each, expected.options, question)) for each in sheets]
        case AnswerKind.BOOLEAN:
            return [_boolean(boolean(each, question), question) for each in sheets]
        case AnswerKind.CODE:
            return _answers([code(each, question) for each in sheets])
        case AnswerKind.JSON:
            return [_json(structure(each)) for each in sheets]


def quantity(reply: Sheet, question: str) -> Quantity | None:
    """Returns the number that a reply gives."""
    return reply.once("quantity", lambda: amounts.given(reply.text, reply.finals, question, held=reply.held))


def mathematical(reply: Sheet) -> str | None:
    """Returns the mathematical answer that a reply marks, or that its prose comes to."""
    return reply.once("mathematical", lambda: _mathematical(reply))


def _mathematical(reply: Sheet) -> str | None:
    for final in reply.finals:
        if not isinstance(final, bool):
            text = final if isinstance(final, str) else json.dumps(final, ensure_ascii=False)
            if text.strip() and len(text) <= _LONGEST_PHRASE_CHARS:
                return mathematics.narrowed(text.strip())
    return mathematics.concluded(reply.text)


def choice(reply: Sheet, offered: tuple[Option, ...], question: str) -> Option | None:
    """Returns the offered answer that a reply picks."""
    return reply.once("choice", lambda: _picked(reply, offered, question))


def _picked(reply: Sheet, offered: tuple[Option, ...], question: str) -> Option | None:
    for final in reply.finals:
        if (picked := options.picked(str(final), offered)) is not None:
            return picked
    return options.mentioned(reply.text, offered, question)


def choices(reply: Sheet, offered: tuple[Option, ...]) -> tuple[Option, ...]:
    """Returns the offered answers that a reply picks, where several may be right."""
    for final in reply.finals:
        text = ", ".join(map(str, final)) if isinstance(final, list) else str(final)
        if picked := options.picked_several(text, offered):
            return picked
    return options.picked_several(reply.text, offered)


def boolean(reply: Sheet, question: str) -> bool | None:
    """Returns whether a reply says yes or no."""
    return reply.once("boolean", lambda: _said(reply, question))


def _said(reply: Sheet, question: str) -> bool | None:
    for final in reply.finals:
        if isinstance(final, bool):
            return final
        if isinstance(final, str) and (said := booleans.said(final)) is not None:
            return said
    opened = booleans.opened(reply.text)
    return opened if opened is not None else booleans.judged(reply.text, question)


def date(reply: Sheet, question: str) -> Date | None:
    """Returns the date or time that a reply gives."""
    return reply.once("date", lambda: moments.given(reply.text, reply.finals, question))


def listed(reply: Sheet) -> list[str] | None:
    """Returns the items that a reply lists."""
    return reply.once("list", lambda: lists.given(reply.text, reply.finals))


def code(reply: Sheet, question: str) -> tuple[Hashable, JSON] | None:
    """Returns key and shown form of the code or value that a reply gives."""
    if reply.finals:
        return reply.once("code", lambda: literals.marked(reply.finals[0]))
    return reply.once("code", lambda: literals.inside(reply.text, question))


def structure(reply: Sheet) -> JSON:
    """Returns the object or list that a reply gives, function calls in one notation; None where it gives none."""
    return reply.once("structure", lambda: _structure(reply))


def senses(reply: Sheet, text: str) -> tuple[Hashable, ...]:
    """Returns the keys by which a mathematical answer of a reply may be compared."""
    return reply.once(f"senses {text}", lambda: mathematics.senses(text))


def _structure(reply: Sheet) -> JSON:
    for final in reply.finals:
        if isinstance(final, dict | list):
            return final
    made = calls.found(reply.text)
    if made is not None:
        return made
    for value in _structures(reply.text):
        try:
            sizes.parts(value)
        except schemas.Misfit:
            return None
        if isinstance(value, dict | list):
            return value
    return None


def _structures(text: str) -> list[JSON]:
    starts = [at for sign in "{[" if (at := text.find(sign)) >= 0]
    if not starts:
        return []
    try:
        return [json.JSONDecoder(strict=False).raw_decode(text, min(starts))[0]]
    except (ValueError, RecursionError):
        return list(mending.mended(text))[:_MOST_CANDIDATES]


def phrase(reply: Sheet) -> list[str]:
    """Returns the short text that a reply gives: what it marks, else the sentences that answer, in order."""
    for final in reply.finals:
        text = final if isinstance(final, str) else json.dumps(final, ensure_ascii=False)
        if text.strip() and len(text) <= _LONGEST_PHRASE_CHARS:
            return [text.strip()]
    return phrases.answering(reply.text)


def _answers(compared: Sequence[tuple[Hashable, JSON] | None]) -> list[Answer | None]:
    return [None if each is None else Answer(key=each[0], shown=each[1]) for each in compared]


def _mathematics(sheets: Sequence[Sheet]) -> list[tuple[Hashable, JSON] | None]:
    """Compares by every sense that an answer has; a rounded number joins the exact one that it rounds."""
    read = [mathematical(each) for each in sheets]
    given = [(each, text) for each, text in zip(sheets, read, strict=True) if text is not None]
    present = [text for _, text in given]
    written = [senses(each, text) or (("words", phrases.core(text)),) for each, text in given]
    numeric = {at: number for at, text in enumerate(present) if (number := _as_number(text)) is not None}
    meant = equality.rounded(list(numeric.values()))
    exact = {at: (("rounded", value),) for at, value in zip(numeric, meant, strict=True)}
    groups = equality.linked([(*senses, *exact.get(at, ())) for at, senses in enumerate(written)])
    keys = iter(sorted_keys(groups, written))
    texts = iter(present)
    return [None if text is None else (next(keys), mathematics.shown(next(texts))) for text in read]


def sorted_keys(groups: Sequence[int], senses: Sequence[Sequence[Hashable]]) -> list[Hashable]:
    """Returns for each answer the least own key of its group, which does not depend on the order of the answers."""
    least: dict[int, str] = {}
    for group, own in zip(groups, senses, strict=True):
        least[group] = min(least.get(group, repr(own[0])), repr(own[0]))
    return [least[group] for group in groups]


def _as_number(text: str) -> Rounded | None:
    read = amounts.value_of(text)
    return None if read is None else Rounded(read.value, read.step, read.digits)


def _texts(read: Sequence[list[str]], question: str) -> list[Answer | None]:
    given = [" ".join(each) for each in read]
    keys = phrases.classes(given, question)
    shown = [phrases.shown(each[0]) for each in read]
    return [Answer(key=key, shown=text) if text else None for key, text in zip(keys, shown, strict=True)]


def _choice(picked: Option | None) -> Answer | None:
    return None if picked is None else Answer(key=picked.name, shown=picked.name)


def _choices(picked: Sequence[Option]) -> Answer | None:
    names = [option.name for option in picked]
    return Answer(key=frozenset(names), shown=", ".join(names)) if names else None


def _boolean(said: bool | None, question: str) -> Answer | None:
    return None if said is None else Answer(key=said, shown=booleans.shown(value=said, question=question))


def _json(value: JSON) -> Answer | None:
    if value is None:
        return None
    made = calls.of_value(value)
    if made is not None:
        return Answer(key=("calls", tuple(sorted(repr(values.sortable(call)) for call in made))), shown=value)
    return Answer(key=values.key(value), shown=value)
