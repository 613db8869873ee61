"""Arithmetic: expressions, small questions in words, and very easy word problems."""

from __future__ import annotations

import re
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow

_CONTEXT = Context(prec=28, traps=[DivisionByZero, InvalidOperation, Overflow])
_WORDS = {
    "plus": "+",
    "added to": "+",
    "minus": "-",
    "times": "*",
    "multiplied by": "*",
    "divided by": "/",
    "squared": "^2",
    "cubed": "^3",
    "to the power of": "^",
    "×": "*",
    "·": "*",
    "÷": "/",
    "−": "-",
    "–": "-",
    "**": "^",
}
_COUNTING = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen twenty
"""
_NUMBERS = {word: str(number) for number, word in enumerate(_COUNTING.split())} | {
    "thirty": "30",
    "forty": "40",
    "fifty": "50",
    "a hundred": "100",
    "a dozen": "12",
}
_WORDED = re.compile("|".join(rf"\b{re.escape(w)}\b" if w[0].isalpha() else re.escape(w) for w in _WORDS), re.I)
_NUMBER_WORDS = re.compile("|".join(rf"\b{word}\b" for word in _NUMBERS), re.I)
_EXPRESSION = re.compile(r"[-+(]*\s*\d[\d.,]*(?:\s*[-+*/^%()]\s*|\s*x\s*(?=\d)|[\d.,]+)*[\d)]")
_TOKEN = re.compile(r"\d+(?:\.\d+)?|[-+*/^()]")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*(?:%|percent) of (\d+(?:\.\d+)?)", re.I)
_ROOT = re.compile(r"square root of (\d+(?:\.\d+)?)", re.I)
_SUM = re.compile(r"\b(sum|total|product|average|mean|largest|biggest|smallest|maximum|minimum) of\b(.*)", re.I | re.S)
_GAINS = re.compile(
    r"\b(buys?|bought|gets?|got|finds?|found|receives?|received|picks?|picked|adds?|added|more|gains?|joins?|joined|given|wins?|won)\b",
    re.I,
)
_LOSSES = re.compile(
    r"\b(eats?|ate|gives?|gave|loses?|lost|sells?|sold|spends?|spent|uses?|used|leaves?|left the|breaks?"
    r"|broke|throws?|threw|drops?|donates?|takes? away)\b",
    re.I,
)
_TOO_HARD = re.compile(
    r"\b(each|every|per|half|twice|double|triple|third|quarter|percent|times|average|week|day|hour|minute)\b|%", re.I
)


def solved(question: str) -> tuple[str, str] | None:
    """Returns what was computed and its value, such as ("17 * 23", "391"); None where there is nothing to compute."""
    text = _spelled(question[:2000])
    for skill in (_percentage, _root, _listed, _expression, _story):
        found = skill(text)
        if found is not None:
            return found
    return None


def evaluated(expression: str) -> str | None:
    """Returns the value of an expression of numbers, + - * / ^ and brackets; None where it has none."""
    tokens = _TOKEN.findall(expression.replace(",", ""))
    try:
        value, rest = _sum(tokens)
    except (ValueError, IndexError, ArithmeticError, RecursionError):
        return None
    return written(value) if not rest and abs(value) < Decimal(10) ** 60 else None


def written(value: Decimal) -> str:
    """Returns a number without needless zeros, rounded to ten places: 391, 0.5, 3.3333333333."""
    rounded = round(value, 10) if abs(value) < Decimal(10) ** 15 else value
    text = format(rounded, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def other_numbers(value: str) -> tuple[str, ...]:
    """Returns numbers that one could take for this one: off by ten, by one, digits swapped."""
    number = Decimal(value)
    step = Decimal(10) if abs(number) >= 20 else Decimal(2)
    swapped = value[:-2] + value[-1] + value[-2] if value[-2:].isdecimal() and len(value) > 1 else ""
    candidates = [written(number - step), written(number + 1), written(number + step), swapped, written(number - 1)]
    return tuple(dict.fromkeys(other for other in candidates if other not in ("", value)))


def _spelled(text: str) -> str:
    text = _WORDED.sub(lambda match: f" {_WORDS[match.group().lower()]} ", text)
    return _NUMBER_WORDS.sub(lambda match: _NUMBERS[match.group().lower()], text)


def _percentage(text: str) -> tuple[str, str] | None:
    found = _PERCENT.search(text)
    if found is None:
        return None
    return found.group(), written(
        _CONTEXT.divide(_CONTEXT.multiply(Decimal(found[1]), Decimal(found[2])), Decimal(100))
    )


def _root(text: str) -> tuple[str, str] | None:
    found = _ROOT.search(text)
    return (f"the {found.group()}", written(Decimal(found[1]).sqrt(_CONTEXT))) if found else None


def _listed(text: str) -> tuple[str, str] | None:
    found = _SUM.search(text)
    if found is None:
        return None
    numbers = [Decimal(item) for item in re.findall(r"-?\d+(?:\.\d+)?", found[2])]
    if len(numbers) < 2:
        return None
    shown = f"the {found[1].lower()} of {', '.join(written(number) for number in numbers)}"
    match found[1].lower():
        case "sum" | "total":
            value = sum(numbers, Decimal(0))
        case "product":
            value = Decimal(1)
            for number in numbers:
                value = _CONTEXT.multiply(value, number)
        case "average" | "mean":
            value = _CONTEXT.divide(sum(numbers, Decimal(0)), Decimal(len(numbers)))
        case "largest" | "biggest" | "maximum":
            value = max(numbers)
        case _:
            value = min(numbers)
    return shown, written(value)


def _expression(text: str) -> tuple[str, str] | None:
    for match in _EXPRESSION.finditer(text):
        shown = re.sub(r"\s+", " ", match.group()).strip()
        expression = re.sub(r"\s*x\s*", " * ", shown)
        if not re.search(r"\d\s*[-+*/^]\s*[-(]*\d|\)\s*[-+*/^]|[-+*/^]\s*\(", expression) or _dated(shown):
            continue
        value = evaluated(expression)
        if value is not None:
            return expression.replace("^", "**"), value
    return None


def _dated(shown: str) -> bool:
    return re.fullmatch(r"\d{1,4}([-/])\d{1,2}(\1\d{1,4})?|\d{3,}(-\d{2,})+", shown) is not None


def _story(text: str) -> tuple[str, str] | None:
    """Adds and takes away along a story such as "Anna has 5 apples, buys 3 more and eats 2. How many …?"."""
    if not re.search(r"\bhow (many|much)\b", text, re.I):
        return None
    if _TOO_HARD.search(text):
        return _of_each(text)
    terms: list[str] = []
    for clause in re.split(r"[.,;?!]|\band\b|\bthen\b|\bbut\b", text):
        numbers = re.findall(r"\d+(?:\.\d+)?", clause)
        if len(numbers) > 1:
            return None
        if numbers and _LOSSES.search(clause):
            terms.append(f"- {numbers[0]}")
        elif numbers and (_GAINS.search(clause) or not terms):
            terms.append(f"+ {numbers[0]}")
        elif numbers:
            return None
    expression = " ".join(terms).removeprefix("+ ")
    value = evaluated(expression) if len(terms) > 1 else None
    return (expression, value) if value is not None else None


def _of_each(text: str) -> tuple[str, str] | None:
    """Multiplies in "Pens cost 2 each. How much are 5 pens?", where there are no other numbers."""
    numbers = re.findall(r"\d+(?:\.\d+)?", text)
    if len(numbers) != 2 or len(_TOO_HARD.findall(text)) != 1 or not re.search(r"\beach\b", text, re.I):
        return None
    expression = f"{numbers[0]} * {numbers[1]}"
    value = evaluated(expression)
    return (expression, value) if value is not None else None


def _sum(tokens: list[str]) -> tuple[Decimal, list[str]]:
    value, rest = _product(tokens)
    while rest and rest[0] in "+-":
        right, after = _product(rest[1:])
        value = _CONTEXT.add(value, right) if rest[0] == "+" else _CONTEXT.subtract(value, right)
        rest = after
    return value, rest


def _product(tokens: list[str]) -> tuple[Decimal, list[str]]:
    value, rest = _power(tokens)
    while rest and rest[0] in "*/":
        right, after = _power(rest[1:])
        value = _CONTEXT.multiply(value, right) if rest[0] == "*" else _CONTEXT.divide(value, right)
        rest = after
    return value, rest


def _power(tokens: list[str]) -> tuple[Decimal, list[str]]:
    if tokens[0] == "-":
        value, rest = _power(tokens[1:])
        return -value, rest
    value, rest = _atom(tokens)
    if rest and rest[0] == "^":
        exponent, rest = _power(rest[1:])
        if abs(exponent) > 1000:
            raise ValueError("too large")
        value = _CONTEXT.power(value, exponent)
    return value, rest


def _atom(tokens: list[str]) -> tuple[Decimal, list[str]]:
    if tokens[0] == "(":
        value, rest = _sum(tokens[1:])
        if rest[0] != ")":
            raise ValueError("a bracket is not closed")
        return value, rest[1:]
    return Decimal(tokens[0]), tokens[1:]
