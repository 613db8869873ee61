"""Hostile requests at a running service: all are answered or cut off, none by an error of ours, and it goes on."""

from __future__ import annotations

import asyncio

from tests.hostile.run import run

REQUESTS = 250
GROWTH_MB = 600
NORMAL_S = 10


def test_hostile_requests_break_nothing_and_are_told_nothing(serving):
    figures = asyncio.run(run(serving.url, requests=REQUESTS, seed=3, store=serving.store))

    assert figures.wrong == []
    assert figures.requests == REQUESTS
    assert figures.polite > 0
    assert figures.normal_after_s < NORMAL_S
    *_, warm, end = figures.resident_mb
    assert {part: end[part] - warm[part] for part in end if end[part] - warm.get(part, end[part]) > GROWTH_MB} == {}
