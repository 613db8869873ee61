"""What is read out of one reply is kept, because one reply is in many panels: the same figures, sooner.

Only functions of a single reply are kept; what looks at the whole panel runs each time.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ditto.domain.merging import booleans, intents, options, reading, structures, summary, values
from ditto.domain.schemas import Validator


def begin() -> None:
    """Keeps from now on what is read out of each reply and each question, in this process."""
    reading.sheet = cache(reading.sheet)
    intents.of = cache(intents.of)
    for module, name in ((options, "offered"), (options, "several"), (booleans, "asked"), (values, "_text_key")):
        if hasattr(module, name):
            setattr(module, name, cache(getattr(module, name)))
    vars(structures)["Validator"] = _validator
    summary.of = lambda text, answer=None: text[:80]  # a summary is of no matter here, and takes long


_validators: dict[int, tuple[dict[str, Any], Validator]] = {}


def _validator(schema: dict[str, Any]) -> Validator:
    if id(schema) not in _validators:
        _validators[id(schema)] = (schema, Validator(schema))
    return _validators[id(schema)][1]
