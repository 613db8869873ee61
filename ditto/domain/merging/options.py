"""Which of the answers that a question offers a reply picks: by label, by text, by value; one or several."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from ditto.domain.merging import labels, numbers
from ditto.domain.merging.cues import Cue
from ditto.domain.merging.labels import Option

_WORDS_FOR_OPTION = (
    "options?|choices?|answers?|letters?|numbers?|statements?|opción|opciones|opzione|opção|antwort|réponse|вариант|ответ"
    "|选项|答案"
)
_TEXT_COMMAND = re.compile(r"\\(?:text|mathrm|textbf|mathbf|boxed)\{([^{}]*)\}")
_NOT_WORD = re.compile(r"[^\w.+-]+|_|\.(?!\d)")
_JOINED = r"(?:\s*(?:[,;/&、，]|and|or|und|y|et|e|и|和)\s*)+"
_SEVERAL = Cue(
    r"(?:select|choose|pick|mark|check|tick|list|name|identify)\s+(?:all|every|each|two|three|four|any)\b",
    r"all that apply\b",
    r"which (?:two|three|four|ones)\b",
    r"one or more\b",
    r"more than one\b",
    r"multiple (?:answers|options|choices|select)\b",
    r"mehrere antworten\b",
    r"alle (?:zutreffenden|richtigen)\b",
    r"toutes les (?:bonnes )?réponses\b",
    r"plusieurs réponses\b",
    r"todas las (?:respuestas|opciones|que)\b",
    r"tutte le risposte\b",
    r"todas as (?:respostas|alternativas)\b",
    signs=("多选", "所有正确", "すべて選"),
)
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
        rf"\b(?:categories|labels|classes|options|choices)\s*[(\[]\s*({_ITEM}(?:\s*[,/|;]\s*{_ITEM}){{1,20}})\s*[)\]]",
        r"(?:^|[.!?\n]\s*)(?:is|are|was|were|does|do|did|which|what|who)\s[^?\n]{0,300}?(?<=\s)(?-i:((?:[a-z][a-z-]*,\s)*[a-z][a-z-]*,?\sor\s(?:an?\s)?[a-z][a-z-]*))\s*\?\s*\Z",
    )
)
_LISTS = Cue(signs=(r"[:(\[]", r"\sor\s", "one of", "either"))
"""Without one of these a question lists nothing."""

_RUN = re.compile(r"^\W*([A-Z]{2,12})\W*$")
_TOKEN = re.compile(r"[^\W_]+")
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


_EXCEPT = re.compile(r"\b(?:NOT|EXCEPT|not|except|isn't|nicht|kein\w*|pas|excepto|tranne|exceto|niet|nie|не)\b|不|ない")
_EXCLUDED = re.compile(
    r"\s+(?:is|are|was|does|do|did|can|ist|sind|est|es|è|é|не)?\s*(?:not|n t|nicht|pas|no|non|não"
    r"|niet|nie|не)\b"
)
_TICKED = re.compile("✓|✔|✅|☑")
_MOST_SKIPPED_WORDS = 3
_FIRST_DENSE_SIGN = "\u2e80"
"""From here on Unicode holds scripts that part no words."""


@dataclass(frozen=True, slots=True)
class _Forms:
    """How replies name options with these labels."""

    first: re.Pattern[str]
    lone: re.Pattern[str]
    picked: re.Pattern[str]
    concluded: re.Pattern[str]
    bracketed: re.Pattern[str]
    line: re.Pattern[str]
    several: tuple[re.Pattern[str], ...]


@lru_cache(maxsize=64)
def _forms(named: tuple[str, ...]) -> _Forms:
    """Returns the forms for labels, which are none where none is given."""
    own = "|".join(sorted(map(re.escape, named), key=len, reverse=True)) if named else "(?!)"
    either = "|".join(dict.fromkeys((*own.split("|"), *own.lower().split("|")))) if named else own
    return _Forms(
        first=re.compile(
            rf"^\W*(?:(?:{_WORDS_FOR_OPTION})\W+)?(?:[(\[{{（「]\s*({own})\s*[)\]}}）]"
            rf"|({own})(?:[).:,、：．](?!\d)|\W*$|(?=\s+[-–—(])))",
            re.IGNORECASE,
        ),
        lone=re.compile(rf"^\W*(?:option\s+|choice\s+|number\s+|#)?({own})\W*$", re.IGNORECASE),
        picked=re.compile(
            rf"(?i:\b(?:{_WORDS_FOR_OPTION})\s+)[(*]{{0,3}}({either})[)*]{{0,3}}\s+(?i:is|are|would be|seems|appears"
            rf"|ist|est|es|è|é)\b"
            rf"|[(*]{{1,2}}({own})[)*]{{1,2}}\.?\s+(?:is|ist|est|es|è|é)\s+(?:the\s+|die\s+|la\s+)?(?:correct|right|best|true"
            rf"|most|richtig|correcte|correcta|corretta)"
            rf"|(?i:\b(?:choose|select|pick|go with|is option|is choice|option is|choice is|answer is|wähle|choisis"
            rf"|elijo|scelgo))"
            rf"\s+(?i:option\s+|number\s+)?[(*]{{0,3}}({own})\b[)*]{{0,2}}"
            rf"|(?<![\w(])({own})\s+is\s+(?:the\s+)?(?:correct|right|best)\b"
            rf"|(?:选|選|答案是?|正解は|答えは|정답은)\s*[(（「]?\s*({own})(?![A-Za-z\d])"
        ),
        concluded=re.compile(
            rf"\b(?:so|therefore|thus|hence|answer|also|daher|donc|quindi)[,:]?\s+(?:it(?:'s| is)\s+|option\s+)?"
            rf"[(*]{{0,3}}({own})[)*.]*\Z",
            re.IGNORECASE,
        ),
        bracketed=re.compile(rf"[(（]({own})[)）]"),
        line=re.compile(rf"^\W*(?:{_WORDS_FOR_OPTION})?\s*({own})(?:[).:、：．]|\s)[^\n]*", re.MULTILINE),
        several=_several_forms(own, digits=bool(named) and named[0].isdigit()),
    )


def _several_forms(own: str, *, digits: bool) -> tuple[re.Pattern[str], ...]:
    run = rf"(?:{own})(?:{_JOINED}(?:{own}))*"
    whole = re.compile(rf"^\W*({run})\W*$", re.IGNORECASE)
    named = re.compile(rf"\b(?:{_WORDS_FOR_OPTION})\s+(?:is\s+|are\s+)?\W*({run})(?![\w%])", re.IGNORECASE)
    marked = rf"(?:^|(?<=[\s,;(*]))[(*]{{0,3}}({own})[).:](?=\s|\*|$|,)"
    if digits:
        return whole, named, re.compile(marked, re.MULTILINE)
    goes_on = r"(?=\**\s*(?:[,.;:/&、，]|and\b|or\b|und\b|y\b|et\b|e\b|are\b|is\b|\Z))"
    return whole, re.compile(rf"(?<![A-Za-z])[(\[*]{{0,3}}({own})(?:[)\]]|{goes_on})")


def offered(question: str) -> tuple[Option, ...]:
    """Returns the options of a question, labelled or listed; nothing where it offers fewer than two."""
    head, tail = question[:_LOOKED_AT_CHARS], question[-_LOOKED_AT_CHARS:]
    for text in (head,) if head == tail else (head, tail):
        if found := labels.offered(text):
            return found
    return _listed(head)


def several(question: str) -> bool:
    """Tells whether a question asks for all options that are right."""
    return _SEVERAL.is_in(question[: labels.lines_begin(question)][-_STEM_CHARS:])


def picked(said: str, options: tuple[Option, ...]) -> Option | None:
    """Returns the option that a short marked answer names."""
    plain = _TEXT_COMMAND.sub(r"\1", said).strip().strip("$").strip("*").strip()
    by_label, forms = _by_label(options)
    lone = forms.lone.match(plain)
    if lone:
        return by_label[lone[1].upper()]
    letter = forms.first.match(plain)
    if letter:
        return by_label[(letter[1] or letter[2]).upper()]
    return _by_text(plain, options)


def mentioned(text: str, options: tuple[Option, ...], question: str) -> Option | None:
    """Returns the option that the prose of a reply settles on, None where it names several or none."""
    by_label, forms = _by_label(options)
    opening = forms.first.match(text[:_SHORT_REPLY_CHARS])
    if opening and not _goes_through(text, forms):
        return by_label[(opening[1] or opening[2]).upper()]
    picks = [next(filter(None, match.groups())) for match in forms.picked.finditer(text)]
    if picks:
        return by_label[picks[-1].upper()]
    last = text.rstrip().rsplit("\n", 1)[-1]
    concluded = forms.concluded.search(last)
    if concluded:
        return by_label[concluded[1].upper()]
    named = set(forms.bracketed.findall(last))
    if len(named) == 1:
        return by_label[named.pop()]
    lone = forms.lone.match(last)
    if lone:
        return by_label[lone[1].upper()]
    ticked = {match[1].upper() for match in forms.line.finditer(text) if _TICKED.search(match[0])}
    if len(ticked) == 1:
        return by_label[ticked.pop()]
    if opening:
        return by_label[(opening[1] or opening[2]).upper()]
    if len(text) >= _SHORT_REPLY_CHARS:
        return None
    return _excluded(text, options, question) or _by_text(text, options)


def _goes_through(text: str, forms: _Forms) -> bool:
    """Tells whether a reply goes through several options, a line for each, and so has not picked the first."""
    return len({match[1].upper() for match in forms.line.finditer(text[: 2 * _LOOKED_AT_CHARS])}) > 2


def picked_several(said: str, options: tuple[Option, ...]) -> tuple[Option, ...]:
    """Returns the options that a reply names, in the question's order; none where it names none."""
    by_label, forms = _by_label(options)
    run = _RUN.match(said)
    found = set(run[1]) if run and set(run[1]) <= by_label.keys() and len(set(run[1])) == len(run[1]) else set()
    for form in forms.several:
        if not found:
            held = form.findall(said) if form is forms.several[-1] else _TOKEN.findall("".join(form.findall(said)[-1:]))
            found = {label.upper() for label in held} & by_label.keys()
    if not found and len(said) < _SHORT_REPLY_CHARS * 3:
        plain = f" {_plain(said)} "
        found = {option.name for option in options if _plain(option.text) and f" {_plain(option.text)} " in plain}
    return tuple(option for option in options if option.name in found)


def _by_label(options: tuple[Option, ...]) -> tuple[dict[str, Option], _Forms]:
    by_label = {option.label: option for option in options if option.label}
    return by_label, _forms(tuple(by_label))


def _listed(question: str) -> tuple[Option, ...]:
    """Returns the labels that a question lists in its sentence: one of: a, b, c."""
    for listing in _LISTED if _LISTS.is_in(question) else ():
        for match in listing.finditer(question):
            items = [item.strip(" \"'“”‘’`*") for item in _BETWEEN_ITEMS.split(match[1])]
            items = [item for item in items if item]
            short = all(len(item.split()) <= _LONGEST_ITEM_WORDS for item in items)
            if len(items) >= 2 and short and {item.lower() for item in items} - _YES_NO:
                return tuple(Option(label="", text=item) for item in dict.fromkeys(items))
    return ()


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
    maximal = [o for o in inside if not any(o is not p and _holds(_plain(p.text), _plain(o.text)) for p in inside)]
    if maximal:
        return maximal[0] if len(maximal) == 1 else None
    within = [option for option in options if _within(_plain(option.text).split(), wanted.split())]
    return within[0] if len(within) == 1 else None


def _within(words: list[str], said: list[str]) -> bool:
    """Tells whether the words of an option stand in a text in their order, with few others between them."""
    if len(words) < 2 or len(said) > len(words) + _MOST_SKIPPED_WORDS:
        return False
    left = iter(said)
    return all(word in left for word in words)


def _excluded(said: str, options: tuple[Option, ...], question: str) -> Option | None:
    """Returns the only option that a reply says does not belong, where that is what a question asks for."""
    if not _EXCEPT.search(question[: labels.lines_begin(question)][-_STEM_CHARS:]):
        return None
    plain = f" {_plain(said)} "
    out = []
    for option in options:
        at = plain.find(f" {_plain(option.text)} ")
        if at >= 0 and _EXCLUDED.match(plain, at + len(_plain(option.text)) + 1):
            out.append(option)
    return out[0] if len(out) == 1 else None


def _names(said: str, text: str) -> bool:
    """Tells whether a plain text names another one, and does not deny it."""
    at = _place(said, text)
    return at >= 0 and _NEGATION.search(f" {said} "[: at + 1]) is None


def _holds(said: str, text: str) -> bool:
    return _place(said, text) >= 0


def _place(said: str, text: str) -> int:
    """Returns where a plain text holds another one as words of its own, below 0 where it does not."""
    if max(text) >= _FIRST_DENSE_SIGN:
        return said.find(text)
    return f" {said} ".find(f" {text} ")


def _plain(text: str) -> str:
    return _NOT_WORD.sub(" ", text.casefold()).strip(" .+-")
