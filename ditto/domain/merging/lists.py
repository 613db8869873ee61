"""Lists as answers: the items that a reply names, compared in order only where the question asks for an order."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Hashable, Sequence

from ditto.domain.merging import literals, numbers, phrases, sentences, wording
from ditto.domain.merging.cues import Cue
from ditto.domain.spec import JSON

_ASKS_ORDER = Cue(
    r"(?:in (?:\w+ )?order|order of|sequence|ranked?|sort(?:ed)?|arrange|chronological\w*|ascending"
    r"|descending|alphabetical\w*|(?:from|by) (?:\w+ )?(?:small|large|low|high|old|new|young|first|least"
    r"|most|short|long|near|far|cold|hot|light|heav)\w*|first to last|steps?|reihenfolge|sortier\w*|geordnet"
    r"|ordre|trie[rz]?|classe[rz]|orden\w*|ordine|ordina|volgorde|порядк\w*|упорядоч\w*)\b",
    signs=("顺序", "順序", "順番", "排序", "從小到大", "从小到大", "小さい順"),
)
_ASKS_LIST = Cue(
    r"(?:list|name|enumerate|give|identify|mention|state)\b[^.?!\n]{0,40}?\b(?:all|the|every|each|two|three"
    r"|four|five|six|seven|eight|nine|ten|\d+)\b",
    r"(?:what|which|who)\s+(?:are|were)\s+(?:all\s+|the\s+)",
    r"which\s+(?:\w+\s+){0,2}?\w+s\b\s+(?:are|were|have|do|did|can|border)\b",
    r"which\s+\w+s\s[^?.!\n]{0,60}\b(?:are|were|have|border|contain|belong)\b",
    r"(?:what|which)\s+(?:two|three|four|five|six|seven|\d+)\b",
    r"(?:sort|rank|arrange|order)\b",
    r"(?:nenne|liste|zähle|welche\s+\w+(?:e|en|er|s)\s+(?:sind|haben|gibt|gehören|grenzen)|was sind die"
    r"|wer waren)\b",
    r"(?:citez?|énumère[rz]?|quels\s+sont|quelles\s+sont)\b",
    r"(?:enumera|nombra|cuáles\s+son|lista)\b",
    r"(?:elenca|quali\s+sono|nomina)\b",
    r"(?:quais\s+são|liste)\b",
    r"(?:noem|welke\s+\w+en\s+zijn)\b",
    r"(?:перечисли\w*|назови\w*|какие)\b",
    signs=("列出", "列举", "有哪些", "挙げ", "すべて"),
)
_MARK = re.compile(r"^[ \t]*(?:[-*+•‣◦–]|\(?\d{1,3}[.)、]|\(?[a-z][.)])[ \t]*(?=\S)")
_EMPHASIS = re.compile(r"^(?:\*\*|__|`)(.+?)(?:\*\*|__|`)")
_GLOSS = re.compile(
    r"\s+[-–—]\s|\s*[:：(（]\s*|\s+(?:which|who|that)\s|,\s+(?:which|who|the|a|an|with|known|located)\s"
)
_LEAD = re.compile(
    r"^.*?(?:[:：]|\b(?:are|were|is|include[sd]?|consists? of|contains?|namely|sind|lauten|waren|heißen|sont"
    r"|étaient|sono|erano|son"
    r"|fueron|incluyen|são|foram|zijn|это|являются)\b|(?:是|有|包括|为|は))\s*",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(
    r"\s*[,;、，；]\s*(?:(?:and|und|et|y|e|en|och|i|и|or)\s+)?|\s+(?:and|und|et|y|och|и|&)\s+"
    r"|(?<=[\u4e00-\u9fff])[和与及](?=[\u4e00-\u9fff])",
    re.IGNORECASE,
)
_ARROW = re.compile(r"\s*(?:→|->|=>|⟶|>|<)\s*")
_ORDINAL = re.compile(
    r"^(?:first(?:ly)?|second(?:ly)?|third(?:ly)?|finally|lastly|then|and|\d{1,3}[.)])[,:]?\s+", re.IGNORECASE
)
_CLAUSE = re.compile(r"(?:which|who|that|where|composed|consisting|because|but|so)\b", re.IGNORECASE)
_NO_ITEM = re.compile(r"[.,:;!?=。，：；！？|]|^[#>`*]")
_LINE_CHARS = 40
_LISTED = re.compile(r"[:：]\s*(?P<items>[^:：\n]+)\Z")
_MOST_ITEMS = 200
_MOST_WORDS = 12
_MOST_WORDS_OF_NAMES = 3


def asked(question: str) -> bool:
    """Tells whether a question asks for several things."""
    return _ASKS_LIST.is_in(question)


def ordered(question: str) -> bool:
    """Tells whether a question asks for things in an order."""
    return _ASKS_ORDER.is_in(question)


def given(text: str, finals: Sequence[JSON]) -> list[str] | None:
    """Returns the items that a reply lists, at least two; None where it lists none."""
    for final in finals:
        if isinstance(final, list):
            return _texts(final)
        if isinstance(final, str) and (items := _inline(final)):
            return items
    structured = _structured(text)
    if structured is not None:
        return structured
    marked = _marked(text)
    if marked:
        return marked
    if lines := _lines(text):
        return lines
    return next((items for sentence in sentences.of(text)[:3] if (items := _of_sentence(sentence))), None)


def compared(read: Sequence[list[str] | None], question: str) -> list[tuple[Hashable, JSON] | None]:
    """Returns for each list of a panel a key that is equal where they are the same, and how it is shown."""
    in_order = ordered(question)
    asked = frozenset(word.plain for word in wording.words(question))
    read = _trimmed(read)
    keys = {item: _key(item, asked) for items in read if items is not None for item in items}
    answers: list[tuple[Hashable, JSON] | None] = []
    for items in read:
        if items is None:
            answers.append(None)
            continue
        own = [keys[item] for item in items]
        answers.append((tuple(own) if in_order else frozenset(own), items))
    return answers


def firm(read: Sequence[list[str] | None]) -> bool:
    """Tells whether these lists are compared the same beside any others: where no item may be shortened by them."""
    ends = [item for items in read if items is not None for item in (items[0], items[-1])]
    return all(len(item.split()) < _MOST_WORDS_OF_NAMES for item in ends)


def _trimmed(read: Sequence[list[str] | None]) -> list[list[str] | None]:
    """Returns the lists, of their first and last items only what other lists name: "X borders A" is A where they do."""
    named = Counter(word for items in read if items is not None for word in {item.casefold() for item in items})
    known = {item for item, count in named.items() if count > 1}

    def trimmed(item: str, *, first: bool) -> str:
        words = item.split()
        if item.casefold() in known or len(words) < _MOST_WORDS_OF_NAMES:
            return item
        parts = [" ".join(words[at:] if first else words[:at]) for at in range(1, len(words))]
        return next((part for part in (parts if first else reversed(parts)) if part.casefold() in known), item)

    def shortened(items: list[str]) -> list[str]:
        return [trimmed(items[0], first=True), *items[1:-1], trimmed(items[-1], first=False)]

    return [items and shortened(items) for items in read]


def _key(item: str, asked: frozenset[str]) -> Hashable:
    """Returns what is compared of an item: its words, without those of the question if others are left."""
    words = phrases.core(item)
    fresh = tuple(word for word in words if word not in asked) if isinstance(words, tuple) else ()
    return fresh or words


def overlap(read: Sequence[list[str] | None]) -> float:
    """Returns what part of the items that are named stands in more than half of the lists: 0 for a free choice."""
    lists = [{phrases.core(item) for item in items} for items in read if items is not None]
    named = Counter(item for each in lists for item in each)
    total = sum(named.values())
    return sum(count for count in named.values() if 2 * count > len(lists)) / total if total else 0.0


def _structured(text: str) -> list[str] | None:
    found = literals.value_inside(text)
    if isinstance(found, dict) and len(found) == 1:
        found = next(iter(found.values()))
    if isinstance(found, list | tuple | set) and len(found) > 1:
        return _texts(list(found))
    return None


def _texts(items: Sequence[JSON]) -> list[str] | None:
    texts = [item if isinstance(item, str) else json.dumps(item, ensure_ascii=False, default=str) for item in items]
    return texts[:_MOST_ITEMS] if len(texts) > 1 else None


def _marked(text: str) -> list[str] | None:
    """Returns the items of the first list with marks of its own lines, those of its first level."""
    items: list[str] = []
    level: int | None = None
    bulleted = False
    for line in text.splitlines():
        mark = _MARK.match(line)
        if mark is None:
            if len(items) > 1 and bulleted and line.strip() and not line.startswith((" ", "\t")):
                break
            continue
        bulleted = not mark[0].strip()[0].isalnum()
        indent = len(line) - len(line.lstrip())
        level = indent if level is None else level
        if indent <= level:
            items.append(_head(line[mark.end() :]))
    whole = [item for item in items if item][:_MOST_ITEMS]
    return whole if len(whole) > 1 else None


def _lines(text: str) -> list[str] | None:
    """Returns the items of a reply that is nothing but short lines without a stop."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not 2 <= len(lines) <= _MOST_ITEMS or any(len(line) > _LINE_CHARS or _NO_ITEM.search(line) for line in lines):
        return None
    return lines


def _head(item: str) -> str:
    """Returns what an item names, without what is said about it."""
    emphasised = _EMPHASIS.match(item)
    named = emphasised[1] if emphasised else _GLOSS.split(item, maxsplit=1)[0] or item
    return named.strip(" *_`.:;,")


def _of_sentence(sentence: str) -> list[str] | None:
    listed = _LISTED.search(sentence)
    if listed and (items := _inline(listed["items"])):
        return items
    lead = _LEAD.match(sentence)
    return _inline(sentence[lead.end() :]) if lead else _inline(sentence)


def _inline(text: str) -> list[str] | None:
    bare = text.strip().strip("[](){}").rstrip(".。").strip()
    parts = _ARROW.split(bare) if len(_ARROW.findall(bare)) > 1 else None
    if parts is None:
        if numbers.entire(bare) is not None:
            return None
        parts = _SEPARATOR.split(bare)
    items = [_ORDINAL.sub("", part.strip(" \"'“”‘’*`")).strip(" .\"'“”‘’*`") for part in parts]
    items = [item for item in items if item][:_MOST_ITEMS]
    if len(items) < 2 or any(len(item.split()) > _MOST_WORDS or _CLAUSE.match(item) for item in items):
        return None
    return items
