r"""Short free text, compared by meaning as far as words show it.

A name, a phrase or the sentence that answers is reduced to its content words, those of the question left out: they say
what is asked, not what is answered. Two texts are alike when half the content words of the shorter one are in the other
and their numbers do not contradict each other. Texts linked by such likeness are one answer (its transitive closure,
so it is an equivalence within a panel). Formulas are compared as formulas, by their normalised text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Sequence

from ditto.domain.merging import mathematics, numbers, sentences, spelled

_ALIKE = 0.5
_ANSWERING_SENTENCES = 2
_STOP_WORDS = """
a an the of in on at to for from by with as and or but is are was were be been being it its this that these those
he she they him her them his their there who whom which what when where how do does did has have had not no so
also known called named name first about into than then i you we my your our s t song movie film series show book
answer question
"""
_STOP = frozenset(_STOP_WORDS.split())
_WORD = re.compile(r"[^\W_]+(?:['’.][^\W_]+)*")
_PREAMBLE = re.compile(
    r"^(?:as an ai\b|i (?:do not|don't|am not|cannot|can't)\b|i'm (?:not|sorry|an)\b|sorry\b|sure\b|certainly\b"
    r"|of course\b|"
    r"great question|that's a|unfortunately\b|i apologi[sz]e)",
    re.IGNORECASE,
)
_FORMULA = re.compile(
    r"[\\^=<>∈∪√π]|(?<![\w])\(?-?\d+(?:\.\d+)?,|\d[a-z]\b|[)\]]\s*[+*/]|^\s*[\[(].*[\])]\s*$"
    r"|^\s*\w{1,4}\s*[+*/]\s*\w{1,4}\s*$"
)


def answering(text: str) -> list[str]:
    """Returns the sentences of a reply that answer: its first two that are no preamble."""
    said = sentences.of(text)
    answers = [sentence for sentence in said if not _PREAMBLE.match(sentence)]
    return (answers or said or [text.strip()])[:_ANSWERING_SENTENCES]


def core(text: str) -> Hashable:
    """Returns what is equal for two names or phrases that differ in case, accents, articles or punctuation only."""
    words = tuple(word for word in _ordered(text) if word not in _STOP)
    return words or tuple(_ordered(text)) or text.strip()


def shown(text: str) -> str:
    """Returns a phrase as it is shown: without quotes around it and its final stop."""
    return text.rstrip(".").strip("\"'“”")


def classes(texts: Sequence[str], question: str) -> list[Hashable]:
    """Returns for each text the key of its answer; equal keys mean the same answer within this panel."""
    asked = _words(question)
    exact = [_exact(text) for text in texts]
    bags = [
        _bag(text, asked) if isinstance(key, str) else frozenset[str]() for text, key in zip(texts, exact, strict=True)
    ]
    distinct = sorted(
        {(str(key), key, bag) for key, bag in zip(exact, bags, strict=True)},
        key=lambda item: (item[0], sorted(item[2])),
    )
    parent = {item: item for item in distinct}
    for at, one in enumerate(distinct):
        for other in distinct[at + 1 :]:
            if _alike(one[2], other[2]):
                a, b = _root(parent, one), _root(parent, other)
                parent[max(a, b, key=str)] = min(a, b, key=str)
    return [_root(parent, (str(key), key, bag))[0] for key, bag in zip(exact, bags, strict=True)]


_Item = tuple[str, Hashable, frozenset[str]]


def _root(parent: dict[_Item, _Item], item: _Item) -> _Item:
    while parent[item] != item:
        item = parent[item]
    return item


def _exact(text: str) -> Hashable:
    quantity = numbers.entire(text)
    if quantity is not None:
        return ("number", repr(numbers.key(quantity.value)), repr(quantity.unit))
    if len(text) <= 120 and _FORMULA.search(text) and (senses := mathematics.senses(text)):
        return ("formula", senses[0])
    return " ".join(_ordered(text)) or text.strip()


def _bag(text: str, asked: frozenset[str]) -> frozenset[str]:
    words = _words(text)
    return words - asked or words


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    shared, least = len(one & other), min(len(one), len(other))
    if not least or shared < _ALIKE * least:
        return False
    digits, others = {w for w in one if w.isdigit()}, {w for w in other if w.isdigit()}
    return not digits or not others or bool(digits & others)


def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in _ordered(text) if word not in _STOP)


def _ordered(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return [_stem(word) for word in _WORD.findall(plain)]


def _stem(word: str) -> str:
    bare = re.sub(r"['’]s$", "", word).replace(".", "")
    value = spelled.of_word(bare)
    if value is not None:
        return str(value)
    return bare[:-1] if len(bare) > 4 and bare.endswith("s") and not bare.endswith("ss") else bare
