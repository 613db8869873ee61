"""How options are labelled: letters of any alphabet, numerals, digits; and which options a question offers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ditto.domain.merging.cues import Cue

_ALPHABETS = (
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "АБВГДЕЖЗИКЛМН", "アイウエオカキクケコ", "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳",
    "أبجدهوزحطي", "ابجدهوزحطي",
    "가나다라마바사아자차", "甲乙丙丁戊己庚辛", "ΑΒΓΔΕΖΗΘ", "कखगघङचछज", "אבגדהוזח",
)  # fmt: skip
_ROMAN = tuple("I II III IV V VI VII VIII IX X XI XII".split())  # noqa: SIM905
_DIGITS = tuple(str(number) for number in range(1, 31))
_SEQUENCES: tuple[tuple[str, ...], ...] = (*(tuple(alphabet) for alphabet in _ALPHABETS), _ROMAN, _DIGITS)
_POSITIONS = tuple({label: at for at, label in enumerate(sequence)} for sequence in _SEQUENCES)
_LETTER = "".join(dict.fromkeys("".join(_ALPHABETS[1:])))
_LABEL = rf"[A-Za-z]|[IVXivx]{{2,4}}|\d{{1,2}}|[{_LETTER}а-нα-θ]"
_OPTION = r"(?:Option|Choice|Answer|Antwort|Réponse|Opción|Opzione|Opção|Вариант|选项)\s*"
_LINE = re.compile(
    rf"^[ \t]*(?:[-*+•][ \t]+)?(?:\*\*|__)?(?:{_OPTION})?[(\[（]?(?:\*\*)?(?P<label>{_LABEL})(?:\*\*)?"
    rf"(?:[)\]:、．）]|\.(?!\d)|(?<=[①-⑳]))(?:\*\*|__)?[:.]?[ \t]*(?P<text>\S.*)$",
    re.MULTILINE,
)
_INLINE = re.compile(
    r"(?:(?<=\s)|^)(?:\(?(?P<label>[A-Za-z])\)|(?P<number>\(\d{1,2}\)|[①-⑳]))[ \t]*(?P<text>[^()\n①-⑳]+?)"
    r"(?=[,;]?\s+\(?(?:[A-Za-z]|\d{1,2})\)|[,;]?\s*[①-⑳]|[?.]?\s*$|\n)"
)
_BULLETS = re.compile(
    r"\b(?:options|choices|possible answers|candidates|labels|categories|classes|möglichkeiten|antwortmöglichkeiten"
    r"|choix"
    r"|opciones|opzioni|opções|opties"
    r"|варианты)\b[^\n]{0,40}:[ \t]*\n+(?P<items>(?:[ \t]*[-*+•][ \t]+\S[^\n]{0,80}(?:\n|\Z)){2,30})",
    re.IGNORECASE,
)
_ASKS_WHICH = Cue(
    r"(?:which|choose|select|pick|who|what|option|welche[rs]?|quelle?|cuál|quale|qual|какой|какая)\b",
    signs=("哪", "どれ", "어느"),
)
_BULLET = re.compile(r"^[ \t]*[-*+•][ \t]+", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One offered answer; `label` is empty where a caller lists the allowed answers."""

    label: str
    text: str

    @property
    def name(self) -> str:
        return self.label or self.text


def offered(text: str) -> tuple[Option, ...]:
    """Returns the options that a question offers in lines or within a line; nothing where it offers fewer than two."""
    for pattern in (_LINE, _INLINE):
        found = [_option(match) for match in pattern.finditer(text)]
        for positions in _POSITIONS if len(found) > 1 else ():
            if positions is _POSITIONS[-1] and not _ASKS_WHICH.is_in(text):
                continue
            run = _run(found, positions)
            if len(run) >= 2:
                return run
    bullets = _BULLETS.search(text) if ":" in text and "\n" in text else None
    if bullets is None:
        return ()
    items = [_BULLET.sub("", line).strip(" \t*`\"'") for line in bullets["items"].splitlines()]
    return tuple(Option(label="", text=item) for item in dict.fromkeys(items) if item)


def lines_begin(text: str) -> int | None:
    """Returns where the first line with a label begins."""
    first = _LINE.search(text)
    return first.start() if first else None


def _option(match: re.Match[str]) -> Option:
    label = match["label"] or match.groupdict().get("number") or ""
    return Option(label=label.strip("()").upper(), text=match["text"].strip().strip("*").strip())


def _run(options: list[Option], positions: dict[str, int]) -> tuple[Option, ...]:
    """Returns the longest run of options whose labels follow one another from the first of a sequence on."""
    best: list[Option] = []
    run: list[Option] = []
    for option in options:
        at = positions.get(option.label)
        if at == 0:
            run = [option]
        elif run and at == positions[run[-1].label] + 1:
            run.append(option)
        if len(run) > len(best):
            best = run
    return tuple(best)
