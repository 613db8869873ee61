r"""Numbers as models write them: separators, signs, currency, percent, fractions, powers of ten, ranges, words.

Separators are read as English writes them unless only another reading is possible (1.234.567,5 and 12'345 and
1,00,000), or the language is known to write the comma as decimal sign. Values are exact; two are the same when they
agree in nine significant digits, or, of whole numbers, in all. Rounding makes that an equivalence relation.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from ditto.domain.merging import spelled, units
from ditto.domain.merging.units import Unit

_SIGNIFICANT = 9
_LONG = 10**_SIGNIFICANT
_MOST_DIGITS = 300
_LONGEST_CHARS = 20_000
_SHORT_SCALES = {"k": 3, "m": 6, "mn": 6, "mio": 6, "bn": 9, "b": 9, "mrd": 9, "tn": 12}
_SIGN_WORDS = {
    "usd": "$",
    "us$": "$",
    "a$": "$",
    "eur": "€",
    "gbp": "£",
    "inr": "₹",
    "rs": "₹",
    "chf": "chf",
    "cny": "yuan",
}
_POINTED = ("$", "us$", "a$", "usd", "£", "gbp", "₹", "rs", "inr")
"""Currencies of those who write a point before decimals."""

_SCALE_WORDS = "|".join(sorted(map(re.escape, spelled.SCALES), key=len, reverse=True))

_NUMBER = re.compile(
    rf"""
    (?<![A-Za-z\d_.À-ɏΑ-ӿ])(?<!\d,)(?P<sign>[-−–+](?=\s?(?:\\?[$€£¥₹])?\s?[\d.\\]))?\s?
    (?P<currency>\\?[$€£¥₹]\s?|(?:US\$|A\$|USD|EUR|GBP|CHF|INR|CNY|Rs\.?)\s?(?=\d))?
    (?P<minus>[-−])?
    (?:
        \\[dt]?frac\s*\{{?\s*(?P<num>-?\d+(?:\.\d+)?)\s*\}}?\s*\{{?\s*(?P<den>\d+(?:\.\d+)?)\s*\}}?
      | (?P<whole>\d+)(?:\s+|\s?-|\s+and\s+)(?P<above>\d+)\s*/\s*(?P<below>[1-9]\d*)(?![\d/])
      | (?P<over>\d+(?:[.,]\d+)?)\s*/\s*(?P<under>[1-9]\d*(?:\.\d+)?)(?![\d/])
      | (?P<grouped>(?!0[,.\d])\d{{1,3}}(?:(?P<gap>,|\\,|\\!|,\\!|\{{,\}}|['’\u00a0\u2009\u202f\x20])\d{{3}})
          (?:(?P=gap)\d{{3}})*(?:\.\d+|(?<=[\x20'’\u00a0\u2009\u202f]\d{{3}}),\d+)?(?![\d,]\d))
      | (?P<indian>\d{{1,2}}(?:,\d{{2}})+,\d{{3}}(?:\.\d+)?(?!\d))
      | (?P<dotted>\d{{1,3}}(?:\.\d{{3}})+,\d+|\d{{1,3}}(?:\.\d{{3}}){{2,}})(?![.,]?\d)
      | (?P<comma>\d+,\d{{1,2}}(?![\d,])|0,\d+(?![\d,])|\d+,\d{{4,}}(?![\d,])|\d{{4,}},\d+(?![\d,]))
      | (?P<three>\d{{1,3}}[.,]\d{{3}})(?![\d,])
      | (?P<plain>\d+(?:\.\d+)?|\.\d+)
    )
    (?:(?P<e>[eE](?P<exponent>[-+]?\d+))
      | \s?(?:[×x*·]|\\times|\\cdot)\s?10\s?(?:\^|\*\*)\s?[{{(]?(?P<power>[-−]?\d+)[}})]?)?
    (?:\s?(?P<percent>%|\\%|percent\b|per\ cent\b|Prozent\b|pour\ cent\b|por\ ciento\b|процент\w*|パーセント)
       | [\s-]?(?P<scale>{_SCALE_WORDS})\b
       | (?P<signs>[万萬亿億千百만억])
       | (?(currency)\s?(?P<short>bn|mn|mio|mrd|tn|[mbk])\b|(?P<kilo>k)\b)
       | \s?(?P<abbreviated>mio|mrd|bn|mn|tn)\b\.?)?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PLAIN = re.compile(r"[-+]?[$€£]?\d[\d.,]*%?", re.ASCII)
_BETWEEN = re.compile(r"\s*(?:-|–|—|−|to|bis|à|až|至|到|~)\s*\Z", re.IGNORECASE)
_BETWEEN_AND = re.compile(r"\s*(?:and|und|et|y|e|en|и)\s*\Z", re.IGNORECASE)
_OPENS_BETWEEN = re.compile(r"\b(?:between|zwischen|entre|tra|tussen|между)\s*\Z", re.IGNORECASE)
_PLUS_MINUS = re.compile(r"\s*±\s*\Z")
_PLUS_MINUS_WRITTEN = re.compile(r"\\pm(?![A-Za-z])|\+\s?/\s?[-−]|\+[-−]")
_SIGN_SCALED = re.compile(r"(?:\d+(?:\.\d+)?[万萬亿億千百만억])+\d*")
_SIGN_PART = re.compile(r"(\d+(?:\.\d+)?)([万萬亿億千百만억]?)")
_NEGATIVE = re.compile(r"(^\s*|[=:]\s*|\b(?:is|are|was|ist|est|es|è|é)\s+)(?:minus|negative)\s+(?=\d)", re.IGNORECASE)
_NEGATIVE_WORD = re.compile(r"\b(?:minus|negative|moins|menos|meno|минус)\s+\Z", re.IGNORECASE)
_HALVES = (
    (re.compile(r"\b(?:an?|one)\s+(\w+)\s+and\s+a\s+half\b", re.IGNORECASE), r"1.5 \1"),
    (
        re.compile(
            r"\bhalf\s+(?:an?|of\s+an?)\s+(?=(?:hour|minute|day|year|mile|meter|metre|inch|pound|dozen)\b)",
            re.IGNORECASE,
        ),
        "0.5 ",
    ),
    (re.compile(r"\btwice\b(?!\s+(?:as|the|that|more|a\b))", re.IGNORECASE), "2 times"),
    (re.compile(r"\bthrice\b", re.IGNORECASE), "3 times"),
    (re.compile(r"\b(?:a\s+)?quarter\s+of\s+an?\s+(?=(?:hour|mile|inch|pound)\b)", re.IGNORECASE), "0.25 "),
)
_TOGETHER = re.compile(r"\s*(?:,?\s*(?:and|und|et|y|e|en|и)?\s*)\Z", re.IGNORECASE)
_FRACTION_SIGNS = {
    ord(sign): f" {unicodedata.normalize('NFKC', sign).replace(chr(0x2044), '/')}" for sign in "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
}
_POWER_OF_TEN = re.compile("(?<=10)[⁺⁻]?[⁰¹²³⁴-⁹]+")
_PRIMES = re.compile(r"(?<![\w'])(\d+)\s?['′]\s?(\d+(?:\.\d+)?)\s?(?:\"|″|'')")
_CLOCK_SPAN = re.compile(r"(?<![\w:])(\d+)\s?h(?:rs?)?\s?(\d{1,2})(?:\s?m(?:in)?)?(?![\w:])")
_DECADE = re.compile(r"\d{3}0s\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number, and what stands around it.

    Attributes:
        value: Exact as written.
        step: The place value of its last decimal, 0 where it has none: how exactly it may be meant.
        digits: How many significant digits it is written with.
        upper: The other end, where it is a range.
        spread: What follows ±, where something does.
    """

    value: Fraction
    percent: bool = False
    unit: Unit | None = None
    step: Fraction = Fraction(0)
    digits: int = _MOST_DIGITS
    upper: Fraction | None = None
    spread: Fraction | None = None


_ONCE, _EXACT = Fraction(1), Fraction(0)


@dataclass(frozen=True, slots=True)
class _Found:
    start: int
    end: int
    quantity: Quantity


def key(value: Fraction | float) -> float | Fraction:
    """Returns the representative of all numbers that are the same as this one."""
    if isinstance(value, float):
        if not math.isfinite(value):
            return value
        if abs(value) >= _LONG and value.is_integer():
            return int(Decimal(repr(value)))
    elif value.denominator == 1:
        whole = value.numerator
        return float(whole) if -_LONG < whole < _LONG else whole
    try:
        written = f"{float(value):.{_SIGNIFICANT}g}"
    except OverflowError:
        return value
    return int(Decimal(written)) if abs(value) >= _LONG else float(written) + 0.0


def shown(value: Fraction | float) -> int | float:
    """Returns the number as it is shown: whole numbers without a point."""
    rounded = key(value)
    if isinstance(rounded, int):
        return rounded
    if isinstance(rounded, Fraction):
        return int(rounded)
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded


def is_plain(text: str) -> bool:
    """Tells whether a text is one number in digits and nothing else, not even a space: it says no more than that."""
    return _PLAIN.fullmatch(text) is not None


def found(text: str, *, comma_is_point: bool = False) -> list[tuple[int, Quantity]]:
    """Returns every number of a text with its position, in order; digits first, words where there are no digits.

    Args:
        text: Of any length; what exceeds a bound is not looked at.
        comma_is_point: The language of the text writes three and a half as 3,5.
    """
    plain = _plain(text[:_LONGEST_CHARS])
    quantities = [
        _Found(match.start(), *_with_unit(plain, match.end(), quantity))
        for match in _NUMBER.finditer(plain)
        if (quantity := _quantity(match, comma_is_point)) is not None
    ]
    if not quantities:
        for pattern, replacement in _HALVES:
            if pattern.search(plain):
                return found(pattern.sub(replacement, plain))
        quantities = [
            _Found(start, *_with_unit(plain, end, Quantity(value=_signed(plain, start, value))))
            for start, end, value in spelled.found(plain)
        ]
    return [(each.start, each.quantity) for each in _joined(plain, quantities)]


def stated(text: str, *, comma_is_point: bool = False) -> Quantity | None:
    """Returns the number that a short marked answer states: the one after the last `=`, else the first."""
    quantities = found(text, comma_is_point=comma_is_point)
    if not quantities:
        return None
    equals = max(text.rfind("="), text.rfind("≈"))
    after = [quantity for position, quantity in quantities if position > equals]
    return after[0] if after else quantities[0][1]


def entire(text: str, *, comma_is_point: bool = False) -> Quantity | None:
    """Returns the number that a text is, its unit included; None where there is more to it than a number."""
    if text.isascii() and text.isalnum():
        if text.isdecimal():
            return _whole(text)
        if text.isalpha() and not spelled.is_number(text.lower()):
            return None
    bare = _plain(text.strip().replace("\\$", "$").replace("\\%", "%")).strip().rstrip(".").strip()
    if bare.endswith("$") and bare.startswith("$"):
        bare = bare.strip("$").strip()
    if len(bare) > _MOST_DIGITS or not bare:
        return None
    match = _NUMBER.match(bare)
    if match is None:
        return _entire_words(bare)
    quantity = _quantity(match, comma_is_point)
    if quantity is None:
        return None
    end, quantity = _with_unit(bare, match.end(), quantity)
    return quantity if not bare[end:].strip(" .}") else None


def _whole(digits: str) -> Quantity | None:
    """Returns the number that nothing but digits are: what most replies are that are a number."""
    if len(digits) > _MOST_DIGITS:
        return None
    return Quantity(value=Fraction(int(digits)), digits=len(digits.lstrip("0")))


def _entire_words(bare: str) -> Quantity | None:
    if bare.isascii() and not spelled.may_begin(bare):
        return None
    words = spelled.found(bare)
    if len(words) != 1:
        return None
    start, end, value = words[0]
    sign = _NEGATIVE_WORD.search(bare[:start])
    end, quantity = _with_unit(bare, end, Quantity(value=-value if sign else value))
    return quantity if not bare[: sign.start() if sign else start].strip() and end == len(bare) else None


def _signed(text: str, start: int, value: Fraction) -> Fraction:
    return -value if _NEGATIVE_WORD.search(text[max(0, start - 12) : start]) else value


def _multiplied(match: re.Match[str]) -> str:
    """Returns 35000 for 3万5千: the parts below ten thousand are gathered before they are multiplied."""
    total = section = Fraction(0)
    for digits, sign in _SIGN_PART.findall(match[0]):
        scale = spelled.SIGN_SCALES.get(sign, 1)
        if scale >= 10**4:
            total, section = total + (section + Fraction(digits)) * scale, Fraction(0)
        else:
            section += Fraction(digits) * scale
    value = total + section
    return str(value) if value.denominator == 1 else match[0]


def _plain(text: str) -> str:
    """Returns a text with signs for fractions spelled, and every digit and sign in its usual form."""
    if not text.isascii():
        text = _POWER_OF_TEN.sub(lambda match: f"^{match[0]}", text)
    plain = unicodedata.normalize("NFKC", text.translate(_FRACTION_SIGNS))
    if "+" in plain or "\\pm" in plain:
        plain = _PLUS_MINUS_WRITTEN.sub("±", plain)
    if not plain.isascii():
        plain = _SIGN_SCALED.sub(_multiplied, plain)
    if "minus" in plain or "egative" in plain:
        plain = _NEGATIVE.sub(r"\1-", plain)
    if "'" in plain or "′" in plain:
        plain = _PRIMES.sub(r"\1 feet \2 inches", plain)
    return _CLOCK_SPAN.sub(r"\1 hours \2 minutes", plain) if "h" in plain else plain


def _quantity(match: re.Match[str], comma_is_point: bool) -> Quantity | None:
    currency = (match["currency"] or "").strip().strip("\\.").lower()
    digits = _written(match, comma_is_point and currency not in _POINTED)
    if digits is None:
        value = _fraction(match)
        if value is None:
            return None
        decimals, significant = 0, _MOST_DIGITS
    else:
        if len(digits) > _MOST_DIGITS:
            return None
        whole, _, behind = digits.partition(".")
        decimals = len(behind)
        value = Fraction(int(whole + behind), 10**decimals) if decimals else Fraction(int(whole))
        significant = len((whole + behind).lstrip("0"))
    goes_on = match.lastgroup != "plain"
    scale = _scale(match) if goes_on else _ONCE
    if scale is None:
        return None
    if match["minus"] or match["sign"] in ("-", "−", "–"):
        value = -value
    return Quantity(
        value=value if scale is _ONCE else value * scale,
        percent=goes_on and match["percent"] is not None,
        unit=units.named(_SIGN_WORDS.get(currency, currency)) if currency else None,
        step=Fraction(1, 10**decimals) * scale if decimals else _EXACT,
        digits=significant,
    )


def _written(match: re.Match[str], comma_is_point: bool) -> str | None:
    """Returns the digits of a number with a point for its decimals, None where it is a fraction."""
    if match["plain"]:
        return match["plain"]
    if match["grouped"]:
        first = match["grouped"].partition(match["gap"])
        if comma_is_point and match["gap"] == "," and match["grouped"].count(",") == 1 and "." not in match["grouped"]:
            return f"{first[0]}.{first[2]}"
        digits = match["grouped"].replace(match["gap"], "")
        return digits.replace(",", ".")
    if match["indian"]:
        return match["indian"].replace(",", "")
    if match["dotted"]:
        return match["dotted"].replace(".", "").replace(",", ".")
    if match["comma"]:
        return match["comma"].replace(",", ".")
    if match["three"]:
        return match["three"].replace("." if comma_is_point else ",", "").replace(",", ".")
    return None


def _fraction(match: re.Match[str]) -> Fraction | None:
    if match["num"]:
        return Fraction(match["num"]) / Fraction(match["den"]) if Fraction(match["den"]) else None
    if match["whole"]:
        return Fraction(match["whole"]) + Fraction(int(match["above"]), int(match["below"]))
    return Fraction(match["over"].replace(",", ".")) / Fraction(match["under"])


def _scale(match: re.Match[str]) -> Fraction | None:
    """Returns by what a number is multiplied, None where that is beyond all use."""
    scale = _ONCE
    for power in (match["exponent"], match["power"]):
        if power is not None:
            exponent = int(power.replace("−", "-")) if len(power) < 5 else _MOST_DIGITS + 1
            if abs(exponent) > _MOST_DIGITS:
                return None
            scale *= Fraction(10) ** exponent
    if match["scale"]:
        scale *= spelled.SCALES[match["scale"].lower()]
    elif match["signs"]:
        scale *= spelled.SIGN_SCALES[match["signs"]]
    elif short := match["short"] or match["kilo"] or match["abbreviated"]:
        scale *= Fraction(10) ** _SHORT_SCALES[short.lower()]
    return scale


def _with_unit(text: str, end: int, quantity: Quantity) -> tuple[int, Quantity]:
    if text[end - 1 : end].isspace():
        end -= 1
    if end == len(text):
        return end, quantity
    if _DECADE.match(text, max(0, end - 4)):
        return end, quantity
    unit, after = units.after(text, end)
    return (after, replace(quantity, unit=quantity.unit or unit)) if unit is not None else (end, quantity)


def _joined(text: str, quantities: list[_Found]) -> list[_Found]:
    """Returns the quantities, those joined that say one thing: 5 to 10 km, 3 ± 1, 2 hours and 30 minutes."""
    joined: list[_Found] = []
    for each in quantities:
        last = joined[-1] if joined else None
        one = _one(text, last, each) if last else None
        if last and one:
            joined[-1] = _Found(last.start, each.end, one)
        else:
            joined.append(each)
    return joined


def _one(text: str, last: _Found, each: _Found) -> Quantity | None:
    between = text[last.end : each.start]
    one, other = last.quantity, each.quantity
    if len(between) > 12 or one.upper is not None or one.spread is not None:
        return None
    if _PLUS_MINUS.match(between):
        return replace(one, spread=other.value, unit=one.unit or other.unit, percent=other.percent or one.percent)
    if _is_range(text, last, each, between):
        return replace(one, upper=abs(other.value), unit=other.unit or one.unit, percent=other.percent or one.percent)
    if one.unit is None or other.unit is None or not _TOGETHER.match(between):
        return None
    smaller = one.unit.dimension == other.unit.dimension and other.unit.factor < one.unit.factor
    if not smaller or one.unit.zero or other.value * other.unit.factor >= one.unit.factor or other.value < 0:
        return None
    return replace(one, value=one.value + other.value * other.unit.factor / one.unit.factor, step=Fraction(0))


def _is_range(text: str, last: _Found, each: _Found, between: str) -> bool:
    sign = text[each.start : each.start + 1]
    dashed = not between.strip() and sign in "-−–—" and each.quantity.value < 0
    named = _BETWEEN.match(between) or (
        _BETWEEN_AND.match(between) and _OPENS_BETWEEN.search(text[max(0, last.start - 12) : last.start])
    )
    if not (dashed or named) or last.quantity.value >= abs(each.quantity.value):
        return False
    rest = text[each.end :].lstrip()
    return not rest.startswith(("=", "-", "+", "*", "/")) and not re.search(r"[=+*/×÷]\s*$", text[: last.start])
