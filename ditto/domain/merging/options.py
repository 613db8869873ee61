"""The answers that a question offers, and which of them a reply picks: by letter, by text, by value."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ditto.domain.merging import numbers

_LINE = re.compile(r"^[ \t]*[(\[]?([A-Za-z])[)\].:][ \t]+(\S.*)$", re.MULTILINE)
_INLINE = re.compile(r"(?:(?<=\s)|^)\(?([A-Za-z])\)[ \t]*([^()\n]+?)(?=[,;]?\s+\(?[A-Za-z]\)|[?.]?\s*$|\n)")
_LETTER_FIRST = re.compile(
    r"^\W*(?:(?:option|choice|answer|letter)\W+)?(?:[(\[{]\s*([A-Za-z])\s*[)\]}]|([A-Z])(?:[).:,]|\W*$|(?=\s+[-–—(])))"
)
_LONE_LETTER = re.compile(r"^\W*([A-Za-z])\W*$")
_TEXT_COMMAND = re.compile(r"\\(?:text|mathrm|textbf|mathbf)\{([^{}]*)\}")
_PICKED = re.compile(
    r"\b(?:option|choice|answer)\s+\(?([A-Z])\)?\s+(?:is|would be|seems|appears)\b"
    r"|\(([A-Z])\)\s+is\s+(?:the\s+)?(?:correct|right|best|true|most)"
    r"|\b(?:choose|select|pick|is option|is choice|correct option is|correct choice is)\s+\(?([A-Z])\b\)?"
)
_PAREN = re.compile(r"\(([A-Z])\)")
_NOT_WORD = re.compile(r"[^\w.+-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One offered answer; `label` is empty where a caller lists the allowed answers."""

    label: str
    text: str

    @property
    def name(self) -> str:
        return self.label or self.text


def offered(question: str) -> tuple[Option, ...]:
    """Returns the lettered options of a question, nothing where it offers fewer than two."""
    for form in (_LINE, _INLINE):
        options = [Option(label=match[1].upper(), text=match[2].strip()) for match in form.finditer(question)]
        run = _run_from_a(options)
        if len(run) >= 2:
            return run
    return ()


def picked(said: str, options: tuple[Option, ...]) -> Option | None:
    """Returns the option that a short marked answer names."""
    plain = _TEXT_COMMAND.sub(r"\1", said).strip().strip("$").strip("*").strip()
    by_label = {option.label: option for option in options if option.label}
    lone = _LONE_LETTER.match(plain)
    if lone and lone[1].upper() in by_label:
        return by_label[lone[1].upper()]
    letter = _LETTER_FIRST.match(plain)
    if letter and (option := by_label.get((letter[1] or letter[2]).upper())):
        return option
    return _by_text(plain, options)


def mentioned(text: str, options: tuple[Option, ...]) -> Option | None:
    """Returns the option that the prose of a reply settles on, None where it names several or none."""
    by_label = {option.label: option for option in options if option.label}
    opening = _LETTER_FIRST.match(text)
    if opening and (option := by_label.get((opening[1] or opening[2]).upper())):
        return option
    picks = [label for match in _PICKED.finditer(text) if (label := match[1] or match[2] or match[3]) in by_label]
    if picks:
        return by_label[picks[-1]]
    last = text.rstrip().rsplit("\n", 1)[-1]
    named = {label for label in _PAREN.findall(last) if label in by_label}
    if len(named) == 1:
        return by_label[named.pop()]
    return _by_text(text, options) if len(text) < 200 else None


def _run_from_a(options: list[Option]) -> tuple[Option, ...]:
    best: list[Option] = []
    run: list[Option] = []
    for option in options:
        if option.label == "A":
            run = [option]
        elif run and ord(option.label) == ord(run[-1].label) + 1:
            run.append(option)
        if len(run) > len(best):
            best = run
    return tuple(best)


def _by_text(said: str, options: tuple[Option, ...]) -> Option | None:
    wanted = _plain(said)
    if not wanted:
        return None
    same = [option for option in options if _plain(option.text) == wanted]
    if same:
        return same[0]
    quantity = numbers.entire(said)
    if quantity is not None:
        equal = [
            o for o in options if (n := numbers.stated(o.text)) and numbers.key(n.value) == numbers.key(quantity.value)
        ]
        return equal[0] if len(equal) == 1 else None
    inside = [option for option in options if f" {_plain(option.text)} " in f" {wanted} " and _plain(option.text)]
    longest = max((len(_plain(option.text)) for option in inside), default=0)
    maximal = [
        o for o in inside if not any(o is not p and f" {_plain(o.text)} " in f" {_plain(p.text)} " for p in inside)
    ]
    return maximal[0] if len(maximal) == 1 and longest else None


def _plain(text: str) -> str:
    return _NOT_WORD.sub(" ", text.casefold()).strip(" .+-")
