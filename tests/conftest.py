"""What tests of every kind may ask for: a PostgreSQL server, begun once for the whole run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.postgres import Server, begun


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with begun() as server:
        yield server
