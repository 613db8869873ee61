"""A reply as whole sentences: where they end in any script, and which parts of a reply are no sentences at all."""

from __future__ import annotations

import re

_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_LINE_MARK = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|[-*+•‣◦][ \t]+|>[ \t]+)")
_NUMBER_MARK = re.compile(r"^[ \t]*\d{1,3}[.)][ \t]+")
_TABLE = re.compile(r"^[ \t]*\|")
_EMPHASIS = re.compile(r"(\*\*|__)(?=\S)([^*_\n]{1,400})(?<=\S)\1")
_END = re.compile(
    r"""(?:
        (?<=[.!?…])(?:["'”’)\]»*]*)(?=\s+(?:["'“‘(\[«*¿¡$\\]*)(?:[^\W\d_a-z]|\d|[^\w\s]))  # a space follows
      | (?<=[。！？｡।॥۔؟])(?:["'”’）」』»]*+)\s*+(?!と)  # no space follows
    )""",
    re.VERBOSE,
)
_STOP = re.compile("[.!?…。！？｡।॥۔؟]")
_ABBREVIATION = re.compile(
    r"(?:^|[\s.(\"'“])(?:[A-ZÀ-ÞА-Я]|[Mm]rs?|[Mm]s|[Mm]me|[Dd]r|[Dd]ra|[Pp]rof|[Ss]t|[Ss]ra?|[Jj]r|vs"
    r"|etc|e\.g"
    r"|i\.e|cf|approx|ca|[Ff]ig|[Vv]ol|[Cc]h|[Ee]d|pp?|Gen|Sen|Rep|Gov|Pres|Lt|Col|Sgt|Capt|Cmdr|Hon|Rev|Mt|Ft|Ave|Blvd"
    r"|Inc|Ltd|Co|Corp|Bros|Dept|Univ|Ph\.D|a\.m|p\.m|A\.M|P\.M|B\.C|A\.D|U\.S|z\. ?B|d\. ?h|u\. ?a|bzw|usw|ggf"
    r"|Abs|Art|Str"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|т\. ?е|т\. ?д|г|гг|ул|им)\.$"
)
_ABBREVIATION_CHARS = 12
_NUMBER_END = re.compile(r"(?:^|\s)\d{1,2}\.$")
_MONTH_NEXT = re.compile(
    r"\s+(?:Jan|Feb|Mär|Mar|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez|Jahrhundert|Jh\b|Mai|января|февраля|stycznia)"
)
_NUMBERS = re.compile(r"(?:^|[\s(])(?:[Nn]o|[Nn]r)\.$")
_DIGIT_NEXT = re.compile(r"\s*\d")
_IN_PARTS = re.compile(r"(?:^|\s)[zduisop]\.\Z")
_NEXT_PART = re.compile(r"\s(?:B|Ä|h|a|d|O|S|ex|e)\.")
"""Abbreviations of two letters with a space between, as German writes them: z. B."""

_SENTENCE_LIKE = re.compile(r"\w|[^\x00-\x7f]")


def is_word(text: str) -> bool:
    """Tells whether a text is one word or number of ASCII alone: nothing in it parts, marks or quotes anything."""
    return text.isascii() and text.isalnum()


def of(text: str) -> list[str]:
    """Returns the sentences of a reply in order; code, tables and marks of lists and headings are left out."""
    if is_word(text):
        return [text]
    found: list[str] = []
    lines = (_FENCE.sub("\n", text) if "```" in text else text).splitlines()
    numbered = len(lines) > 1 and sum(_NUMBER_MARK.match(line) is not None for line in lines) > 1
    for line in lines:
        if "|" in line and _TABLE.match(line):
            continue
        bare = _without(_LINE_MARK, line)
        if numbered:
            bare = _without(_NUMBER_MARK, bare)
        if "**" in bare or "__" in bare:
            bare = _EMPHASIS.sub(r"\2", bare)
        bare = bare.strip()
        if bare and _SENTENCE_LIKE.search(bare):
            found.extend(_split(bare))
    return found


def _without(mark: re.Pattern[str], line: str) -> str:
    """Returns a line without the mark that it begins with, if it does."""
    begins = mark.match(line)
    return line[begins.end() :] if begins else line


def _goes_on(tail: str, line: str, end: int) -> bool:
    """Tells whether a stop ends an abbreviation or an ordinal number rather than a sentence."""
    if _ABBREVIATION.search(tail):
        return True
    if _NUMBERS.search(tail):
        return _DIGIT_NEXT.match(line, end) is not None and not line.startswith(("No. ", "no. "))
    if _NUMBER_END.search(tail):
        return _MONTH_NEXT.match(line, end) is not None
    return _IN_PARTS.search(tail) is not None and _NEXT_PART.match(line, end) is not None


def _split(line: str) -> list[str]:
    if not _STOP.search(line, 0, len(line) - 1):
        return [line]
    found: list[str] = []
    start = 0
    for match in _END.finditer(line):
        tail = line[max(start, match.end() - _ABBREVIATION_CHARS) : match.end()].rstrip()
        if _goes_on(tail, line, match.end()):
            continue
        piece = line[start : match.end()].strip()
        if piece:
            found.append(piece)
        start = match.end()
    rest = line[start:].strip()
    if rest:
        found.append(rest)
    return found
