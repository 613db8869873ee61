"""Listening to a holder that may have fallen silent: its process may be frozen, and then it never answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from ditto.errors import HolderGone

T = TypeVar("T")
PATIENCE_S = 5.0
"""A holder that is silent for so much longer than it was asked to wait is taken for gone: it may be frozen."""


async def heard(answer: Awaitable[T], wait_s: float) -> T:
    """Returns what a holder says, which has so long to say it.

    Raises:
        HolderGone: It is silent.
    """
    try:
        async with asyncio.timeout(wait_s + PATIENCE_S):
            return await answer
    except TimeoutError:
        raise HolderGone("the holder does not answer") from None
