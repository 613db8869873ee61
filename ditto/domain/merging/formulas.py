r"""Formulas in LaTeX or plain notation, evaluated, so that `\frac{x}{2}` and `0.5x` come out as the same.

A formula is read by a small parser and evaluated on the way: constants exactly as long as they are rational, variables
at fixed points. Two formulas that agree at the points are the same function as far as anyone would notice (the chance
of a coincidence is that of nine equal digits, twice); comparing rounded values is an equivalence by construction.
Nothing is ever executed. A formula that is too long, too deep or grows too large is not read.
"""

from __future__ import annotations

import cmath
import math
import re
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from zlib import crc32

Value = Fraction | complex
"""Exact while it is rational."""

Values = tuple[Value, ...]
"""The value at each point."""

_POINTS = 2
_LONGEST_CHARS = 400
_DEEPEST = 40
_MAX_BITS = 4096
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>\d{1,3}(?:(?:\{,\}|,\\!|\\,|,)\d{3})+(?:\.\d+)?(?![\d,]) | \d+(?:\.\d+)? | \.\d+)
      | (?P<command>\\[A-Za-z]+)
      | (?P<word>[A-Za-z]+)
      | (?P<greek>[α-ωΓΔΘΛΞΠΣΦΨΩ])
      | (?P<sign>\*\*|[-+*/^_!|()\[\]{},])
    )""",
    re.VERBOSE,
)
_FUNCTIONS: dict[str, Callable[[complex], complex]] = {
    "sin": cmath.sin, "cos": cmath.cos, "tan": cmath.tan, "exp": cmath.exp, "ln": cmath.log,
    "arcsin": cmath.asin, "arccos": cmath.acos, "arctan": cmath.atan, "sinh": cmath.sinh, "cosh": cmath.cosh,
    "sec": lambda x: 1 / cmath.cos(x), "csc": lambda x: 1 / cmath.sin(x), "cot": lambda x: 1 / cmath.tan(x),
}  # fmt: skip
_CONSTANTS: dict[str, complex] = {"pi": math.pi, "e": math.e, "i": 1j}
_GREEK_NAMES = """
alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho sigma tau phi varphi
chi psi omega Gamma Delta Theta Lambda Xi Sigma Phi Psi Omega ell
"""
_GREEK = frozenset(_GREEK_NAMES.split())
_NAMES = frozenset(("sqrt", "log", "pi", *_FUNCTIONS))
_BINOMIALS = ("binom", "dbinom", "tbinom")
_FRACTIONS = ("frac", "dfrac", "tfrac", "cfrac")
_TIMES = ("*", "\\cdot", "\\times", "\\ast")
_OVER = ("/", "\\div")
_PRODUCTS = ("xyz", "abc")
_SHORT_WORDS = "am an as at be by do go he if in is it me my no of oh ok on or so to up us we"
_NOT_PRODUCTS = frozenset(_SHORT_WORDS.split())


class NoFormula(Exception):
    """The text is no formula that can be read."""


def evaluated(text: str) -> tuple[Values, frozenset[str]]:
    """Returns the values of a formula at the points, and its variables.

    Args:
        text: As `plain` leaves it: no signs outside ASCII but Greek letters, no spacing commands.

    Raises:
        NoFormula: The text is none, or its value is not finite.
    """
    if len(text) > _LONGEST_CHARS:
        raise NoFormula("too long")
    reader = _Reader(_tokens(text))
    try:
        values = reader.sum()
        finite = all(cmath.isfinite(complex(value)) for value in values)
    except (ArithmeticError, ValueError) as error:
        raise NoFormula(str(error)) from error
    if reader.kind or not finite:
        raise NoFormula("no value")
    return values, frozenset(reader.variables)


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise NoFormula("a sign that no formula has")
        kind, found = match.lastgroup, match[match.lastgroup]
        if kind == "word" and found not in _NAMES:
            tokens.extend(("word", letter) for letter in _letters(found))
        else:
            tokens.append((kind, found))
        position = match.end()
    return tokens


def _letters(word: str) -> str:
    """Returns the variables that are written together, as in `xy`."""
    if (len(word) > 2 and word not in _PRODUCTS) or word.lower() in _NOT_PRODUCTS:
        raise NoFormula("a word")
    return word


class _Reader:
    """A recursive descent over the tokens; every method returns the values of what it reads."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self._in_bars = False
        self.variables: set[str] = set()

    @property
    def kind(self) -> str:
        """What the next token is, nothing at the end."""
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    @property
    def _text(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def sum(self) -> Values:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise NoFormula("nested too deeply")
        total = self._product()
        while self._text in ("+", "-"):
            sign = self._next()
            other = self._product()
            total = _each(_plus if sign == "+" else _minus, total, other)
        self._depth -= 1
        return total

    def _product(self) -> Values:
        if self._text in ("+", "-"):
            return self._product_signed()
        total = self._power()
        while True:
            if self._text in _TIMES:
                self._at += 1
                total = _each(_times, total, self._signed_power())
            elif self._text in _OVER:
                self._at += 1
                total = _each(_over, total, self._signed_power())
            elif self._starts_factor():
                total = _each(_times, total, self._power())
            else:
                return total

    def _product_signed(self) -> Values:
        sign = self._next()
        value = self._product()
        return value if sign == "+" else _each(_minus, _constant(Fraction(0)), value)

    def _signed_power(self) -> Values:
        if self._text in ("+", "-"):
            sign = self._next()
            value = self._power()
            return value if sign == "+" else _each(_minus, _constant(Fraction(0)), value)
        return self._power()

    def _power(self) -> Values:
        base = self._factor()
        while self._text == "!":
            self._at += 1
            base = tuple(_kept(_factorial(value)) for value in base)
        if self._text in ("^", "**"):
            self._at += 1
            base = _each(_raised, base, self._signed_power())
        return base

    def _starts_factor(self) -> bool:
        if self.kind in ("number", "word", "greek"):
            return True
        if self.kind == "command":
            name = self._text[1:]
            return name in _FRACTIONS or name in _NAMES or name in _GREEK or name in _BINOMIALS
        return self._text in ("(", "[", "{") or (self._text == "|" and not self._in_bars)

    def _factor(self) -> Values:
        kind, text = self.kind, self._text
        self._at += 1
        if kind == "number":
            return self._mixed(Fraction(re.sub(r"[^\d.]", "", text)))
        if kind == "command":
            return self._command(text[1:])
        if kind == "word":
            return self._word(text)
        if kind == "greek":
            return _constant(_CONSTANTS["pi"]) if text == "π" else self._variable(text)
        if text in ("(", "[", "{"):
            return self._bracketed({"(": ")", "[": "]", "{": "}"}[text])
        if text == "|":
            return self._bars()
        raise NoFormula("no factor")

    def _mixed(self, whole: Fraction) -> Values:
        """Returns a number, together with the fraction that follows it where the two are a mixed number."""
        if self._text == "_":
            self._at += 1
            self._group()
        elif self.kind == "command" and self._text[1:] in _FRACTIONS and whole.denominator == 1:
            self._at += 1
            above, below = self._group(), self._group()
            if all(isinstance(part[0], Fraction) for part in (above, below)):
                return _each(_plus, _constant(whole), _each(_over, above, below))
            return _each(_times, _constant(whole), _each(_over, above, below))
        return _constant(whole)

    def _command(self, name: str) -> Values:
        if name in _FRACTIONS:
            above = self._group()
            return _each(_over, above, self._group())
        if name == "sqrt":
            return self._root()
        if name in _BINOMIALS:
            above = self._group()
            return _each(_choose, above, self._group())
        if name == "pi":
            return _constant(_CONSTANTS["pi"])
        if name == "log" or name in _FUNCTIONS:
            return self._function(name)
        if name in _GREEK:
            return self._variable(name)
        raise NoFormula("an unknown command")

    def _word(self, word: str) -> Values:
        if word == "sqrt":
            return self._root()
        if word == "log" or word in _FUNCTIONS:
            return self._function(word)
        return _constant(_CONSTANTS[word]) if word in _CONSTANTS else self._variable(word)

    def _variable(self, name: str) -> Values:
        if self._text == "_":
            self._at += 1
            name += "_" + self._subscript()
        self.variables.add(name)
        return _at_points(name)

    def _subscript(self) -> str:
        text = self._next()
        if text != "{":
            return text
        parts = []
        while self._text not in ("}", ""):
            parts.append(self._next())
        self._next()
        return "".join(parts)

    def _root(self) -> Values:
        degree = _constant(Fraction(2))
        if self._text == "[":
            self._at += 1
            degree = self._bracketed("]")
        return _each(_raised, self._group(), _each(_over, _constant(Fraction(1)), degree))

    def _function(self, name: str) -> Values:
        base: Values | None = None
        power: Values | None = None
        while self._text in ("_", "^"):
            if self._next() == "_":
                base = self._group()
            else:
                power = self._group()
        value = _mapped(_FUNCTIONS["ln" if name == "log" else name], self._argument())
        if name == "log":
            value = _each(_over, value, _mapped(cmath.log, base or _constant(Fraction(10))))
        return _each(_raised, value, power) if power else value

    def _argument(self) -> Values:
        if self._text in ("(", "{", "[", "|"):
            return self._factor()
        value = self._power()
        while self.kind in ("number", "word", "greek") and self._text not in _FUNCTIONS:
            value = _each(_times, value, self._power())
        return value

    def _group(self) -> Values:
        r"""Returns what stands in braces, or the one sign that stands in their place, as in `\frac12`."""
        kind, text = self.kind, self._text
        if text in ("{", "("):
            self._at += 1
            return self._bracketed("}" if text == "{" else ")")
        if kind == "number" and len(text) > 1:
            self._tokens[self._at] = ("number", text[1:])
            return _constant(Fraction(text[0]))
        return self._factor()

    def _bracketed(self, closing: str) -> Values:
        bars, self._in_bars = self._in_bars, False
        value = self.sum()
        self._in_bars = bars
        if self._next() != closing:
            raise NoFormula("a bracket that is not closed")
        return value

    def _bars(self) -> Values:
        self._in_bars = True
        value = self.sum()
        self._in_bars = False
        if self._next() != "|":
            raise NoFormula("a bar that is not closed")
        return tuple(_kept(abs(each) if isinstance(each, Fraction) else complex(abs(each))) for each in value)

    def _next(self) -> str:
        text = self._text
        self._at += 1
        return text


def _constant(value: Value) -> Values:
    return (value,) * _POINTS


@lru_cache(maxsize=512)
def _at_points(name: str) -> Values:
    """Returns the values of a variable: positive at the first point, of either sign at the others."""
    shares = [crc32(f"{name} at {point}".encode()) / 2**32 for point in range(_POINTS)]
    return tuple(complex(0.3 + 2 * share if not point else 3 * share - 1.6) for point, share in enumerate(shares))


def _each(operation: Callable[[Value, Value], Value], left: Values, right: Values) -> Values:
    return tuple(_kept(operation(one, other)) for one, other in zip(left, right, strict=True))


def _mapped(operation: Callable[[complex], complex], values: Values) -> Values:
    return tuple(_kept(operation(complex(value))) for value in values)


def _kept(value: Value) -> Value:
    if isinstance(value, int | float):
        value = Fraction(value) if isinstance(value, int) else complex(value)
    if isinstance(value, Fraction) and max(value.numerator.bit_length(), value.denominator.bit_length()) > _MAX_BITS:
        raise NoFormula("too large")
    return value


def _plus(one: Value, other: Value) -> Value:
    return one + other


def _minus(one: Value, other: Value) -> Value:
    return one - other


def _times(one: Value, other: Value) -> Value:
    return one * other


def _over(one: Value, other: Value) -> Value:
    return one / other


def _raised(base: Value, power: Value) -> Value:
    if isinstance(base, Fraction) and isinstance(power, Fraction):
        return _rational_power(base, power)
    return complex(base) ** complex(power)


def _rational_power(base: Fraction, power: Fraction) -> Value:
    """Returns a power exactly where it is rational; odd roots of negative numbers are negative."""
    bits = max(base.numerator.bit_length(), base.denominator.bit_length()) * abs(power.numerator)
    if bits > _MAX_BITS:
        raise NoFormula("too large")
    if power.denominator == 1:
        return base ** int(power)
    if base < 0 and power.denominator % 2:
        root = _rational_power(-base, Fraction(1, power.denominator))
        return (-root) ** power.numerator
    if power.denominator == 2 and base >= 0:
        above, below = math.isqrt(base.numerator), math.isqrt(base.denominator)
        if above * above == base.numerator and below * below == base.denominator:
            return Fraction(above, below) ** power.numerator
    return complex(base) ** float(power)


def _factorial(value: Value) -> Value:
    if not isinstance(value, Fraction) or value.denominator != 1 or not 0 <= value <= 300:
        raise NoFormula("no factorial")
    return Fraction(math.factorial(int(value)))


def _choose(above: Value, below: Value) -> Value:
    if not (isinstance(above, Fraction) and isinstance(below, Fraction)):
        raise NoFormula("a binomial of what is no number")
    if above.denominator != 1 or below.denominator != 1 or not 0 <= below <= above <= 1000:
        raise NoFormula("no binomial")
    return Fraction(math.comb(int(above), int(below)))
