from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest

from ditto.http.app import build
from ditto.http.limits import Limits
from ditto.settings import from_args
from tests.fakes import DEFAULT_MODELS, FakeService

SETTINGS = from_args(
    {
        "sim_url": "http://127.0.0.1:1",
        "default_ensemble": "trio",
        "ensembles": {
            "trio": {"models": list(DEFAULT_MODELS)},
            "in turn": {"models": ["sim/alpha", "sim/beta"], "strategy": "cooperative"},
        },
    },
    source="the tests",
)

Open = Callable[[FakeService, Limits], AbstractAsyncContextManager[httpx.AsyncClient]]


@asynccontextmanager
async def _opened(service: FakeService, limits: Limits) -> AsyncIterator[httpx.AsyncClient]:
    async def factory() -> FakeService:
        return service

    app = build(factory, limits=limits, settings=SETTINGS)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    client = httpx.AsyncClient(transport=transport, base_url="http://ditto")
    async with app.router.lifespan_context(app), client:
        yield client


@pytest.fixture
def opened() -> Open:
    """Opens the application over a service, with limits of one's own."""
    return _opened


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
async def door(service: FakeService) -> AsyncIterator[httpx.AsyncClient]:
    async with _opened(service, Limits()) as client:
        yield client
