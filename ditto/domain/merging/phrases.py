r"""Short free text, compared by meaning as far as words show it.

A name, a phrase or the sentence that answers is reduced to its content words, those of the question left out: they say
what is asked, not what is answered. Two texts are linked when their numbers do not contradict each other, and

* where both name somebody or something (capitals, where a script has them), more than half of the names of the shorter
  one, and a third of its content words, are in the other,
* where one is a short phrase, more than half of its words are in the other,
* else half of the content words of the shorter one are in the other.

A bare number is linked to no sentence that says more than a few words beside it, and a sentence that names several
short answers which differ is linked to the one that it names first.

Answers are the groups that average linkage makes of these links (`clustering`), so it is an equivalence within a panel,
and a reply that names two answers does not make them one. Formulas are compared as formulas.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ditto.domain.merging import clustering, mathematics, numbers, sentences, wording

_ANSWERING_SENTENCES = 2
_PHRASE_WORDS = 4
_MOST_WORDS = 300
_FORMULA_CHARS = 120
_DENIES = frozenset("not nicht kein pas nie niet geen never unlike rather instead nor nie non não не".split())  # noqa: SIM905
_DENIED_WORDS = 3
_NOWHERE = 10**6
_FEW = 4
"""So many are counted one by one sooner than at once."""

_SCALES = frozenset(str(10**power) for power in (2, 3, 6, 9, 12))
"""Words such as million: two numbers that share no more than these are different ones."""
_LATEX_TEXT = re.compile(r"\\(?:text|mathrm|mathbf|textbf|mbox|textit|emph)\s*\{([^{}]*)\}|[$]")
_INDEX = re.compile(r"(?<=[A-Za-z)])_\{?(\d+)\}?")
_PREAMBLE = re.compile(
    r"^(?:as an ai\b|i (?:do not|don't|am not|cannot|can't)\b|i'm (?:not|sorry|an)\b|sorry\b|sure\b|certainly\b"
    r"|of course\b|great question|that's a|unfortunately\b|i apologi[sz]e|let me\b|let's\b|okay\b|ok\b"
    r"|als ki\b|natürlich\b|gerne\b|en tant qu['’]ia|bien sûr|como ia\b|claro\b|certo\b|как ии\b|конечно\b)",
    re.IGNORECASE,
)


def answering(text: str) -> list[str]:
    """Returns the sentences of a reply that answer: its first two that are no preamble."""
    said = sentences.of(text)
    answers = [sentence for sentence in said if not _PREAMBLE.match(sentence)]
    return (answers or said or [text.strip()])[:_ANSWERING_SENTENCES]


def core(text: str) -> Hashable:
    """Returns what is equal for two names or phrases that differ in case, accents, articles or punctuation only."""
    words = wording.words(_LATEX_TEXT.sub(r" \1 ", text))
    content = tuple(word.plain for word in words if not word.empty)
    return content or tuple(word.plain for word in words) or text.strip()


def shown(text: str) -> str:
    """Returns a phrase as it is shown: without quotes around it and its final stop."""
    bare = _LATEX_TEXT.sub(r"\1", text).strip() if "\\" in text else text.strip()
    return bare.rstrip(".。").strip("\"'“”„‘’「」*`") or text


@dataclass(frozen=True, slots=True)
class _Item:
    """What of a text is compared.

    Attributes:
        exact: Equal for texts of the same words.
        content: Its content words.
        names: Those that are names.
        digits: Those that are numbers.
        phrase: It is no more than a few words long.
        number: It is nothing but a number.
        places: Where each content word stands that is not denied, by its first place.
    """

    exact: str
    content: frozenset[str]
    names: frozenset[str] = frozenset()
    digits: frozenset[str] = frozenset()
    phrase: bool = False
    number: bool = False
    places: Mapping[str, int] = field(default_factory=dict)


def classes(texts: Sequence[str], question: str) -> list[Hashable]:
    """Returns for each text the key of its answer; equal keys mean the same answer within this panel."""
    given = {text: _words(text) for text in set(texts)}
    asked = frozenset(word.plain for word in wording.words(question))
    common = frozenset(word.plain for words in given.values() for word in words if not word.capital)
    by_text = {text: _item(text, words, asked, common) for text, words in given.items()}
    items = [by_text[text] for text in texts]
    distinct = sorted({item.exact: item for item in items}.values(), key=lambda item: item.exact)
    held = [word for item in distinct for word in item.content]
    if len(set(held)) == len(held):
        return [item.exact for item in items]
    said = Counter(item.exact for item in items)
    shared, size = _shared([item.content for item in distinct])
    alike = shared / np.maximum(np.add.outer(size, size) - shared, 1.0)
    first = clustering.clustered(_linked(distinct, shared, size), alike, [float(said[item.exact]) for item in distinct])
    names = {item.exact: distinct[at].exact for item, at in zip(distinct, first, strict=True)}
    return [names[item.exact] for item in items]


def _words(text: str) -> list[wording.Word]:
    if "\\" in text or "$" in text:
        text = _LATEX_TEXT.sub(r" \1 ", text)
    return wording.words(_INDEX.sub(r"\1", text) if "_" in text else text)[:_MOST_WORDS]


def _item(text: str, words: Sequence[wording.Word], asked: frozenset[str], common: frozenset[str]) -> _Item:
    quantity = numbers.entire(text)
    if quantity is not None:
        return _number(quantity, words)
    if len(text) <= _FORMULA_CHARS and mathematics.is_notation(text) and (senses := mathematics.senses(text)):
        return _Item(exact=f"formula {senses[0]!r}", content=frozenset())
    own = [word for word in words if not word.empty]
    content = frozenset(word.plain for word in own)
    fresh = content - asked or content
    return _Item(
        exact=" ".join(word.plain for word in words) or text.strip(),
        content=fresh,
        names=frozenset(word.plain for word in own if word.capital and word.plain in fresh - common),
        digits=frozenset(word for word in fresh if word.isdigit() and word not in _SCALES),
        phrase=len(own) <= _PHRASE_WORDS,
        places=_places(words, fresh),
    )


def _number(quantity: numbers.Quantity, words: Sequence[wording.Word]) -> _Item:
    """Returns a text that is a number: the same as any that writes it otherwise, linked to a phrase that holds it."""
    content = frozenset(word.plain for word in words if not word.empty)
    return _Item(
        exact=f"number {numbers.key(quantity.value)!r} {quantity.unit}",
        content=content,
        digits=frozenset(word for word in content if word.isdigit() and word not in _SCALES),
        phrase=True,
        number=True,
    )


def _places(words: Sequence[wording.Word], content: frozenset[str]) -> Mapping[str, int]:
    """Returns where each content word first stands without a denial shortly before it."""
    places: dict[str, int] = {}
    denied = -_DENIED_WORDS - 1
    for at, word in enumerate(words):
        if word.plain in _DENIES:
            denied = at
        if word.plain in content and at - denied > _DENIED_WORDS:
            places.setdefault(word.plain, at)
    return places


def _linked(items: Sequence[_Item], content: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Returns which texts are linked; `content` is how many content words each two share, `size` how many they have."""
    names, named = _shared([item.names for item in items])
    digits, dated = _shared([item.digits for item in items])
    phrase = np.array([item.phrase for item in items])
    least = np.minimum.outer(size, size)
    shorter_is_phrase = np.where(np.less.outer(size, size), phrase[:, None], phrase[None, :])
    both_named = np.minimum.outer(named, named)
    enough = np.where(
        shorter_is_phrase,
        2 * content > least,
        np.where(both_named > 0, (2 * names > both_named) & (3 * content >= least), 2 * content >= least),
    )
    contradicted = (np.minimum.outer(dated, dated) > 0) & (digits == 0)
    number = np.array([item.number for item in items])
    wordy = np.array([len(item.content - item.digits) > _PHRASE_WORDS for item in items])
    beside = np.logical_and.outer(number, wordy)
    linked: NDArray[np.bool_] = enough & (least > 0) & ~contradicted & ~beside & ~beside.T
    _part_rivals(items, linked)
    return linked


def _part_rivals(items: Sequence[_Item], linked: NDArray[np.bool_]) -> None:
    """Takes links away: a sentence that names several short answers which differ gives the one that it names first."""
    short = [at for at, item in enumerate(items) if 0 < len(item.content) <= _PHRASE_WORDS]
    for at, item in enumerate(items):
        named = [other for other in short if linked[at, other] and len(items[other].content) < len(item.content)]
        if len(named) < 2:
            continue
        place = {other: min(item.places.get(word, _NOWHERE) for word in items[other].content) for other in named}
        _, _, first = min((place[other], items[other].exact, other) for other in named)
        for other in named:
            apart = not linked[first, other] and not items[first].content & items[other].content
            if apart and place[other] > place[first]:
                linked[at, other] = linked[other, at] = False


def _shared(sets: Sequence[frozenset[str]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns how many elements each set shares with each, and how many it has."""
    rows: dict[str, list[int]] = {}
    for row, words in enumerate(sets):
        for word in words:
            rows.setdefault(word, []).append(row)
    shared = np.zeros((len(sets), len(sets)), dtype=np.float64)
    for holders in rows.values():
        if len(holders) > _FEW:
            shared[np.ix_(holders, holders)] += 1.0
        elif len(holders) > 1:
            for pair in itertools.product(holders, repeat=2):
                shared[pair] += 1.0
    size = np.array([len(words) for words in sets], dtype=np.float64)
    np.fill_diagonal(shared, size)
    return shared, size
