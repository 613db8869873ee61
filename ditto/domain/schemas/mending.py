"""A value read from slightly damaged JSON, in one pass.

Mended are: commas too many or missing, brackets and quotes that are never closed, other quotes, quotes within texts,
keys and texts without quotes, line breaks within texts, comments, and the constants of Python. A field that was cut
off before its value is left out: nothing is made up.

The library for this, json-repair, takes time that grows with the square of the damage: 2.8 s for eight kilobytes of
`a"b"` behind a bracket. A reply is read on an event loop that a thousand jobs share, and any model may send such a one;
here the time is linear.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from ditto.domain.spec import JSON

_MAX_CHARS = 65_536
_MAX_STARTS = 3
_MAX_DEPTH = 100
_SKIPPED = re.compile(r"(?:\s+|//[^\n]*|/\*.*?(?:\*/|\Z))*", re.DOTALL)
_KEY = re.compile(r"[\w$.-]+")
_WORD = re.compile(r"(?:(?!\s//)[^,{}\[\]\n\"])+")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_CLOSES = re.compile(r"\s*(?:[,:}\]]|\Z)|[ \t]*\n\s*[\"'“]|[ \t]*/[/*]")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.|\Z)|\"", re.DOTALL)
_QUOTES = {'"': '"', "'": "'", "“": "”"}
_MARKS = {quote: re.compile(rf"\\.|{quote}", re.DOTALL) for quote in _QUOTES.values()}
_CONSTANTS: dict[str, JSON] = {"true": True, "false": False, "null": None, "none": None}

_NO_NUMBERS = ("nan", "infinity", "inf")


def mended(text: str) -> Iterator[JSON]:
    """Yields the values that stand at the first brackets of a text, nothing where it is too long."""
    position = 0
    for _ in range(_MAX_STARTS):
        start = re.compile(r"[\[{]").search(text, position)
        if start is None or len(text) - start.start() > _MAX_CHARS:
            return
        reader = _Reader(text, start.start())
        try:
            yield reader.value()
            position = reader.at
        except ValueError:
            position = start.end()


class _Reader:
    """Reads values from a text; `at` is how far it has come."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self._depth = 0
        self.at = at

    def value(self) -> JSON:
        """Returns the value that stands here.

        Raises:
            ValueError: There is none that can be made out.
        """
        sign = self._sign()
        if sign in _QUOTES:
            return self._quoted()
        if sign not in ("{", "["):
            return self._word()
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ValueError("nested too deeply")
        self.at += 1
        found = self._object() if sign == "{" else self._list()
        self._depth -= 1
        return found

    def _object(self) -> JSON:
        found: dict[str, JSON] = {}
        while not self._ended("}"):
            key = self._quoted() if self._sign() in _QUOTES else self._matched(_KEY)
            sign = self._sign()
            if sign == ":":
                self.at += 1
                if self._sign() not in ("", ",", "}", "]"):
                    found[key] = self.value()
            elif sign != "":
                raise ValueError("a key without a value")
        return found

    def _list(self) -> JSON:
        found: list[JSON] = []
        while not self._ended("]"):
            found.append(self.value())
        return found

    def _ended(self, bracket: str) -> bool:
        """Tells whether the object or list ends here, by its bracket, by the end, or by a bracket of one around it."""
        while (sign := self._sign()) == ",":
            self.at += 1
        if sign == bracket:
            self.at += 1
        elif sign in ("}", "]") and self._depth == 1:
            raise ValueError("a bracket that closes nothing")
        return sign in ("", "}", "]")

    def _quoted(self) -> str:
        closing = _QUOTES[self._text[self.at]]
        start = end = self.at + 1
        self.at = len(self._text)
        for mark in _MARKS[closing].finditer(self._text, start):
            if mark[0] == closing and _CLOSES.match(self._text, mark.end()):
                end, self.at = mark.start(), mark.end()
                break
        else:
            end = len(self._text)
        return str(json.loads(f'"{_ESCAPE.sub(_escaped, self._text[start:end])}"', strict=False))

    def _word(self) -> JSON:
        word = self._matched(_WORD).strip()
        if word.lower() in _CONSTANTS:
            return _CONSTANTS[word.lower()]
        if word.lstrip("-").lower() in _NO_NUMBERS:
            raise ValueError("a number that JSON does not have")
        return json.loads(word) if _NUMBER.fullmatch(word) else word

    def _matched(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self.at)
        if match is None:
            raise ValueError("neither a key nor a value")
        self.at = match.end()
        return match[0]

    def _sign(self) -> str:
        skipped = _SKIPPED.match(self._text, self.at)
        self.at = skipped.end() if skipped else self.at
        return self._text[self.at : self.at + 1]


def _escaped(match: re.Match[str]) -> str:
    if match[0] == '"':
        return '\\"'
    if len(match[1]) > 1 or match[1] in tuple('"\\/bfnrt'):
        return match[0]
    return match[1] if match[1] in ("", "'") else f"\\\\{match[1]}"
