"""What processes that ask the same providers tell of themselves, and get: parts of one limit, and each other's 429s.

No process ever takes more than it has been given, and what it was given at first is so little that all may begin with
it at once (`first_share`). It is never given less, so that nobody who has lost sight of the others stands still.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ditto.settings.rates import RateLimit

FIRST = 0.1
"""Of each limit so much is dealt out for good, the same to everybody; the rest goes where it is needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A part of one limit.

    Attributes:
        part: Of its rates, from 0 to 1.
        slots: Of its calls at once; None where those are not limited.
    """

    part: float = 1.0
    slots: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a process needs of one limit.

    Attributes:
        demand: Requests that it has sent lately or that wait.
        holds: What it has; of slots as many as there are calls under way, where those are more.
    """

    demand: float
    holds: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a process tells.

    Attributes:
        needs: By the limit's name.
        refused: Models that said 429 since the last report, and for how many seconds they asked for a pause.
        heard: The number of the last refusal that it has heard of.
    """

    needs: dict[str, Need] = field(default_factory=dict)
    refused: dict[str, float] = field(default_factory=dict)
    heard: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a process is told.

    Attributes:
        shares: By the limit's name.
        refused: Models that said 429 to others since the last one heard of, and how many seconds they still ask for.
        heard: The number of the last of those.
    """

    shares: dict[str, Share] = field(default_factory=dict)
    refused: dict[str, float] = field(default_factory=dict)
    heard: int = 0


def whole(limit: RateLimit) -> Share:
    """Returns all of a limit."""
    return Share(part=1.0, slots=limit.calls_at_once)


def first_share(limit: RateLimit, processes: int) -> Share:
    """Returns what each of so many processes begins with; all of it where there is one alone."""
    if processes == 1:
        return whole(limit)
    slots = None if limit.calls_at_once is None else int(limit.calls_at_once * FIRST / processes)
    return Share(part=FIRST / processes, slots=slots)


def first_shares(limits: Mapping[str, RateLimit], processes: int) -> dict[str, Share]:
    """Returns what each of so many processes begins with, by the limit's name."""
    return {name: first_share(limit, processes) for name, limit in limits.items()}
