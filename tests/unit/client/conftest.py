from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from ditto.client.async_client import AsyncDitto
from ditto.client.cluster_backend import ClusterBackend
from ditto.client.http_backend import HttpBackend
from ditto.http.app import build
from ditto.http.limits import Limits
from ditto.settings import from_args
from tests.fakes import FakeService
from tests.unit.client.hasty import Hasty

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture(params=["http", "cluster"])
async def client(request: pytest.FixtureRequest, service: FakeService) -> AsyncIterator[AsyncDitto]:
    """The same client over a server and over an attached service."""
    if request.param == "cluster":
        async with AsyncDitto.over(ClusterBackend(service, Hasty().patience())) as attached:
            yield attached
        return

    async def factory() -> FakeService:
        return service

    app = build(factory, limits=Limits(), settings=from_args({}, source="the tests"))
    backend = HttpBackend("http://ditto", transport=httpx.ASGITransport(app), patience=Hasty().patience())
    async with app.router.lifespan_context(app), AsyncDitto.over(backend) as connected:
        yield connected
