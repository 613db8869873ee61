r"""Numbers as models write them: separators, signs, currency, percent, fractions, powers of ten, words.

Two numbers are the same when they agree in nine significant digits. Rounding makes that an equivalence relation.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS = {word: float(value) for value, word in enumerate(_UNITS)}
_WORDS |= {word: 10.0 * value for value, word in enumerate(_TENS, start=2)}
_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "dozen": 12.0}
_SHORT_SCALES = {"k": 1e3, "m": 1e6, "mn": 1e6, "bn": 1e9, "b": 1e9}
_SIGNIFICANT = 9

_NUMBER = re.compile(
    r"""
    (?<![\w.])(?P<sign>[-−–+](?=\s?[$€£¥₹]?\s?[\d.\\]))?\s?
    (?P<currency>[$€£¥₹]\s?|(?:USD|EUR|GBP)\s)?
    (?P<minus>[-−])?
    (?:
        \\[dt]?frac\s*\{?\s*(?P<num>-?\d+(?:\.\d+)?)\s*\}?\s*\{?\s*(?P<den>\d+(?:\.\d+)?)\s*\}?
      | (?P<whole>\d+)\s+(?P<above>\d+)\s*/\s*(?P<below>[1-9]\d*)(?![\d/])
      | (?P<over>\d+(?:\.\d+)?)\s*/\s*(?P<under>[1-9]\d*(?:\.\d+)?)(?![\d/])
      | (?P<grouped>\d{1,3}(?:(?:,|\\,|\{,\}|['’\u00a0\u2009\u202f\x20])\d{3})+(?:\.\d+)?(?!\d))
      | (?P<european>\d{1,3}(?:\.\d{3})+,\d+|\d+,\d{1,2}(?![\d,]))
      | (?P<plain>\d+(?:\.\d+)?|\.\d+)
    )
    (?:(?P<e>[eE](?P<exponent>[-+]?\d+)) | \s?(?:[×x*·]|\\times|\\cdot)\s?10\s?(?:\^|\*\*)\s?\{?(?P<power>[-−]?\d+)\}?)?
    (?:\s?(?P<percent>%|\\%|percent\b|per\ cent\b) | \s?(?P<scale>thousand|million|billion|trillion|hundred|dozen)\b
       | (?P<short>k|bn|mn|[mMB])\b)?
    """,
    re.VERBOSE,
)
_SPELLED = re.compile(
    rf"\b(?:(?:{'|'.join([*_WORDS, *_SCALES])})(?:[\s-]+(?:and\s+)?(?=(?:{'|'.join([*_WORDS, *_SCALES])})\b))?)+\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number, and what stands after it."""

    value: float
    percent: bool = False
    unit: str = ""


def key(value: float) -> float:
    """Returns the representative of all numbers that are the same as this one."""
    return float(f"{value:.{_SIGNIFICANT}g}") + 0.0


def shown(value: float) -> int | float:
    """Returns the number as it is shown: whole numbers without a point."""
    rounded = key(value)
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded


def found(text: str) -> list[tuple[int, Quantity]]:
    """Returns every number of a text with its position, in order; digits first, words where there are no digits."""
    plain = unicodedata.normalize("NFKC", text.translate(_FRACTION_SIGNS))
    quantities = [
        (match.start(), quantity) for match in _NUMBER.finditer(plain) if (quantity := _quantity(match, plain))
    ]
    if quantities:
        return quantities
    return [(match.start(), Quantity(value=_spelled(match[0]))) for match in _SPELLED.finditer(plain)]


def stated(text: str) -> Quantity | None:
    """Returns the number that a short marked answer states: the one after the last `=`, else the first."""
    quantities = found(text)
    if not quantities:
        return None
    equals = max(text.rfind("="), text.rfind("≈"))
    after = [quantity for position, quantity in quantities if position > equals]
    return after[0] if after else quantities[0][1]


def entire(text: str) -> Quantity | None:
    """Returns the number that a text is, None where there is more to it than a number."""
    bare = text.strip().strip("$").replace("\\$", "").strip().rstrip(".").strip()
    match = _NUMBER.fullmatch(bare)
    return _quantity(match, bare) if match else None


_FRACTION_SIGNS = {
    ord(sign): f" {unicodedata.normalize('NFKC', sign).replace(chr(0x2044), '/')}" for sign in "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
}


def _quantity(match: re.Match[str], text: str) -> Quantity | None:
    value = _magnitude(match)
    if value is None:
        return None
    for power in (match["exponent"], match["power"]):
        if power is not None:
            exponent = int(power.replace("−", "-"))
            if abs(exponent) > 300:
                return None
            value *= 10.0**exponent
    if match["scale"]:
        value *= _SCALES[match["scale"].lower()]
    elif match["short"] and match["currency"]:
        value *= _SHORT_SCALES[match["short"].lower()]
    negative = ((match["sign"] or "") in ("-", "−", "–") and match["sign"]) or match["minus"]
    after = _UNIT_AFTER.match(text, match.end())
    unit = "dollar" if "$" in (match["currency"] or "") else after[1].lower() if after else ""
    return Quantity(value=-value if negative else value, percent=match["percent"] is not None, unit=unit)


_UNIT_AFTER = re.compile(r"\s?(?:\\text\{\s*)?([A-Za-zµ°²³]{1,12})\b")


def _magnitude(match: re.Match[str]) -> float | None:
    if match["num"]:
        return float(match["num"]) / float(match["den"]) if float(match["den"]) else None
    if match["whole"]:
        return float(match["whole"]) + float(match["above"]) / float(match["below"])
    if match["over"]:
        return float(match["over"]) / float(match["under"])
    if match["grouped"]:
        return float(re.sub(r"[^\d.]", "", match["grouped"]))
    if match["european"]:
        return float(match["european"].replace(".", "").replace(",", "."))
    digits = match["plain"]
    return float(digits) if len(digits) < 300 else None


def _spelled(words: str) -> float:
    total = current = 0.0
    for word in re.findall(r"[a-z]+", words.lower()):
        if word in _WORDS:
            current += _WORDS[word]
        elif word in ("hundred", "dozen"):
            current = (current or 1.0) * _SCALES[word]
        elif word in _SCALES:
            total, current = total + (current or 1.0) * _SCALES[word], 0.0
    return total + current
