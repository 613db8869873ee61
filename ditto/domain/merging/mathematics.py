r"""Mathematical answers, compared by what they denote: numbers, expressions, equations, intervals, sets, matrices.

`senses` gives every key that an answer may be compared by; answers that share one are the same (`linking` makes groups
of them). Most have one. An equation such as `y = 2x + 3` has two: it is the equation, and it is the value that it gives
to `y`. What is no mathematics has none.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from fractions import Fraction

from ditto.domain.merging import conclusions, formulas, notation, numbers
from ditto.domain.merging.formulas import NoFormula, Values

_LONGEST_CHARS = 1000
_DEEPEST = 4
_MATRIX = re.compile(r"\\begin\s*\{([pbvBV]?matrix|array)\}(?:\s*\{[lcr|]*\})?(.*?)\\end\s*\{\1\}", re.DOTALL)
_AROUND_MATRIX = re.compile(r"[\s()\[\]]*\Z")
_EVERYTHING = re.compile(r"(?:\\reals|all real(?: number)?s?|every real number|\(\s*-\s*∞\s*,\s*\+?\s*∞\s*\))\Z", re.I)
_NOTHING = re.compile(r"(?:⟦\s*⟧|no (?:real )?solutions?|none|(?:the )?empty set|no such \w+(?: exists?)?)\Z", re.I)
_QUOTED = re.compile(r"«([^»]*)»(?:\s*\^\s*\{?[23]\}?)?")
_BASE = re.compile(r"(?<=\d)_(?:\{[^{}]*\}|\w)")
_NAME = re.compile(
    r"\\?[A-Za-z]+(?:_\{?\w+\}?)?'*(?:\s*\([^()=]*\))?\Z|[fghFGHP]'*\s*\((?:[^()=]|\([^()=]*\)){1,40}\)\Z"
)
_RELATION = re.compile(r"[=<>≤≥≠≈]")
_AND = re.compile(
    r"(?<=[\w)}\]⟧])\s+(?:and|or|und|oder|et|ou)\s+(?=[-\w\\(\[{⟦])|(?<=\d)\s+[yo]\s+(?=-?\d)|[;]|,\s*(?:and|or|und|oder)\s"
)
_RATIO = re.compile(r"(\d+(?:\.\d+)?)\s*(?::|to|\\colon)\s*(\d+(?:\.\d+)?)\Z")
_SUCH_THAT = re.compile(r"⟦\s*(?P<name>[A-Za-z])\s*(?:∈\s*\\reals\s*)?(?:\||:|\\mid)\s*(?P<condition>.+)⟧\Z")
_MEMBER = re.compile(r"[A-Za-z]\s*∈")
_GROUPED = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?\Z")
_TRAILING_WORDS = re.compile(
    r"(?<=[\d)}\]A-Za-z])\s+(?:square\s+|cubic\s+)?([A-Za-z]{2,}(?:\s*\^\s*\{?[23]\}?)?\s*)+\.?\Z"
)
_ONE_UNIT = re.compile(r"(?<=[\d)}])\s+(?:cm|mm|km|ft|in|kg|mg|ml|mi|lb|oz|hr|mph|m|s|g|h)(?:\s*\^\s*\{?[23]\}?)?\.?\Z")
_FLIPPED = {"<": ">", ">": "<", "≤": "≥", "≥": "≤"}
_BRACKETS = {"(": ")", "[": "]", "{": "}", "⟦": "⟧", "⟨": "⟩"}
_PLAIN_WORD = re.compile(r"(?<![\\A-Za-z{])[^\W\d_]{3,}")


_SHORT_CHARS = 120
_OF_VARIABLES = ("expression", "equation")
_NOTATION = re.compile(
    r"[\\^=<>∈∪√π≤≥±]|\d_\{?\d|(?<!\d\d)\d[a-z]\b|[)\]]\s*[+*/(]|^\s*[\[(].*,.*[\])]\s*$|\w\s*[+*/]\s*\w"
)


def senses(text: str) -> tuple[Hashable, ...]:
    """Returns the keys by which a mathematical answer may be compared, the first its own; none where it is none."""
    if len(text) > _LONGEST_CHARS:
        return ()
    try:
        return _senses(notation.plain(text), 0)
    except NoFormula:
        return ()


def function(text: str) -> Hashable | None:
    """Returns the key of a formula with variables, None of anything else."""
    return next((sense for sense in senses(text) if isinstance(sense, tuple) and sense[0] in _OF_VARIABLES), None)


def is_notation(text: str) -> bool:
    """Tells whether a short text is written as mathematics is, rather than as a word or a plain number."""
    return len(text) <= _SHORT_CHARS and _NOTATION.search(text) is not None


def concluded(text: str) -> str | None:
    """Returns what a reply without a marked answer comes to, where that is written as mathematics or a number."""
    return next((piece for piece in conclusions.of(text) if is_answer(piece)), None)


def narrowed(marked: str) -> str:
    """Returns what of a marked answer is mathematics, where only a part of it is; else all of it."""
    if senses(marked):
        return marked
    return next((piece for piece in conclusions.pieces(marked) if is_answer(piece)), marked)


def is_answer(piece: str) -> bool:
    """Tells whether a piece of a reply is mathematics by its notation, or a number, and can be read."""
    if numbers.entire(piece) is not None or _RATIO.match(piece):
        return True
    named = piece.rpartition("=")[0].strip()
    words = any(word not in notation.FUNCTIONS for word in _PLAIN_WORD.findall(named))
    return is_notation(piece) and (not words or _NAME.match(named) is not None) and bool(senses(piece))


def shown(text: str) -> str | int | float:
    """Returns an answer as it is shown: a plain number as such, else what is written without dollar signs around it."""
    quantity = numbers.entire(text)
    if (
        quantity is not None
        and quantity.unit is None
        and not quantity.percent
        and "frac" not in text
        and "/" not in text
    ):
        return numbers.shown(quantity.value)
    bare = text.strip().rstrip(".").strip()
    for opening, closing in (("$", "$"), (r"\(", r"\)"), (r"\[", r"\]")):
        if bare.startswith(opening) and bare.endswith(closing) and len(bare) > 2 * len(opening):
            bare = bare[len(opening) : -len(closing)].strip()
    return bare


def _senses(text: str, depth: int) -> tuple[Hashable, ...]:
    if depth > _DEEPEST:
        raise NoFormula("nested too deeply")
    text = text.strip()
    if _EVERYTHING.match(text):
        return (("pair", "(", ("infinity", -1), ("infinity", 1), ")"),)
    if _NOTHING.match(text):
        return (("several", ()),)
    if matrix := _MATRIX.search(text):
        return (_matrix(text, matrix, depth),)
    if (ratio := _RATIO.match(text)) is not None and float(ratio[2]):
        value = numbers.key(Fraction(ratio[1]) / Fraction(ratio[2]))
        return (("ratio", value), ("number", value))
    if (member := _MEMBER.match(text)) is not None:
        return _senses(text[member.end() :], depth + 1)
    if (such_that := _SUCH_THAT.match(text)) is not None:
        return _senses(such_that["condition"], depth + 1)
    united = _split(text, "∪")
    if len(united) == 1 and not text.startswith("("):
        united = [part for part in re.split(r"\s+or\s+|,\s*or\s+", text) if part]
        united = united if len(united) > 1 and all(re.search(r"[<>≤≥]|^[(\[]", part) for part in united) else [text]
    if len(united) > 1:
        return (("union", _sorted([_senses(part, depth + 1)[0] for part in united])),)
    items = _items(text)
    if len(items) > 1:
        return _several(items, depth)
    if _RELATION.search(text) and (relations := _relation(text, depth)):
        return relations
    return _single(text, depth)


def _several(items: Sequence[str], depth: int) -> tuple[Hashable, ...]:
    """Returns the senses of a list: a set of values, or what is given to each of several variables."""
    assigned = [item.split("=", 1) for item in items]
    names = [parts[0].strip() for parts in assigned if len(parts) == 2 and _NAME.match(parts[0].strip())]
    if len(names) == len(items) and len(set(names)) == len(names):
        given = {name: _senses(parts[1], depth + 1)[0] for name, parts in zip(names, assigned, strict=True)}
        ordered = tuple(given[name] for name in sorted(given))
        return (("assigned", tuple(sorted(given.items()))), _tuple("(", ordered, ")"))
    return (("several", _sorted([_senses(item, depth + 1)[0] for item in items])),)


def _relation(text: str, depth: int) -> tuple[Hashable, ...]:
    signs = _RELATION.findall(text)
    parts = [part.strip() for part in _RELATION.split(text)]
    if not all(parts):
        raise NoFormula("half a relation")
    if "≈" in signs:
        exact, _, rounded = text.partition("≈")
        return _senses(rounded if _NAME.match(exact.strip()) else exact, depth + 1)
    if set(signs) == {"="}:
        return _equation(parts, depth)
    if set(signs) <= set("<>≤≥") and len(parts) <= 3:
        return (_inequality(parts, signs),)
    if signs == ["≠"]:
        return (("unequal", parts[0], _senses(parts[1], depth + 1)[0]),)
    raise NoFormula("a mixed relation")


def _equation(parts: Sequence[str], depth: int) -> tuple[Hashable, ...]:
    left, right = parts[0], parts[-1]
    if _NAME.match(left) or not _evaluates(left):
        own = _senses(right, depth + 1)
        with_variables = len(parts) == 2 and _evaluates(left) and own[0][0] == "expression"  # type: ignore[index]
        equated = _equated(left, right) if with_variables else None
        return own if equated is None else (*own, equated)
    if _NAME.match(right):
        return _senses(left, depth + 1)
    if not formulas.evaluated(left)[1]:
        return _senses(right, depth + 1)
    equated = _equated(left, right)
    return _senses(right, depth + 1) if equated is None else (equated,)


def _evaluates(text: str) -> bool:
    try:
        formulas.evaluated(text)
    except NoFormula:
        return False
    return True


def _difference(left: str, right: str) -> tuple[list[complex], frozenset[str]]:
    one, some = formulas.evaluated(left)
    other, more = formulas.evaluated(right)
    return [complex(a) - complex(b) for a, b in zip(one, other, strict=True)], some | more


def _equated(left: str, right: str) -> Hashable | None:
    """Returns what is equal for equations that are multiples of each other, None for one that always holds."""
    difference, variables = _difference(left, right)
    if not difference[0]:
        return None
    return ("equation", tuple(sorted(variables)), tuple(_rounded(each / difference[0]) for each in difference[1:]))


def _inequality(parts: Sequence[str], signs: Sequence[str]) -> Hashable:
    if len(parts) == 3:
        if {"<", "≤"} >= set(signs) and _NAME.match(parts[1]):
            return _tuple(_open(signs[0]), (_bound(parts[0]), _bound(parts[2])), _closed(signs[1]))
        if {">", "≥"} >= set(signs) and _NAME.match(parts[1]):
            return _tuple(_open(signs[1]), (_bound(parts[2]), _bound(parts[0])), _closed(signs[0]))
        raise NoFormula("a chain")
    (left, right), sign = parts, signs[0]
    if _NAME.match(right) and not _NAME.match(left):
        left, right, sign = right, left, _FLIPPED[sign]
    if _NAME.match(left) and not formulas.evaluated(right)[1]:
        if sign in (">", "≥"):
            return _tuple(_open(sign), (_bound(right), ("infinity", 1)), ")")
        return _tuple("(", (("infinity", -1), _bound(right)), _closed(sign))
    difference, variables = _difference(left, right)
    if sign in ("<", "≤"):
        difference = [-each for each in difference]
    if not difference[0]:
        raise NoFormula("an inequality at its border")
    scaled = tuple(_rounded(each / abs(difference[0])) for each in difference)
    return ("inequality", sign in ("≤", "≥"), tuple(sorted(variables)), scaled)


def _open(sign: str) -> str:
    return "[" if sign in ("≤", "≥") else "("


def _closed(sign: str) -> str:
    return "]" if sign in ("≤", "≥") else ")"


def _bound(text: str) -> Hashable:
    infinite = re.fullmatch(r"([-+]?)\s*∞", text.strip())
    return ("infinity", -1 if infinite[1] == "-" else 1) if infinite else _value(text)


def _single(text: str, depth: int) -> tuple[Hashable, ...]:
    opening, closing = text[:1], text[-1:]
    inner = text[1:-1]
    if opening in "([⟨" and closing in ")]⟩" and opening and _matched(text):
        items = _split(inner, ",")
        rows = [item[1:-1] for item in items if item.startswith("[") and item.endswith("]") and _matched(item)]
        if opening == "[" and len(rows) == len(items):
            return (("matrix", tuple(tuple(_element(cell, depth) for cell in _split(row, ",")) for row in rows)),)
        if len(items) > 1:
            return (_tuple(opening, [_element(item, depth) for item in items], closing),)
        if opening == "[":
            return (("several", _sorted([_element(inner, depth)])),)
    if opening == "⟦" and closing == "⟧" and _matched(text):
        return (("several", _sorted([_element(item, depth) for item in _split(inner, ",")])),)
    for sign, opposite in (("±", "∓"), ("∓", "±")):
        if sign in text:
            above, below = (
                text.replace(sign, "+").replace(opposite, "-"),
                text.replace(sign, "-").replace(opposite, "+"),
            )
            return (("several", _sorted([_value(above), _value(below)])),)
    if re.fullmatch(r"([-+]?)\s*∞", text):
        return (_bound(text),)
    return (_value(text),)


def _element(text: str, depth: int) -> Hashable:
    return _bound(text) if "∞" in text else _senses(text, depth + 1)[0]


def _tuple(opening: str, items: Sequence[Hashable], closing: str) -> Hashable:
    if len(items) == 2:
        return ("pair", "(" if opening == "⟨" else opening, *items, ")" if closing == "⟩" else closing)
    return ("tuple", tuple(items))


def _matrix(text: str, matrix: re.Match[str], depth: int) -> Hashable:
    before = text[: matrix.start()]
    if not _AROUND_MATRIX.match(text[matrix.end() :]) or not _AROUND_MATRIX.match(before.rpartition("=")[2]):
        raise NoFormula("more than a matrix")
    rows = [row for row in matrix[2].replace(r"\hline", "").split(notation.ROW_END) if row.strip()]
    return ("matrix", tuple(tuple(_element(cell, depth) for cell in row.split("&")) for row in rows))


def _value(text: str) -> Hashable:
    """Returns the key of a number or an expression; the unit after it is left out."""
    text = _BASE.sub("", text)
    bare = _QUOTED.sub(" ", text).strip() if _QUOTED.sub("", text).strip() else text
    quantity = numbers.entire(bare.replace("%", ""))
    if quantity is not None:
        return ("number", numbers.key(quantity.value))
    bare = _ONE_UNIT.sub("", bare.replace("%", ""))
    try:
        return _of_values(*formulas.evaluated(bare))
    except NoFormula:
        shorter = _TRAILING_WORDS.sub("", bare)
        if shorter == bare:
            raise
        return _of_values(*formulas.evaluated(shorter))


def _of_values(values: Values, variables: frozenset[str]) -> Hashable:
    if variables and len({_rounded(complex(value)) for value in values}) > 1:
        return ("expression", tuple(_rounded(complex(value)) for value in values))
    value = values[0]
    if isinstance(value, complex):
        real, imaginary = _rounded(value)
        return ("complex", real, imaginary) if imaginary else ("number", numbers.key(real))
    return ("number", numbers.key(value))


def _rounded(value: complex) -> tuple[float, float]:
    """Returns a computed number in nine digits; what is left of a part that cancels out is nothing."""
    noise = 1e-11 * max(abs(value), 1.0 if abs(value) < 1e-11 else 0.0)
    real = 0.0 if abs(value.real) <= noise else value.real
    imaginary = 0.0 if abs(value.imag) <= noise else value.imag
    return float(f"{real:.9g}") + 0.0, float(f"{imaginary:.9g}") + 0.0


def _sorted(keys: Sequence[Hashable]) -> tuple[Hashable, ...]:
    return tuple(sorted(keys, key=repr))


def _items(text: str) -> list[str]:
    """Returns the items of a list without brackets; the commas of a long number do not part it."""
    if _GROUPED.match(text):
        return [text]
    joined = _AND.sub(" , ", text) if _AND.search(text) else text
    parts = _split(joined, ",")
    whole = [part for part in parts if part]
    return whole if len(whole) > 1 else [text]


def _split(text: str, sign: str) -> list[str]:
    """Returns the parts of a text between signs that stand in no bracket."""
    if sign not in text:
        return [text]
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(text):
        if letter in "([{⟦⟨":
            depth += 1
        elif letter in ")]}⟧⟩":
            depth -= 1
        elif letter == sign and depth <= 0:
            parts.append(text[start:at].strip())
            start = at + 1
    return [*parts, text[start:].strip()]


def _matched(text: str) -> bool:
    """Tells whether the first bracket is closed by the last, of whichever form: half-open intervals mix them."""
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter in "([{⟦⟨") - (letter in ")]}⟧⟩")
        if depth == 0:
            return at == len(text) - 1
    return False
