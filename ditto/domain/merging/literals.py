"""Values of code: what a reply says a program gives, compared as the language compares, and source by its syntax tree.

`'abc'` and a bare abc are the same text; 1 and 1.0 are the same number; True is no number; a list is no tuple.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Hashable

from ditto.domain.spec import JSON

_FENCE = re.compile(r"```[\w+-]*[ \t]*\n?(.*?)```", re.DOTALL)
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_GIVES = re.compile(
    r"(?:\b(?:evaluates? to|returns?|prints?|outputs|yields?|produces?|gives?|is|be|equals?|will be|ergibt|gibt"
    r"|liefert|retourne|renvoie"
    r"|affiche|devuelve|imprime|restituisce|stampa)\b|=(?!=)|→|->)[ \t]*:?[ \t]*(?:\*\*)?"
    r"(?:`(?P<code>[^`\n]{1,300})`|(?=(?P<bare>[\[({'\"\w+-][^`\n]{0,300})))"
)
_GOES_ON = re.compile(r"\s+(?:because|since|as|which|in|for|when|and|due)\b|\s*[.,;(]\s|\s+[-–—]\s|\.\Z")
_SIGNED = re.compile(r"[^\w\s'\"(][^\n]*[^\w\s.!?'\")]\Z")
_MOST_GIVEN = 8
_TAIL_CHARS = 4_000
_ASSERTS = re.compile(r"(?:\bassert\b.*|^\s*[A-Za-z_]\w*\(.*\)\s*)==\s*(?P<value>\S.*)$", re.DOTALL)
_WORDS = {"true": True, "false": False, "null": None, "none": None}
_LOOKS_LIKE_CODE = re.compile(
    r"[{};]\s*$|^\s*(?:def|class|function|import|#include|public|fn|func|let|const|var)\b", re.MULTILINE
)
_WORD_CHARS = 60
_LONGEST = 20_000


def marked(value: JSON) -> tuple[Hashable, JSON]:
    """Returns the key and the shown form of an answer that a reply marks as final."""
    if isinstance(value, str):
        return _read(value)
    return key(value), repr(value)


def inside(text: str, question: str) -> tuple[Hashable, JSON] | None:
    """Returns key and shown form of the code that a reply gives, None where it gives none.

    The last block, or what follows a word like "returns" or "prints", or the last piece of code in a line. What the
    question holds already is talked about rather than given, unless a reply holds nothing else.
    """
    blocks = _FENCE.findall(text)
    if blocks:
        return _read(([block for block in blocks if block.strip() not in question] or blocks)[-1])
    if (given := _given(text)) is not None:
        return _read(given)
    pieces = _INLINE.findall(text)
    if pieces:
        return _read(([piece for piece in pieces if piece not in question] or pieces)[-1])
    bare = text.strip()
    if "\n" not in bare and (_evaluated(bare) is not _NOTHING or _is_word(bare)):
        return _read(bare)
    program = _program(bare) if "\n" in bare else None
    return (program, bare) if program is not None else None


def _is_word(bare: str) -> bool:
    """Tells whether a short text is a single word, or begins and ends with signs that no sentence has there."""
    return 0 < len(bare) <= _WORD_CHARS and (" " not in bare or _SIGNED.match(bare) is not None)


def _given(text: str) -> str | None:
    """Returns the code or value that a reply says a program gives, its last word on that."""
    for match in reversed(list(_GIVES.finditer(text[-_TAIL_CHARS:]))[-_MOST_GIVEN:]):
        if match["code"] is not None:
            return match["code"]
        bare = match["bare"].strip().rstrip(".").strip("*").strip()
        for end in (*(each.start() for each in _GOES_ON.finditer(bare)), len(bare)):
            value = bare[:end].strip().strip("*").strip()
            if value and _evaluated(value) is not _NOTHING:
                return value
    return None


def value_inside(text: str) -> object:
    """Returns the value of the last code block of a reply, or of the reply itself; None where there is none."""
    blocks = _FENCE.findall(text)
    source = blocks[-1].strip() if blocks else text.strip()
    value = _evaluated(source) if source[:1] in "[({" and source else _NOTHING
    return None if value is _NOTHING else value


def key(value: object) -> Hashable:
    """Returns what is equal for equal values, with the type in it."""
    if value is None or isinstance(value, bool):
        return ("constant", str(value))
    if isinstance(value, int | float | complex):
        return ("number", value if value == value else "nan")
    if isinstance(value, str | bytes):
        return (type(value).__name__, value)
    if isinstance(value, list | tuple):
        return (type(value).__name__, tuple(key(item) for item in value))
    if isinstance(value, set | frozenset):
        return ("set", frozenset(key(item) for item in value))
    if isinstance(value, dict):
        return ("dict", frozenset((key(name), key(item)) for name, item in value.items()))
    return ("other", repr(value))


class _Nothing:
    """No value."""


_NOTHING = _Nothing()


def _read(text: str) -> tuple[Hashable, JSON]:
    source = _bare(text)
    value = _evaluated(source)
    if value is not _NOTHING:
        return key(value), source
    program = _program(source) if "\n" in source or len(source) > 200 else None
    if program is not None:
        return program, source
    plain = source.strip("\"'")
    return key(plain), repr(plain)


def _bare(text: str) -> str:
    source = text.strip()
    fence = _FENCE.fullmatch(source)
    if fence:
        source = fence[1].strip()
    if len(source) > 1 and source[0] == source[-1] == "`":
        source = source.strip("`").strip()
    asserted = _ASSERTS.match(source)
    return asserted["value"].strip() if asserted else source


def _evaluated(source: str) -> object:
    if source.lower() in _WORDS:
        return _WORDS[source.lower()]
    if len(source) > _LONGEST:
        return _NOTHING
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.literal_eval(source)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return _NOTHING


def _program(source: str) -> Hashable | None:
    """Returns the key of source that does something, None where a text only looks like code or not even that."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return ("source", " ".join(source.split())) if _LOOKS_LIKE_CODE.search(source) else None
    acts = any(isinstance(node, ast.stmt) and not isinstance(node, ast.Expr) for node in ast.walk(tree))
    return ("source", ast.dump(tree)) if acts else None
