"""The answers that a question offers, and which of them a reply picks: by letter, by text, by value; one or several."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ditto.domain.merging import numbers

_LINE = re.compile(r"^[ \t]*[(\[]?([A-Za-zА-Яа-я])[)\].:、．][ \t]*(\S.*)$", re.MULTILINE)
_NUMBERED_LINE = re.compile(r"^[ \t]*[(\[]?(\d{1,2})[)\].:][ \t]+(\S.*)$", re.MULTILINE)
_INLINE = re.compile(r"(?:(?<=\s)|^)\(?([A-Za-z])\)[ \t]*([^()\n]+?)(?=[,;]?\s+\(?[A-Za-z]\)|[?.]?\s*$|\n)")
_LETTER = "A-Za-zА-Я"
_LETTER_FIRST = re.compile(
    rf"^\W*(?:(?:option|choice|answer|letter|opción|opzione|opção|antwort|réponse|вариант|ответ)\W+)?"
    rf"(?:[(\[{{（]\s*([{_LETTER}]|\d{{1,2}})\s*[)\]}}）]|([A-ZА-Я])(?:[).:,、：]|\W*$|(?=\s+[-–—(])))",
    re.IGNORECASE,
)
_LONE_LETTER = re.compile(rf"^\W*(?:option\s+|choice\s+|number\s+|#)?([{_LETTER}]|\d{{1,2}})\W*$", re.IGNORECASE)
_TEXT_COMMAND = re.compile(r"\\(?:text|mathrm|textbf|mathbf|boxed)\{([^{}]*)\}")
_PICKED = re.compile(
    r"\b(?:option|choice|answer|opción|opzione|opção|antwort|réponse)\s+\(?([A-Z])\)?\s+(?:is|would be|seems"
    r"|appears|ist|est|es|è|é)\b"
    r"|[(*]{1,2}([A-Z])[)*]{1,2}\.?\s+(?:is|ist|est|es|è|é)\s+(?:the\s+|die\s+|la\s+)?(?:correct|right|best|true"
    r"|most|richtig|correcte|correcta|corretta)"
    r"|\b(?:choose|select|pick|go with|is option|is choice|correct option is|correct choice is|wähle|choisis"
    r"|elijo|scelgo)"
    r"\s+(?:option\s+)?[(*]{0,2}([A-Z])\b[)*]{0,2}"
    r"|\b([A-Z])\s+is\s+(?:the\s+)?(?:correct|right|best)\b"
    r"|(?:选|選|答案是?|正解は)\s*[(（]?([A-Z])\b"
)
_CONCLUDED = re.compile(
    r"\b(?:so|therefore|thus|hence|answer)[,:]?\s+(?:it(?:'s| is)\s+)?[(*]{0,3}([A-Z])[)*.]*\Z", re.IGNORECASE
)
_PAREN = re.compile(r"\(([A-Z])\)")
_NOT_WORD = re.compile(r"[^\w.+-]+")
_SEVERAL = re.compile(
    r"\b(?:select|choose|pick|mark|check|tick|list|name|identify)\s+(?:all|every|each|two|three|four|any)\b|\ball "
    r"that apply\b"
    r"|\bwhich (?:two|three|four|ones)\b|\bone or more\b|\bmore than one\b|\bmultiple (?:answers|options|choices"
    r"|select)\b"
    r"|\bmehrere antworten\b|\balle (?:zutreffenden|richtigen)\b|\btoutes les (?:bonnes )?réponses\b|\bplusieurs "
    r"réponses\b"
    r"|\btodas las (?:respuestas|opciones|que)\b|\btutte le risposte\b|\btodas as (?:respostas|alternativas)\b|多选"
    r"|所有正确|すべて選",
    re.IGNORECASE,
)
_LETTERS = re.compile(
    r"(?<![A-Za-z])[(\[*]{0,3}([A-Z])(?:[)\]]|(?=\**\s*(?:[,.;:/&、，]|and\b|or\b|und\b|y\b|et\b|e\b|are\b|is\b|\Z)))"
)
_RUN = re.compile(r"^\W*([A-Z]{2,12})\W*$")
_ITEM = r"[\"'“‘`*]{0,2}[\w][\w +&'’-]{0,30}?[\"'”’`*]{0,2}"
_ITEMS = rf"({_ITEM}(?:\s*[,/|;]\s*{_ITEM}){{0,20}}(?:,?\s*(?:or|and|/|\|)\s*{_ITEM})?)"
_LISTED = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"\b(?:one of(?: the following)?|(?:the )?(?:options|labels|categories|choices|classes|allowed "
        rf"(?:answers|values)) are)"
        rf"(?: \w+){{0,2}}?\s*[:(\[]\s*{_ITEMS}\s*(?=[.)\]\n?!]|$)",
        rf"\b(?:one of|either)\s+{_ITEMS}\s*(?=[.)\]\n?!:]|$)",
        rf"\b(?:answer|reply|respond|return|output|say)\s+(?:only |just |exactly )?(?:with )?(?:only |just "
        rf"|exactly |either )?"
        rf"({_ITEM}(?:\s*,\s*{_ITEM}){{0,10}},?\s+or\s+{_ITEM})\s*(?=[.)\]\n?!]|$)",
        rf"\b(?:classify|label|categori[sz]e|rate|tag|judge|mark)\b[^.?!\n]{{0,120}}\bas\s+(?:either\s+)?"
        rf"({_ITEM}(?:\s*,\s*{_ITEM}){{0,10}},?\s+or\s+{_ITEM})\s*(?=[.)\]\n?!:]|$)",
        rf"[(\[]\s*({_ITEM}(?:\s*[/|]\s*{_ITEM}){{1,12}})\s*[)\]]",
    )
)
_BETWEEN_ITEMS = re.compile(r"\s*(?:[,;/|]\s*(?:or\s+|and\s+)?|\s(?:or|and)\s)\s*", re.IGNORECASE)
_YES_NO = frozenset(("yes", "no", "true", "false"))
_LONGEST_ITEM_WORDS = 4
_LOOKED_AT_CHARS = 20_000
_SHORT_REPLY_CHARS = 200
_STEM_CHARS = 400
"""What is asked for stands at the end of a question, before its options."""
_NEGATION = re.compile(
    r"(?:\bnot|n't|\bnor|\bnever|\bnicht|\bkein|\bpas|\brather than|\binstead of)\W+(?:\w{1,3}\W+)?$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One offered answer; `label` is empty where a caller lists the allowed answers."""

    label: str
    text: str

    @property
    def name(self) -> str:
        return self.label or self.text


def offered(question: str) -> tuple[Option, ...]:
    """Returns the options of a question, lettered, numbered or listed; nothing where it offers fewer than two."""
    head, tail = question[:_LOOKED_AT_CHARS], question[-_LOOKED_AT_CHARS:]
    for text in (head,) if head == tail else (head, tail):
        for lines in (_LINE, _INLINE, _NUMBERED_LINE):
            if lines is _NUMBERED_LINE and not _asks_which(text):
                continue
            run = _run([Option(label=match[1].upper(), text=match[2].strip()) for match in lines.finditer(text)])
            if len(run) >= 2:
                return run
    return _listed(head)


def several(question: str) -> bool:
    """Tells whether a question asks for all options that are right."""
    first = _LINE.search(question)
    stem = question[: first.start()] if first else question
    return _SEVERAL.search(stem[-_STEM_CHARS:]) is not None


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
    opening = _LETTER_FIRST.match(text[:_SHORT_REPLY_CHARS])
    if opening and (option := by_label.get((opening[1] or opening[2]).upper())):
        return option
    picks = [label for match in _PICKED.finditer(text) if (label := next(filter(None, match.groups()))) in by_label]
    if picks:
        return by_label[picks[-1]]
    last = text.rstrip().rsplit("\n", 1)[-1]
    concluded = _CONCLUDED.search(last)
    if concluded and concluded[1].upper() in by_label:
        return by_label[concluded[1].upper()]
    named = {label for label in _PAREN.findall(last) if label in by_label}
    if len(named) == 1:
        return by_label[named.pop()]
    lone = _LONE_LETTER.match(last)
    if lone and lone[1].upper() in by_label:
        return by_label[lone[1].upper()]
    return _by_text(text, options) if len(text) < _SHORT_REPLY_CHARS else None


def picked_several(said: str, options: tuple[Option, ...]) -> tuple[Option, ...]:
    """Returns the options that a reply names, in the question's order; none where it names none."""
    labels = {option.label for option in options if option.label}
    run = _RUN.match(said)
    found = set(run[1]) if run and set(run[1]) <= labels and len(set(run[1])) == len(run[1]) else set()
    found = found or {label for label in _LETTERS.findall(said) if label in labels}
    if not found and len(said) < _SHORT_REPLY_CHARS * 3:
        plain = f" {_plain(said)} "
        found = {option.name for option in options if _plain(option.text) and f" {_plain(option.text)} " in plain}
    return tuple(option for option in options if option.name in found)


def _asks_which(text: str) -> bool:
    return (
        re.search(r"\b(?:which|choose|select|pick|welche[rs]?|quelle?|cuál|quale|qual|какой|какая)\b", text, re.I)
        is not None
    )


def _listed(question: str) -> tuple[Option, ...]:
    """Returns the labels that a question lists in its sentence: one of: a, b, c."""
    for listing in _LISTED:
        for match in listing.finditer(question):
            items = [item.strip(" \"'“”‘’`*") for item in _BETWEEN_ITEMS.split(match[1])]
            items = [item for item in items if item]
            short = all(len(item.split()) <= _LONGEST_ITEM_WORDS for item in items)
            if len(items) >= 2 and short and {item.lower() for item in items} - _YES_NO:
                return tuple(Option(label="", text=item) for item in dict.fromkeys(items))
    return ()


def _run(options: list[Option]) -> tuple[Option, ...]:
    best: list[Option] = []
    run: list[Option] = []
    for option in options:
        if option.label in ("A", "А", "1"):
            run = [option]
        elif run and _follows(run[-1].label, option.label):
            run.append(option)
        if len(run) > len(best):
            best = run
    return tuple(best)


def _follows(label: str, other: str) -> bool:
    if label.isdigit() or other.isdigit():
        return label.isdigit() and other.isdigit() and int(other) == int(label) + 1
    return ord(other) == ord(label) + 1


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
    inside = [option for option in options if _plain(option.text) and _names(wanted, _plain(option.text))]
    maximal = [
        o for o in inside if not any(o is not p and f" {_plain(o.text)} " in f" {_plain(p.text)} " for p in inside)
    ]
    return maximal[0] if len(maximal) == 1 else None


def _names(said: str, text: str) -> bool:
    """Tells whether a plain text names another one, and does not deny it."""
    at = f" {said} ".find(f" {text} ")
    return at >= 0 and _NEGATION.search(f" {said} "[: at + 1]) is None


def _plain(text: str) -> str:
    return _NOT_WORD.sub(" ", text.casefold()).strip(" .+-")
