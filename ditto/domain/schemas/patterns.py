"""The regular expressions of a schema, matched in linear time whatever they are, by RE2.

A backtracking engine takes forever for some short pattern and some short text: `(a+)+$` and thirty times `a`. Patterns
come with requests and texts from models, and both are judged on event loops that others share. RE2 takes time that
grows with the text and with the pattern, and has neither look-around nor back-references: such patterns are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

_MAX_BYTES = 1 << 20
"""Of a compiled pattern."""
_MAX_CHARS = 10_000
_UNICODE = re.compile(r"(\\\\)|\\u([0-9a-fA-F]{4})")
_REPEATED = re.compile(r"\\.|\{\d*,?\d{5}", re.DOTALL)
_KEPT = 256
_BYTES_A_STEP = 500
"""So many bytes one instruction of a pattern is tried at in one step: ten microseconds at the worst, mostly less."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that can be searched for."""

    _compiled: Any

    def steps(self, text: str) -> int:
        """Returns how many steps a search may take at most."""
        return int(self._compiled.programsize * len(text) // _BYTES_A_STEP)

    def found_in(self, text: str) -> bool:
        """Tells whether it matches anywhere in a text."""
        return self._compiled.search(text) is not None


@lru_cache(_KEPT)
def pattern(source: str) -> Pattern:
    """Returns the pattern that a schema means, in the syntax of ECMA-262 as far as RE2 has it.

    Raises:
        ValueError: RE2 does not have it, or it is too large.
    """
    if len(source) > _MAX_CHARS:
        raise ValueError(f"is longer than {_MAX_CHARS} characters")
    if any(found[0].startswith("{") for found in _REPEATED.finditer(source)):  # RE2 would take it for a text
        raise ValueError("repeats more than 1000 times")
    options = re2.Options()
    options.never_capture = True
    options.log_errors = False
    options.max_mem = _MAX_BYTES
    try:
        return Pattern(re2.compile(_UNICODE.sub(_code_point, source), options=options))
    except re2.error as error:
        said = error.args[0]
        why = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        raise ValueError(f"{why}; patterns are RE2's, without look-around and back-references") from None


def _code_point(match: re.Match[str]) -> str:
    return match[1] or rf"\x{{{match[2]}}}"
