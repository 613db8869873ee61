"""What the clients of a chaos run ask, each prompt once: the same seed asks the same questions in the same ways."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ditto.sim.asked import digest

PERSONAS = ("terse", "wordy", "careful")
_QUICK = "slow=300ms-2s"
_LONG = "slow=1s-5s"
_LONG_SHARE = 0.3
_AUTO_SHARE = 0.35


class Way(StrEnum):
    """How a client comes to its answer."""

    WAIT = "waits at /llm with a key"
    POLL = "posts to /jobs with a key and waits"
    FOLLOW = "posts to /jobs with a key and follows the events"
    FOREIGN_WAIT = "waits at /llm without a key"
    FOREIGN_POLL = "posts to /jobs without a key and asks again and again"

    @property
    def keyed(self) -> bool:
        return self in (Way.WAIT, Way.POLL, Way.FOLLOW)


_WAYS = (Way.WAIT, Way.FOREIGN_POLL, Way.FOREIGN_WAIT, Way.POLL, Way.WAIT, Way.FOLLOW, Way.FOREIGN_WAIT, Way.POLL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One question of one client."""

    number: int
    left: int
    right: int
    way: Way
    shared: bool
    slowness: str

    @property
    def prompt(self) -> str:
        return f"What is {self.left} * {self.right}?"

    @property
    def answer(self) -> int:
        return self.left * self.right

    @property
    def digest(self) -> str:
        """Returns what stands for the prompt in the models' log."""
        return digest(self.prompt)

    @property
    def models(self) -> list[str]:
        return [f"sim/{persona}+{self.slowness}" for persona in PERSONAS]

    @property
    def key(self) -> str:
        return f"case-{self.number}"

    def body(self) -> dict[str, Any]:
        """Returns the request, without its key."""
        body: dict[str, Any] = {"prompt": self.prompt, "models": self.models, "metadata": {"case": self.number}}
        return body | ({"placement": "shared"} if self.shared else {})


def cases(seed: int, first: int = 0) -> Iterator[Case]:
    """Yields cases without end.

    Args:
        first: The number of the first one: cases of the same seed from there on.
    """
    number = first
    while True:
        chance = random.Random(f"{seed}/{number}")
        yield Case(
            number=number,
            left=101 + number // 800,
            right=101 + number % 800,
            way=_WAYS[number % len(_WAYS)],
            shared=chance.random() >= _AUTO_SHARE,
            slowness=_LONG if chance.random() < _LONG_SHARE else _QUICK,
        )
        number += 1
