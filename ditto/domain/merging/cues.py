"""Cues: words or signs that tell what a question asks for or how a reply opens, in letters of any case.

An expression that ignores case is tried in full at every letter of a text. One in small letters skips the places where
it cannot begin, and is several times as fast. So a text in ASCII is put into small letters first, which changes nothing
but the case, and only other texts are searched by the slow one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence


class Cue:
    """What is looked for, as expressions in small letters: `words` begin where a word begins, `signs` anywhere.

    None may hold a letter outside ASCII that is one inside in another case (`ı` and `ſ`).

    Attributes:
        pattern: All of them as one expression.
    """

    def __init__(self, *words: str, signs: Sequence[str] = (), flags: re.RegexFlag = re.NOFLAG) -> None:
        alternatives = [rf"\b(?:{'|'.join(words)})", *signs] if words else signs
        self.pattern = "|".join(alternatives)
        self._small = re.compile(self.pattern, flags)
        self._any = re.compile(self.pattern, flags | re.IGNORECASE)

    def is_in(self, text: str) -> bool:
        """Tells whether one of them stands in a text."""
        found = self._small.search(text.lower()) if text.isascii() else self._any.search(text)
        return found is not None


class Hints:
    """Pieces of words in small letters of which one stands in every text that an expression is worth trying on."""

    def __init__(self, *pieces: str) -> None:
        self._all = pieces
        self._ascii = tuple(piece for piece in pieces if piece.isascii())

    def are_in(self, text: str) -> bool:
        """Tells whether one of them stands in a text."""
        lowered = text.lower()
        for piece in self._ascii if lowered.isascii() else self._all:  # noqa: SIM110  # half the time of any()
            if piece in lowered:
                return True
        return False
