r"""One plain notation for mathematics: LaTeX, Unicode signs and keyboard spellings come out the same.

What says nothing is left out: sizes, spaces, fonts, dollar signs, degrees, final stops. Braces that are meant, as those
of a set, become `⟦⟧`, so that the braces of LaTeX are grouping only; words within formulas stand in `«»`.
"""

from __future__ import annotations

import re
import unicodedata

_SIGNS = str.maketrans(
    {
        "−": "-", "–": "-", "—": "-", "×": "*", "·": "*", "⋅": "*", "∙": "*", "÷": "/", "∞": "∞", "π": r"\pi ",
        "√": r"\sqrt ", "∅": " ⟦⟧ ", "ℝ": r"\reals ",
        "θ": r"\theta ", "°": "", "〈": "⟨", "〉": "⟩", "≃": "≈", "≒": "≈", "~": " ",
    }
)  # fmt: skip
_RAISED = re.compile("[⁺⁻]?[⁰¹²³⁴-⁹ⁿ]+")
_LOWERED = re.compile("[₀-₉]+")
_EMPTY = (
    "left right bigl bigr Bigl Bigr big Big displaystyle textstyle limits quad qquad degree ! : ; > space % $ ( ) [ ] "
    "hspace nonumber"
)
_COMMANDS: dict[str, str] = dict.fromkeys(_EMPTY.split(), " ") | {
    "%": "", "$": "", "!": "", " ": " ", "\n": " ", "degree": "", "{": " ⟦", "}": "⟧ ", "lbrace": " ⟦", "rbrace": "⟧ ",
    "langle": " ⟨", "rangle": "⟩ ", "varnothing": " ⟦⟧ ", "emptyset": " ⟦⟧ ", "vert": "|", "lvert": "|", "rvert": "|",
    "|": "|", "Vert": "|", "le": "≤", "leq": "≤", "leqslant": "≤", "ge": "≥", "geq": "≥", "geqslant": "≥", "ne": "≠",
    "neq": "≠", "approx": "≈", "simeq": "≈", "lt": "<", "gt": ">", "cup": "∪", "bigcup": "∪", "cap": "∩", "in": "∈",
    "pm": "±", "mp": "∓", "infty": "∞", "R": r"\reals ", "Reals": r"\reals ", "colon": ":",
}  # fmt: skip
for _function in "sin cos tan cot sec csc log ln exp arcsin arccos arctan sinh cosh".split():  # noqa: SIM905
    _COMMANDS[_function] = f" {_function} "
_COMMAND = re.compile(r"\\([A-Za-z]+|[^,])", re.DOTALL)
_THIN_SPACE = re.compile(r"\\,(?!\d{3}(?!\d))")
_DEGREES = re.compile(r"\^\s*\{?\s*\\(?:circ|degree)\s*\}?")
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{(.*)\}\s*\Z", re.DOTALL)
_OPERATOR = re.compile(r"\\(?:operatorname|mathrm)\s*\{\s*([a-z]{2,6})\s*\}")
_REALS = re.compile(r"\\mathbb\s*\{?\s*R\s*\}?")
_FONT = re.compile(r"\\(?:text|mathrm|mathbf|textbf|mbox|textrm|mathit|textit|textnormal)\s*\{([^{}]*)\}")
_REPEATING = re.compile(r"(\d{1,20})\.(\d{0,20})\\overline\s*\{(\d{1,20})\}")
_SPELLED = (
    ("<=", "≤"), (">=", "≥"), ("!=", "≠"), ("+/-", "±"), ("+-", "±"), ("$", " "), ("infinity", "∞"),
)  # fmt: skip
_UNION = re.compile(r"(?<=[\])⟧])\s*U\s*(?=[\[(⟦])")
FUNCTIONS = frozenset(("sin", "cos", "tan", "cot", "sec", "csc", "log", "ln", "arcsin", "arccos", "arctan"))
_CONNECTIVES = ("and", "or")
ROW_END = "⏎"


def plain(text: str) -> str:
    """Returns a mathematical answer in plain notation."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _raised(text).translate(_SIGNS))
    written = text.translate(_SIGNS)
    if "\\" in written:
        written = _without_commands(written)
    for sign, replacement in _SPELLED:
        if sign in written:
            written = written.replace(sign, replacement)
    if "U" in written:
        written = _UNION.sub("∪", written)
    return " ".join(written.split()).strip().rstrip(".,;:").strip()


def _raised(text: str) -> str:
    """Returns a text with its raised and lowered signs as powers and indices."""
    raised = _RAISED.sub(lambda match: f"^{{{unicodedata.normalize('NFKC', match[0])}}}", text)
    return _LOWERED.sub(lambda match: f"_{{{unicodedata.normalize('NFKC', match[0])}}}", raised)


def _without_commands(written: str) -> str:
    if r"\begin" in written:
        written = written.replace(r"\\", f" {ROW_END} ")
    if r"\overline" in written:
        written = _REPEATING.sub(_as_fraction, written)
    written = _BOXED.sub(r"\1", _DEGREES.sub("", written))
    written = _REALS.sub(r"\\reals ", _OPERATOR.sub(_function_or_words, written))
    written = _THIN_SPACE.sub(" ", _FONT.sub(_words, written))
    return _COMMAND.sub(lambda match: _COMMANDS.get(match[1], match[0]), written)


def _function_or_words(match: re.Match[str]) -> str:
    return f" {match[1]} " if match[1] in FUNCTIONS else match[0]


def _words(match: re.Match[str]) -> str:
    words = match[1].strip()
    return f" {words} " if words in _CONNECTIVES else f" «{match[1]}» "


def _as_fraction(match: re.Match[str]) -> str:
    """Returns a repeating decimal as a fraction."""
    whole, fixed, repeated = match.groups()
    below = (10 ** len(repeated) - 1) * 10 ** len(fixed)
    above = int(whole + fixed + repeated) - int(whole + fixed)
    return f"\\frac{{{above}}}{{{below}}}"
