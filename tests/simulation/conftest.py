"""Processes for searching seeds, begun once for all tests that search."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulation.searching import Searchers


@pytest.fixture(scope="package")
def searchers() -> Iterator[Searchers]:
    with Searchers(processes=2) as begun:
        yield begun
