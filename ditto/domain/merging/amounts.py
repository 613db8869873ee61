"""Numbers as answers: which one a reply gives, and which of a panel's are the same.

Compared is the value in one unit. Which, the question says (how many minutes), else most of the panel.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ditto.domain.merging import conclusions, equality, formulas, languages, notation, numbers, sentences, units
from ditto.domain.merging.cues import Cue
from ditto.domain.merging.equality import Rounded
from ditto.domain.merging.numbers import Quantity
from ditto.domain.merging.units import Unit
from ditto.domain.spec import JSON

_SHORT_REPLY_SENTENCES = 3
_ASKS_UNIT = re.compile(
    r"\b(?:how many|number of|in|wie viele|in wie vielen|combien de|cuántos|cuántas|quanti|quante|quantos|quantas"
    r"|hoeveel"
    r"|сколько)\s+(?:whole\s+|full\s+|total\s+)?(?=[^\W\d_])",
    re.IGNORECASE,
)
_ASKS_PERCENT = Cue(
    signs=("%", "per ?cent", "prozent", "pour cent", "por ciento", "por cento", "procent", "процент", "パーセント")
)
_CONCLUDES = re.compile(
    r"(?:^|\W)(?:therefore|thus|hence|so|in total|altogether|in all|overall|finally|in conclusion|this (?:gives"
    r"|means)|also"
    r"|insgesamt|folglich|somit|daher|donc|au total|ainsi|por lo tanto|por tanto|en total|así que|quindi|pertanto"
    r"|in totale"
    r"|portanto|no total|logo|dus|in totaal|zatem|razem|итак|итого|всего|следовательно|поэтому|所以"
    r"|因此|总共|一共|したがって"
    r"|よって|合計)(?=\W|$|[^\x00-\x7f])",
    re.IGNORECASE,
)
_ROUNDED_DIGITS = 4
"""Whole numbers of so many digits are no counts, once they are converted into another unit."""

_AMBIGUOUS = re.compile(r"\d[.,]\d{3}(?!\d)")
_NAMED = re.compile(r"^\s*\$?\s*[A-Za-z]\s*(?:=|≈|\\approx)\s*")
_FORMULA = re.compile(r"\\(?:d?frac|sqrt|pi|cdot|times|pm|binom|log)|[√π^!]|\bsqrt\b|\bpi\b|[*/+]\s*[\d(]")
_BRACKETED = re.compile(r"\s\([^()]{0,200}\)")
_EQUAL = re.compile(r"=|≈|\\approx")
_COUNTED = re.compile(r"[^A-Za-z]{0,3}\d[\d.,/]*(?P<words>(?:\s[^\W\d_]{3,20})?(?P<last>\s[^\W\d_]{3,20}))\s*\Z")
_DIGIT = re.compile(r"\d")
_CALCULATES = re.compile(r"[\\√π^!*/=≈]|\b(?:e|pi|sqrt|ln|log)\b|\d\s*\+\s*\d")
_NAME = re.compile(r"\s*\\?[A-Za-z]+(?:_\{?\w+\}?)?'*(?:\s*\([^()=]*\))?\s*\Z")
_UNIT = re.compile(
    r"\s*(?:«[^»]*»|(?<![A-Za-z\\])(?:(?:square|cubic|sq)\s+)?(?P<name>[A-Za-z]{2,12}))\s*(?:\^\s*\{?[23]\}?)?\s*\Z"
)
_WORD = re.compile(r"(?<![\\A-Za-z])[^\W\d_]{2,}")
_VARIABLE = re.compile(r"(?<![A-Za-z\\{])[a-zA-Z](?![A-Za-z}])")


def given(text: str, finals: Sequence[JSON], question: str, *, held: bool) -> Quantity | None:
    """Returns the number that a reply gives: the one it marks as final, else the one that its prose comes to.

    Args:
        finals: What the reply marks.
        held: One of the marks says that it is the answer: without a number in it the reply gives none.
    """
    comma = _comma_is_point(text, question)
    for final in finals:
        if isinstance(final, bool):
            continue
        if isinstance(final, int | float):
            if math.isfinite(final):
                return of_json(final)
            continue
        if isinstance(final, str) and (read := marked(final, comma_is_point=comma)):
            return read
    if held:
        return None
    return numbers.entire(text) if text.isdecimal() and text.isascii() else _said(text, question, comma)


def of_json(value: float) -> Quantity:
    """Returns a JSON number as a quantity."""
    written = repr(value)
    decimals = len(written.partition(".")[2]) if isinstance(value, float) and "e" not in written else 0
    exact = not decimals or value == int(value)
    return Quantity(
        value=Fraction(written),
        step=Fraction(0) if exact else Fraction(1, 10**decimals),
        digits=len(written.replace(".", "").replace("-", "").lstrip("0")),
    )


def marked(text: str, *, comma_is_point: bool = False) -> Quantity | None:
    """Returns the number that a short marked answer states, a formula's value included; None where it states none."""
    concluded = _concluded(text, comma_is_point)
    if concluded is not None:
        return concluded
    if (_FORMULA.search(text) or _VARIABLE.search(text)) and not _WORD.search(text):
        return None
    return numbers.stated(text, comma_is_point=comma_is_point)


def value_of(text: str) -> Quantity | None:
    """Returns the value of a text that is a number or a formula without variables, None of any other."""
    entire = numbers.entire(_NAMED.sub("", text))
    return entire if entire is not None and not entire.upper else _computed(text)


def _concluded(sentence: str, comma: bool) -> Quantity | None:
    """Returns the number that a sentence comes to, where a piece of it is a number or a formula and nothing else."""
    for piece in itertools.chain((sentence,), conclusions.pieces(sentence)):
        if (counted := _counted(_NAMED.sub("", piece), comma)) is not None:
            return counted
        if (converted := _converted(piece, comma)) is not None:
            return converted
        if _CALCULATES.search(piece) and (computed := _computed(piece)) is not None:
            return computed
    return None


def _counted(piece: str, comma: bool) -> Quantity | None:
    """Returns the number that a piece is, with at most two words that say of what: 26 cookies, 720 degrees."""
    bare = piece.strip().rstrip("°")
    counted = _COUNTED.match(bare)
    ends = (len(bare), counted.start("last"), counted.start("words")) if counted else (len(bare),)
    return next((read for end in ends if (read := numbers.entire(bare[:end], comma_is_point=comma)) is not None), None)


def _converted(piece: str, comma: bool) -> Quantity | None:
    """Returns the last of the amounts that a piece calls equal, where they are in different units."""
    sides = _EQUAL.split(piece)
    if len(sides) < 2:
        return None
    used: set[Unit] = set()
    for side in sides:
        amount = numbers.entire(side, comma_is_point=comma)
        if amount is None or amount.unit is None:
            return None
        used.add(amount.unit)
    return amount if len(used) > 1 else None


def _computed(text: str) -> Quantity | None:
    """Returns the value of a formula without variables; its last exact side where it is an equation."""
    exact, _, rounded = notation.plain(text).partition("≈")
    sides = exact.split("=")
    if len(sides) > 1 and not _NAME.match(sides[0]) and (_evaluated(sides[0]) or (None, True))[1]:
        return None
    for side in (sides[-1], sides[0], rounded):
        if side is not rounded and (entire := numbers.entire(side)) is not None:
            return entire
        found = _evaluated(_without_unit(side))
        if found is not None:
            return None if found[1] else Quantity(value=found[0])
    return None


def _without_unit(side: str) -> str:
    unit = _UNIT.search(side)
    return side[: unit.start()] if unit and (unit["name"] is None or units.named(unit["name"])) else side


def _evaluated(side: str) -> tuple[Fraction, bool] | None:
    """Returns the value of one side of an equation, and whether that hangs on variables; None where it has none."""
    try:
        values, variables = formulas.evaluated(side)
    except formulas.NoFormula:
        return None
    value = values[0]
    if isinstance(value, Fraction):
        return value, bool(variables)
    return Fraction(value.real), bool(variables) or abs(value.imag) > 1e-9


def _said(text: str, question: str, comma: bool) -> Quantity | None:
    opening = conclusions.opening(text)
    if opening is not None and (stated := _concluded(opening, comma)) is not None:
        return stated
    last = next((each for each in conclusions.last_sentences(text) if _DIGIT.search(each)), "")
    if (concluded := _concluded(last, comma)) is not None:
        return concluded
    said = [(each, read) for sentence in sentences.of(text) if (read := _found(each := _bare(sentence), comma))]
    if not said:
        return None
    equations = [sentence for sentence, _ in said if "=" in sentence]
    if equations and (value := numbers.stated(equations[-1], comma_is_point=comma)) is not None:
        return value
    if len(said) <= _SHORT_REPLY_SENTENCES:
        asked = {quantity.value for quantity in _found(question, comma)}
        works_out = len(asked) > 1 and len(said) > 1
        fresh = [quantity for _, read in said for quantity in read if quantity.value not in asked]
        return fresh[-1 if works_out else 0] if fresh else said[-1 if works_out else 0][1][0]
    concluding = [read for sentence, read in said if _CONCLUDES.search(sentence)]
    return (concluding or [said[-1][1]])[-1][-1]


def _bare(sentence: str) -> str:
    """Returns a sentence without what it says in brackets, unless that is all that has a number."""
    bare = _BRACKETED.sub(" ", sentence)
    return bare if _DIGIT.search(bare) else sentence


def _found(text: str, comma: bool) -> list[Quantity]:
    return [quantity for _, quantity in numbers.found(text, comma_is_point=comma)]


def _comma_is_point(text: str, question: str) -> bool:
    if not _AMBIGUOUS.search(text):
        return False
    own = languages.of(text)
    return own in languages.COMMA_IS_POINT if own else languages.writes_comma_as_point(question)


def compared(read: Sequence[Quantity | None], question: str) -> list[tuple[Hashable, JSON] | None]:
    """Returns for each quantity of a panel a key that is equal where they are the same, and how it is shown.

    The same object standing for several replies is looked at once.
    """
    present = [quantity for quantity in read if quantity is not None]
    usual = _usual_unit(present, question)
    hundredths = _percent_is_hundredth(present, question)
    distinct = list({id(quantity): quantity for quantity in present}.values())
    scales = [_scale(quantity, usual, hundredths) for quantity in distinct]
    own = [_rounded(quantity, scale) for quantity, scale in zip(distinct, scales, strict=True)]
    answers = {
        id(quantity): (_key(value, quantity, scale), _shown(written.value, quantity, scale))
        for value, written, quantity, scale in zip(equality.rounded(own), own, distinct, scales, strict=True)
    }
    return [None if quantity is None else answers[id(quantity)] for quantity in read]


def _rounded(quantity: Quantity, scale: _Scale) -> Rounded:
    """Returns a quantity as written, in the unit compared in; a long whole number that is converted was rounded."""
    step = quantity.step
    if scale is _AS_IT_IS:
        return Rounded(quantity.value, step, quantity.digits if step else _ROUNDED_DIGITS)
    if not step and scale.ratio != 1 and quantity.unit is not None and quantity.value.denominator == 1:
        step = Fraction(int(len(str(abs(quantity.value.numerator))) >= _ROUNDED_DIGITS))
    digits = quantity.digits if quantity.step else _ROUNDED_DIGITS
    return Rounded(scale.of(quantity.value), step * scale.ratio, digits)


def firm(read: Sequence[Quantity | None], question: str) -> bool:
    """Tells whether these quantities are compared the same beside any others.

    Not where bare numbers stand beside numbers with a unit or percentages, whose meaning then hangs on most of the
    panel; nor where a number may be the rounded form of another, or be converted into one.
    """
    present = [quantity for quantity in read if quantity is not None]
    if any(each.unit is not None and _rounded(each, _CONVERTED).step for each in present):
        return False
    if any(equality.may_be_rounded(Rounded(each.value, each.step, each.digits)) for each in present):
        return False
    asked = any(units.after(question, match.end())[0] is not None for match in _ASKS_UNIT.finditer(question))
    mixed_units = len({each.unit is None for each in present}) > 1 and not asked
    mixed_percent = len({each.percent for each in present}) > 1 and not _ASKS_PERCENT.is_in(question)
    return not mixed_units and not mixed_percent


def _usual_unit(quantities: Sequence[Quantity], question: str) -> Unit | None:
    """Returns the unit to compare in: the one that the question asks for, else the one that most of the panel uses."""
    used = Counter(quantity.unit for quantity in quantities if quantity.unit is not None)
    if not used:
        return None
    dimensions = {unit.dimension for unit in used}
    for match in _ASKS_UNIT.finditer(question):
        asked, _ = units.after(question, match.end())
        if asked is not None and asked.dimension in dimensions:
            return asked
    weight = Counter(unit.dimension for unit in used.elements())
    return max(used, key=lambda unit: (weight[unit.dimension], used[unit], unit.dimension, unit.factor))


def _percent_is_hundredth(quantities: Sequence[Quantity], question: str) -> bool:
    if not any(quantity.percent for quantity in quantities):
        return False
    plain = [abs(quantity.value) <= 1 for quantity in quantities if not quantity.percent]
    return not _ASKS_PERCENT.is_in(question) and 2 * sum(plain) > len(plain)


@dataclass(frozen=True, slots=True)
class _Scale:
    """How a number comes into the unit compared in; `dimension` is empty unless it measures something else."""

    ratio: Fraction = Fraction(1)
    shift: Fraction = Fraction(0)
    dimension: str = ""

    def of(self, value: Fraction) -> Fraction:
        return value * self.ratio + self.shift


_AS_IT_IS = _Scale()
_CONVERTED = _Scale(ratio=Fraction(2))


def _scale(quantity: Quantity, usual: Unit | None, hundredths: bool) -> _Scale:
    unit = quantity.unit
    if unit is None or usual is None or unit == usual:
        return _Scale(ratio=Fraction(1, 100)) if quantity.percent and hundredths else _AS_IT_IS
    if unit.dimension != usual.dimension:
        return _Scale(ratio=unit.factor, shift=unit.zero * unit.factor, dimension=unit.dimension)
    ratio = unit.factor / usual.factor
    return _Scale(ratio=ratio, shift=unit.zero * ratio - usual.zero)


def _key(value: Fraction, quantity: Quantity, scale: _Scale) -> Hashable:
    if quantity.upper is not None:
        return ("range", scale.dimension, numbers.key(value), numbers.key(scale.of(quantity.upper)))
    if quantity.spread is not None:
        return ("spread", scale.dimension, numbers.key(value), numbers.key(quantity.spread * scale.ratio))
    return (scale.dimension, numbers.key(value)) if scale.dimension else numbers.key(value)


def _shown(value: Fraction, quantity: Quantity, scale: _Scale) -> JSON:
    if quantity.upper is not None:
        return f"{numbers.shown(value)} to {numbers.shown(scale.of(quantity.upper))}"
    if quantity.spread is not None:
        return f"{numbers.shown(value)} ± {numbers.shown(quantity.spread * scale.ratio)}"
    return numbers.shown(value)
