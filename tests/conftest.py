"""What tests of every kind may ask for: a PostgreSQL server, begun once for the whole run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.postgres import Server, begun

settings.register_profile("ditto", deadline=None)  # a busy machine is slow without anything being wrong
settings.load_profile("ditto")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with begun() as server:
        yield server
