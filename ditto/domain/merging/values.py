"""JSON values by meaning: which are the same, and how similar two are.

Equal: numbers by value; texts without regard to case, spacing, commas, kind of quotes and dashes or final stop; days
and formulas in any notation; lists in order, objects in any order. True is no number and null is not absent. It is an
equivalence, because it is equality of `key`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable
from functools import lru_cache

from rapidfuzz import fuzz

from ditto.domain.merging import dates, mathematics, numbers, wording
from ditto.domain.spec import JSON

NAMING = ("id", "key", "name", "type", "kind", "function", "action", "method", "title", "label", "code")
"""Fields that say which thing an object is about, rather than something about it."""

_NAMING_WEIGHT = 3.0
_CLOSE_TEXTS = 0.8
_QUOTES = str.maketrans(
    {"’": "'", "‘": "'", "`": "'", "“": '"', "”": '"', "–": "-", "—": "-", "−": "-", "‐": "-", "_": " "}
)
_AROUND_SIGNS = re.compile(r"\s*([^\w\s])\s*")
_COMMA = re.compile(r",\s+")
_FORMULA_CHARS = 120
_WITH_VARIABLES = re.compile(r"\A(?=.*\d)(?=.*[+*/^=])(?=.*[a-z])[\da-z\s.+*/^=()-]+\Z")
"""What may be a formula with variables; only one that can be read as such is compared as one."""

_POWER = re.compile(r"\*\*")


def key(value: JSON) -> Hashable:
    """Returns what is equal for values that mean the same."""
    if value is None or isinstance(value, bool):
        return ("constant", str(value))
    if isinstance(value, int | float):
        return ("number", numbers.key(value))
    if isinstance(value, str):
        return _text_key(value)
    if isinstance(value, list):
        return ("list", tuple(key(item) for item in value))
    return ("object", frozenset((name, key(item)) for name, item in value.items()))


def sortable(value: JSON) -> Hashable:
    """Returns what is equal for values that mean the same, written so that its `repr` is equal as well."""
    own = key(value)
    if isinstance(value, dict):
        return ("object", tuple(sorted((name, repr(sortable(item))) for name, item in value.items())))
    if isinstance(value, list):
        return ("list", tuple(sortable(item) for item in value))
    return own


def similarity(one: JSON, other: JSON) -> float:
    """Returns how similar two values are, from 0 to 1; objects about different things are not similar at all."""
    if isinstance(one, dict) and isinstance(other, dict):
        return _object_similarity(one, other)
    if key(one) == key(other):
        return 1.0
    if isinstance(one, str) and isinstance(other, str):
        return text_similarity(one, other)
    if isinstance(one, list) and isinstance(other, list) and one and other:
        left, right = {key(item) for item in one}, {key(item) for item in other}
        return len(left & right) / len(left | right)
    return 0.0


def text_similarity(one: str, other: str) -> float:
    """Returns how similar two texts are that do not mean the same, 0 unless they are close."""
    return fuzz.ratio(one.casefold(), other.casefold(), score_cutoff=100.0 * _CLOSE_TEXTS) / 100.0


@lru_cache(maxsize=1024)
def weight(name: str) -> float:
    """Returns how much a field of this name says about what its object is about."""
    return _NAMING_WEIGHT if name.lower() in NAMING else 1.0


def _object_similarity(one: dict[str, JSON], other: dict[str, JSON]) -> float:
    names = {*one, *other}
    if not names:
        return 1.0
    total = alike = 0.0
    for name in sorted(names):
        own = weight(name)
        same = similarity(one[name], other[name]) if name in one and name in other else 0.0
        if same == 0.0 and own > 1.0 and name in one and name in other and isinstance(one[name], str):
            return 0.0
        total, alike = total + own, alike + own * same
    return alike / total


def _text_key(text: str) -> Hashable:
    return _short_key(text) if len(text) <= _FORMULA_CHARS else _key_of(text)


@lru_cache(maxsize=1024)
def _short_key(text: str) -> Hashable:
    """Returns the same, kept: a value is compared as a whole and field by field, and models often give the same."""
    return _key_of(text)


def _key_of(text: str) -> Hashable:
    day = dates.entire(text) if text[:1].isdigit() or text[-1:].isdigit() else None
    if day is not None:
        return ("day", dates.shown(day))
    if len(text) <= _FORMULA_CHARS and _WITH_VARIABLES.search(text) and (found := mathematics.function(text)):
        return ("formula", found)
    plain = unicodedata.normalize("NFKC", wording.unabbreviated(text)).translate(_QUOTES).casefold()
    plain = _COMMA.sub(" ", plain)
    plain = _AROUND_SIGNS.sub(r"\1", _POWER.sub("^", " ".join(plain.split())))
    return ("text", plain.rstrip(".!") or plain)
