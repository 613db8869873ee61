"""What is read out of one reply is kept, because one reply is in many panels: the same figures, sooner.

Only functions of a single reply are kept, by the identity of their arguments, or by their value for texts; what looks
at the whole panel runs each time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any

from ditto.domain.merging import intents, phrases, reading, summary

_SINGLE = (
    (reading, ("sheet", "quantity", "choice", "boolean", "date", "code", "structure", "phrase")),
    (intents, ("of",)),
    (phrases, ("_words", "_exact", "_ordered")),
)


def begin() -> None:
    """Keeps from now on what is read out of each reply, in this process."""
    for module, names in _SINGLE:
        for name in names:
            if hasattr(module, name):
                setattr(module, name, _kept(getattr(module, name)))
    summary.of = lambda text, answer=None: text[:80]  # a summary is of no matter here, and takes long


def _kept(function: Callable[..., Any]) -> Callable[..., Any]:
    known: dict[Hashable, tuple[Any, Any]] = {}

    @wraps(function)
    def kept(*arguments: Any) -> Any:
        key = tuple(_identity(each) for each in arguments)
        if key not in known:
            known[key] = (arguments, function(*arguments))
        return known[key][1]

    return kept


def _identity(argument: Any) -> Hashable:
    if isinstance(argument, str):
        return argument
    if isinstance(argument, tuple):
        return tuple(_identity(each) for each in argument)
    return argument if isinstance(argument, reading.Option) else id(argument)
