"""How long one merge takes: processor time in this process (others may want the machine too), nothing kept."""

from __future__ import annotations

import random
from time import process_time

from ditto.domain.merging import merge
from ditto.domain.verdict import Ballot

SIZES = (3, 5, 20, 100, 1000)
_REPEATS = 15


def merge_ms() -> dict[int, float]:
    """Returns the median processor time of a merge of short answers for panels of each size, in milliseconds."""
    return {size: _median_ms(size) for size in SIZES}


def _median_ms(size: int) -> float:
    times = []
    for number in range(_REPEATS if size < 1000 else 3):
        chance = random.Random(number)
        ballots = [
            Ballot(
                call=f"m{at}", model=f"m{at}", text=f"The answer is {chance.choice((12, 12, 12, 14, number + at % 7))}."
            )
            for at in range(size)
        ]
        began = process_time()
        merge(f"How many apples are left, {number}?", ballots, schema=None, answer=None, review_threshold=0.5)
        times.append((process_time() - began) * 1000.0)
    return sorted(times)[len(times) // 2]
