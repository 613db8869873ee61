r"""What the prose of a reply comes to: the short pieces of it that could be its answer, the likeliest first.

A reply that opens with a line that stands out, or holds no equation, may have answered there. Else its last sentences
count, of each the whole, what follows its last verbs ("the limit equals …", "so …"), and the formulas in it. What a
reply adds once it has answered (a check, a note, an offer) is left out. Whoever reads a piece decides what it takes for
an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ditto.domain.merging import sentences

_HEAD_CHARS, _TAIL_CHARS = 600, 4_000
_LAST_SENTENCES = 4
_LONGEST_CHARS = 300
_FIRST_LINE_CHARS = 120
_MOST_TAILS = 5
_DISPLAYED = re.compile(r"\\\[\s*(.{1,600}?)\s*\\\]|\$\$\s*([^$]{1,600}?)\s*\$\$", re.DOTALL)
_ADDED = re.compile(
    r"^\W*(?:check(?:ing)?\b|verif\w+|proof\b|note\b|explanation\b|let me know|feel free|hope this|would you like"
    r"|if you"
    r"|probe\b|erklärung|hinweis|vérif\w*|explication|comprob\w+|explicación|verifica\b|spiegazione|проверка|объяснение"
    r"|检验|验证|解释|検算|説明|검산)",
    re.IGNORECASE,
)
_LEADS = re.compile(
    r"(?:(?<!\w)(?:is at|are at|is|are|was|be|equals?|equal to|gives?|giving|yields?|becomes?|get|obtain|have|so|thus"
    r"|hence"
    r"|therefore|then|i\.e|answer|solutions?|result|ist|sind|lautet|beträgt|ergibt|(?<=, )also|somit|est|sont|vaut"
    r"|donc|es|son"
    r"|será|è|sono|vale|é|são|wynosi|это|равн\w+|будет|составляет)(?!\w)[.,]?[ \t]*[:=]?|[:：](?=\s|\Z)|⇒|⟹|→|=>"
    r"|\\Rightarrow|\\implies|\\therefore|∴|是|为|は)[\s,]*(?=\S)",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r"\s+(?:because|since|which|where|when|with|for|if|as|after|that is|i\.e\.|weil|denn|da|wobei|car|où|parce|porque"
    r"|donde"
    r"|perché|dove|onde|want|gdzie|где)\b|\s*\((?=[^()]*[^\W\d_]{3})|,\s+(?:where|since|because|which|i\.e\.)"
    r"|\s+[-–—]\s|\.\s|;\s",
    re.IGNORECASE,
)
_SAYS_OF = re.compile(
    r"\s+(?:is|are|was|ist|sind|est|sont|es|son|è|sono|é|são)\s+(?:the|an?|our|der|die|das|la|le|les|el|los|il|i|o|os)\s",
    re.I,
)
_GLOSS = re.compile(
    r"\s*\((?:approximately|approx|about|ca|circa|roughly|or|i\.e|which|that|≈|\\approx)[^()]{0,80}\)\s*\.?\Z", re.I
)
_INLINE = re.compile(r"\$([^$]{1,300})\$|\\\((.{1,300}?)\\\)")
_JOINS = re.compile(r"[\s,]*(?:and|or|und|oder|et|ou|y|o|e|и|或|和)?[\s,]*\Z", re.IGNORECASE)


def of(text: str) -> Iterator[str]:
    """Yields the pieces of a reply that could be its answer, the likeliest first; each is short."""
    if sentences.is_word(text):
        if len(text) <= _LONGEST_CHARS:
            yield text
        return
    if (first := opening(text)) is not None:
        yield from pieces(first)
    for sentence in last_sentences(text):
        yield from pieces(sentence)


def opening(text: str) -> str | None:
    """Returns the line that a longer reply opens with, where it may be its answer: it stands out, or is no equation."""
    first, _, rest = text.strip().partition("\n")
    if not rest.strip() or len(first) > _FIRST_LINE_CHARS or ("=" in first and not first.startswith("**")):
        return None
    return first.strip().strip("*").strip()


def last_sentences(text: str) -> list[str]:
    """Returns the sentences that a reply ends with, the last first, without what it adds to its answer."""
    plain = _DISPLAYED.sub(lambda match: f" ${match[1] or match[2]}$ ".replace("\n", " "), _ends(text))
    said = sentences.of(plain)
    added = next((at for at, sentence in enumerate(said) if at and _ADDED.match(sentence)), len(said))
    return said[:added][: -_LAST_SENTENCES - 1 : -1]


def pieces(sentence: str) -> Iterator[str]:
    """Yields what of a sentence could be an answer: what follows its verbs, all of it, its subject, its formulas."""
    bare = _GLOSS.sub("", sentence.strip().rstrip(".!。")).replace("**", "").strip()
    starts = [match.end() for match in _LEADS.finditer(bare)][-_MOST_TAILS:]
    for start in (*reversed(starts), 0):
        tail = bare[start:].strip()
        if not tail or len(tail) > _LONGEST_CHARS:
            continue
        yield tail
        goes_on = _GOES_ON.search(tail)
        if goes_on and goes_on.start():
            yield tail[: goes_on.start()].rstrip(" ,.")
    said_of = _SAYS_OF.search(bare)
    if said_of and said_of.start() <= _LONGEST_CHARS:
        yield bare[: said_of.start()].strip()
    yield from _formulas(bare)


def _formulas(sentence: str) -> Iterator[str]:
    """Yields the last formula of a sentence, first together with those that a word like "or" joins to it."""
    found = list(_INLINE.finditer(sentence))
    if not found:
        return
    joined = [found[-1]]
    for match in reversed(found[:-1]):
        if not _JOINS.match(sentence[match.end() : joined[0].start()]):
            break
        joined.insert(0, match)
    if len(joined) > 1:
        yield ", ".join((match[1] or match[2]).strip() for match in joined)
    yield (found[-1][1] or found[-1][2]).strip()


def _ends(text: str) -> str:
    """Returns a reply, of a long one its beginning and its end."""
    return text if len(text) <= _HEAD_CHARS + _TAIL_CHARS else f"{text[:_HEAD_CHARS]}\n{text[-_TAIL_CHARS:]}"
