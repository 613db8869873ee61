"""The OpenAPI document is true: Schemathesis asks everything that it allows and much that it forbids, in sequences too.

The application runs as it is, over a service in memory whose models answer at once. What no schema can say is said
here: which models there are, and that the last message is a user's.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from ditto.domain.tenants import OPERATOR
from ditto.http.app import build
from ditto.http.limits import Limits
from tests.fakes import FakeService
from tests.unit.http.conftest import SETTINGS

KEY = "the-key-of-the-test"
"""Whether a request without it, or with another, is refused wherever the document says so is one of the checks."""
SEED = 7
EXAMPLES = 12
LIMIT_S = 280
NAMES = ["sim/alpha", "sim/beta"]
ORDER = '{"item": "lamp", "count": 3, "total": 59.7}'
SCHEMAS: list[Any] = [{}, {"type": "object"}, {"type": "object", "required": ["item"]}, None]
USER = {
    "type": "object",
    "properties": {"role": {"const": "user"}, "content": {"type": "string", "pattern": r"\S"}},
    "required": ["role", "content"],
    "additionalProperties": False,
}
CHECKS = """
[checks] # all of them; 422: another request has the key, 502 and 504: the models failed
positive_data_acceptance.expected-statuses = ["2xx", "404", "409", "422", "502", "504"]
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "502", "504"]

[[operations]]
include-name = "GET /jobs/{job_id}/ws" # no HTTP client can speak what it speaks
checks.positive_data_acceptance.expected-statuses = ["400"]

[[operations]]
include-name = "GET /jobs" # cursors are those that a list has given
checks.positive_data_acceptance.expected-statuses = ["2xx", "400"]

[[operations]]
include-name = "POST /jobs/{job_id}/merge" # weights name models of the job
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "404", "409"]
"""


class Answering(dict[str, str]):
    """Models that all give the same typed answer."""

    def get(self, name: object, otherwise: Any = None) -> Any:
        return super().get(str(name), ORDER)


@pytest.fixture
def served() -> Iterator[str]:
    """The application on loopback."""
    service = FakeService()
    service.replies = Answering()
    service.keys = {KEY: OPERATOR}

    async def factory() -> FakeService:
        return service

    app = build(factory, limits=Limits(), settings=SETTINGS)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", ws="none"))
    begun = threading.Event()

    async def serve() -> None:
        config = server.config
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        begun.set()
        await server.main_loop()
        await server.shutdown()

    running = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    running.start()
    assert begun.wait(60)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    running.join(60)


def told(document: dict[str, Any]) -> dict[str, Any]:
    """Returns the document with what only this service knows."""
    shapes = document["components"]["schemas"]
    model, turns = {"enum": NAMES}, {"type": "array", "items": USER, "minItems": 1}
    shapes["Request"]["properties"] |= {
        "models": {"type": ["array", "null"], "items": model, "minItems": 1},
        "judge": {"enum": [*NAMES, None]},
        "ensemble": {"enum": ["trio", None]},
        "messages": {**turns, "type": ["array", "null"]},
        "schema": {"enum": SCHEMAS},
    }
    shapes["ChatRequest"]["properties"] |= {"model": model, "messages": turns}
    shapes["ResponsesRequest"]["properties"] |= {"model": model, "input": turns}
    for operation in (operation for path in document["paths"].values() for operation in path.values()):
        operation["security"] = [needed for needed in operation["security"] if needed]  # where there are keys
    for path in ("/llm", "/jobs"):  # the key is given once, and here in the body
        document["paths"][path]["post"]["parameters"] = []
    return document


def test_every_answer_is_as_the_document_says(served: str, tmp_path: Path) -> None:
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(told(httpx.get(f"{served}/openapi.json").json())), encoding="utf-8")
    (tmp_path / "schemathesis.toml").write_text(CHECKS, encoding="utf-8")
    script = str(Path(sys.executable).with_name("schemathesis"))
    shows = ("--header", f"Authorization: Bearer {KEY}")
    options = ("--seed", str(SEED), "-n", str(EXAMPLES), "--workers", "1", "--no-color", "--continue-on-failure")

    asked = subprocess.run(
        [script, "run", str(document), "--url", served, "--generation-deterministic", "--no-shrink", *shows, *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )

    assert asked.returncode == 0, asked.stdout[-20_000:] + asked.stderr[-2_000:]
