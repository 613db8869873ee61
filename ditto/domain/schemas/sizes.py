"""Which values of a reply can be kept: JSON that can be written again, and is not too large to be worked on.

Python reads more than JSON allows: `1e999` becomes infinity, and `"\\ud83d"` a text that has no bytes.
"""

from __future__ import annotations

import math

from ditto.domain.spec import JSON
from ditto.errors import Misfit

MAX_PARTS = 100_000
_MAX_DEPTH = 100


def parts(value: JSON) -> int:
    """Returns of how many values this one is made, itself included.

    Raises:
        Misfit: It cannot be kept.
    """
    count, level = 0, [value]
    for _ in range(_MAX_DEPTH):
        count += len(level)
        if count > MAX_PARTS:
            raise Misfit(f"the value is made of more than {MAX_PARTS} values")
        below: list[JSON] = []
        for part in level:
            if isinstance(part, dict):
                below.extend(part)
                below.extend(part.values())
            elif isinstance(part, list):
                below.extend(part)
            else:
                _check(part)
        if not below:
            return count
        level = below
    raise Misfit(f"the value is nested deeper than {_MAX_DEPTH} levels")


def _check(plain: JSON) -> None:
    if isinstance(plain, str):
        try:
            plain.encode()
        except UnicodeEncodeError:
            raise Misfit("the value holds half of a surrogate pair, which is no text") from None
    elif isinstance(plain, float) and not math.isfinite(plain):
        raise Misfit("the value holds a number that is not finite")
