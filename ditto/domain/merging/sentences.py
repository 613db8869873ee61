"""A reply as whole sentences: where they end in any script, and which parts of a reply are no sentences at all."""

from __future__ import annotations

import re

_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_LINE_MARK = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|[-*+•][ \t]+|>[ \t]+|\d{1,3}[.)][ \t]+)")
_EMPHASIS = re.compile(r"(\*\*|__)(?=\S)([^*_\n]{1,400})(?<=\S)\1")
_END = re.compile(
    r"""(?:
        (?<=[.!?…])(?:["'”’)\]»*]*)(?=\s+(?:["'“‘(\[«*¿¡$\\]*)(?:[^\W\d_a-z]|\d|[^\w\s]))  # a space follows
      | (?<=[。！？｡።॥।؟۔])(?:["'”’）」』»]*)\s*  # no space follows
    )""",
    re.VERBOSE,
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s.(\"'“])(?:[A-Z]|[Mm]rs?|[Mm]s|[Dd]r|[Pp]rof|[Ss]t|[Jj]r|[Ss]r|[Nn]o|vs|etc|e\.g|i\.e|cf|approx|ca|[Ff]ig|[Vv]ol|"
    r"Gen|Sen|Rep|Lt|Col|Sgt|Capt|Inc|Ltd|Co|Corp|a\.m|p\.m|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.$"
)
_SENTENCE_LIKE = re.compile(r"\w|[^\x00-\x7f]")


def of(text: str) -> list[str]:
    """Returns the sentences of a reply in order; code blocks and marks of lists and headings are left out."""
    found: list[str] = []
    for line in _FENCE.sub("\n", text).splitlines():
        bare = _EMPHASIS.sub(r"\2", _LINE_MARK.sub("", line)).strip()
        if bare and _SENTENCE_LIKE.search(bare):
            found.extend(_split(bare))
    return found


def _split(line: str) -> list[str]:
    found: list[str] = []
    start = 0
    for match in _END.finditer(line):
        piece = line[start : match.end()].strip()
        if _ABBREVIATION.search(piece):
            continue
        if piece:
            found.append(piece)
        start = match.end()
    rest = line[start:].strip()
    if rest:
        found.append(rest)
    return found
