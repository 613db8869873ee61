"""What Serve is told of a request before it takes it."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from ditto.http import unwatched

SAID = (b"x-request-disconnect-disabled", b"?1")
OTHER = (b"host", b"ditto")


async def told(scope: dict[str, Any]) -> Scope:
    """Returns the scope as Serve gets it."""
    seen: list[Scope] = []

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    async def nothing() -> Message:
        raise AssertionError("nobody reads here")

    async def unsent(message: Message) -> None:
        raise AssertionError("nobody answers here")

    [layer] = unwatched.layers()
    await layer.cls(serve, *layer.args, **layer.kwargs)(scope, nothing, unsent)
    return seen[0]


@pytest.mark.parametrize(("method", "headers"), [("POST", [OTHER, SAID]), ("GET", [OTHER])])
@pytest.mark.parametrize("given", [[OTHER], [OTHER, SAID], [(SAID[0], b"?0"), OTHER]])
async def test_only_a_post_listens_for_its_hang_up_itself_whatever_its_client_says(
    method: str, headers: list[tuple[bytes, bytes]], given: list[tuple[bytes, bytes]]
) -> None:
    assert (await told({"type": "http", "method": method, "headers": given}))["headers"] == headers


async def test_a_web_socket_is_left_as_it_is() -> None:
    scope = {"type": "websocket", "headers": [OTHER]}

    assert await told(scope) == scope


def test_a_replica_finds_the_layers_by_the_name_that_it_is_given() -> None:
    module, _, name = unwatched.LAYERS["RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH"].rpartition(".")

    assert getattr(importlib.import_module(module), name) is unwatched.layers
