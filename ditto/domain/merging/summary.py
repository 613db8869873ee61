"""A reply in one or two of its own whole sentences: its opening, or those that carry its answer.

Never half a sentence and never torn JSON: of a reply in JSON, sentences of its texts, else all of it if it is short.
Greetings and headings sum nothing up; what only announces a list takes the list's first items along.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from ditto.domain.merging import numbers, sentences, thoughts
from ditto.domain.schemas import mending
from ditto.domain.spec import JSON

_SHORT_CHARS = 240
_ONE_WORD_OPENING_CHARS = 12
_FIRST_DENSE_SIGN = "\u2e80"
"""From here on Unicode holds scripts that say much in few signs."""
_FENCED = re.compile(r"\A\s*```[\w+-]*\s*(.*?)\s*(?:```\s*\Z|\Z)", re.DOTALL)
_OBJECT = re.compile(r"""\{\s*["'][^"']+["']\s*:.*(?:\}|\Z)|\[\s*[{"].*(?:\]|\Z)""", re.DOTALL)
_HEADING = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+.*|(?:\*\*|__)[^*_\n]{1,80}(?:\*\*|__):?[ \t]*)$", re.MULTILINE)
_GREETING = re.compile(
    r"(?:sure|certainly|of course|absolutely|great question|good question|happy to help|i'd be happy to help|no "
    r"problem|okay|ok"
    r"|alright|hello|hi there|hi|thanks?(?: you)?|natürlich|gerne|klar|bien sûr|avec plaisir|claro(?: que sí)?"
    r"|por supuesto"
    r"|certo|certamente|con certeza|natuurlijk|oczywiście|конечно|当然|好的|もちろんです?|물론(?:입니다|이죠)?)"
    r"(?: (?:thing|with (?:that|this)|to help|for asking|for (?:the|your) question|dir|ihnen))*[!.,。！:：]*(?: "
    r"[^\w\s]+)?\Z",
    re.IGNORECASE,
)
_PREAMBLE = re.compile(
    r"(?:as an ai\b[^.]{0,80}\b(?:do not|don't) have\b|i(?:'m| am) (?:so |very |really )?sorry to hear\b|let's "
    r"(?:solve|think|work|go)"
    r"\b|let me (?:solve|think|work|explain)\b|i(?:'m|'d be| am| would be) (?:happy|glad) to (?:help|assist)\b|i "
    r"understand\b[^.]{0,60}\.\Z|that's a (?:great|good|interesting)\b)",
    re.IGNORECASE,
)
_ANSWER_CHARS = 60
_PROSE_WORDS = 4
_LETTER_CHARS = 2


def of(text: str, answer: JSON = None) -> str:
    """Returns the summary of one reply.

    Args:
        text: The reply.
        answer: The short answer that was read out of it, None where there is none.
    """
    if sentences.is_word(text) or numbers.is_plain(text):
        return text
    text = thoughts.removed(text) or text
    prose = _OBJECT.sub(" ", text) if "{" in text or "[" in text else text
    said = _without_greeting(sentences.of(_without_headings(prose)) or sentences.of(prose))
    if not said or (prose is not text and all(_announces(sentence) for sentence in said)):
        strings = [string for string in _strings(_decoded(text)) if _is_prose(string)]
        said = [sentence for string in strings for sentence in sentences.of(string)]
    if not said:
        return _whole(text)
    if len(said) == 1:
        return said[0]
    return _carrying(said, answer) or _opening(said)


def _without_headings(text: str) -> str:
    return _HEADING.sub("", text) if "#" in text or "**" in text or "__" in text else text


def of_value(value: JSON) -> str:
    """Returns the summary of a structured result: it whole if it is short, else what it holds."""
    if isinstance(value, str):
        return of(value) if value.strip() else value
    compact = json.dumps(value, ensure_ascii=False)
    if len(compact) <= _SHORT_CHARS:
        return compact
    if isinstance(value, list):
        return f"A list of {len(value)} items."
    return f"An object with the fields {', '.join(map(str, value))}."


def _without_greeting(said: list[str]) -> list[str]:
    while len(said) > 1 and (_GREETING.match(said[0]) or _PREAMBLE.match(said[0])):
        said = said[1:]
    return said


def _announces(sentence: str) -> bool:
    return sentence.endswith((":", "："))


def _opening(said: Sequence[str]) -> str:
    """Returns the first of several sentences, with more where it is a word only, or only announces what follows."""
    opening = said[0]
    if _announces(opening):
        for sentence in said[1:]:
            if len(opening) + len(sentence) >= _SHORT_CHARS:
                break
            opening = f"{opening} {sentence}"
        return opening
    if len(opening) <= _ONE_WORD_OPENING_CHARS and max(opening) < _FIRST_DENSE_SIGN:
        return f"{opening} {said[1]}"
    return opening


def _carrying(said: Sequence[str], answer: JSON) -> str | None:
    """Returns the sentence that states the answer, the last where several do and the first is none of them."""
    wanted = str(answer) if isinstance(answer, str | int | float) and not isinstance(answer, bool) else ""
    if not wanted or len(wanted) > _ANSWER_CHARS:
        return None
    hits = [sentence for sentence in said if _states(sentence, wanted) or _states(sentence.replace(",", ""), wanted)]
    if not hits:
        return None
    states_it_first = said[0] == hits[0] and len(hits[0]) > _ONE_WORD_OPENING_CHARS and len(wanted) > 1
    return hits[0] if states_it_first else hits[-1]


def _states(sentence: str, wanted: str) -> bool:
    """Tells whether a sentence holds an answer as a word of its own; letters in their own case, for `a` is a word."""
    if len(wanted) > _LETTER_CHARS:
        sentence, wanted = sentence.lower(), wanted.lower()
    dense = max(wanted) >= _FIRST_DENSE_SIGN
    at = sentence.find(wanted)
    while at >= 0:
        before, after = sentence[at - 1 : at] if at else "", sentence[at + len(wanted) :][:2]
        parted = not (before.isalnum() or after[:1].isalnum() or (after[:1] in (".", ",") and after[1:].isdigit()))
        if dense or parted:
            return True
        at = sentence.find(wanted, at + 1)
    return False


def _decoded(text: str) -> JSON:
    fenced = _FENCED.match(text)
    source = fenced[1] if fenced else text.strip()
    start = re.search(r"[{\[]", source)
    try:
        return json.JSONDecoder(strict=False).raw_decode(source, start.start() if start else 0)[0]
    except (ValueError, RecursionError):
        return next(mending.mended(source), None)


def _is_prose(text: str) -> bool:
    dense = 0 if text.isascii() else sum(sign >= _FIRST_DENSE_SIGN for sign in text)
    return len(text.split()) + dense // 2 >= _PROSE_WORDS


def _strings(value: JSON) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


def _whole(text: str) -> str:
    bare = " ".join(text.split())
    if len(bare) <= _SHORT_CHARS:
        return bare
    value = _decoded(text)
    return of_value(value) if isinstance(value, list | dict) else "A block of code."
