"""What acceptance tests share: simulated models and a service, each a process of its own, started as a user does."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.acceptance.heads import Head, started_head
from tests.acceptance.processes import process, said

DITTO = str(Path(sys.executable).with_name("ditto"))
START_S = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A running `ditto serve`, the simulated models that it asks, and its Ray cluster's address."""

    url: str
    ray: str
    sim: str
    store: Path
    environ: dict[str, str]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.acceptance)


@contextlib.contextmanager
def simulated_models(folder: Path, *options: str) -> Iterator[str]:
    """Yields the address of simulated models of their own."""
    log = folder / "sim.log"
    command = (DITTO, "sim", "--port", "0", *options)
    with process(*command, environ=dict(os.environ), log=log) as running:
        yield said(r"models, at (http://\S+)", log, running)[1]


@contextlib.contextmanager
def service(folder: Path, sim: str, **variables: str) -> Iterator[Serving]:
    """Yields a `ditto serve` of its own, ready."""
    store = folder / "journal.db"
    environ = {**os.environ, "DITTO_STORE": str(store), "DITTO_SIM_URL": sim, **variables}
    log = folder / "serve.log"
    with process(DITTO, "serve", "--port", "0", environ=environ, log=log) as running:
        url = said(r"Ditto at (http://[\d.:]+)", log, running)[1]
        ray = said(r"Ray +(\S+)", log, running)[1]
        _until_ready(url)
        yield Serving(url=url, ray=ray, sim=sim, store=store, environ=environ)


@pytest.fixture(scope="session")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with simulated_models(tmp_path_factory.mktemp("sim")) as url:
        yield url


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory, sim: str) -> Iterator[Serving]:
    with service(tmp_path_factory.mktemp("serve"), sim) as running:
        yield running


@pytest.fixture
def own_environ(tmp_path: Path, sim: str) -> dict[str, str]:
    """Returns the environment of a service with a journal of its own."""
    return {**os.environ, "DITTO_STORE": str(tmp_path / "journal.db"), "DITTO_SIM_URL": sim}


@pytest.fixture(scope="module")
def head(sim: str) -> Iterator[Head]:
    with started_head(sim) as head:
        yield head


@pytest.fixture
def http(serving: Serving) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=serving.url, timeout=60) as client:
        yield client


def _until_ready(url: str) -> None:
    until = time.monotonic() + START_S
    while (answer := httpx.get(f"{url}/readyz", timeout=START_S)).status_code != 200:
        assert time.monotonic() < until, answer.text
        time.sleep(0.2)
