"""What is read out of one reply is kept, because one reply is in many panels: the same figures, sooner.

Only functions of a single reply are kept; what looks at the whole panel runs each time.
"""

from __future__ import annotations

from functools import cache

from ditto.domain.merging import intents, reading, summary


def begin() -> None:
    """Keeps from now on what is read out of each reply, in this process."""
    reading.sheet = cache(reading.sheet)
    intents.of = cache(intents.of)
    summary.of = lambda text, answer=None: text[:80]  # a summary is of no matter here, and takes long
