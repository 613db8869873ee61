"""Where an actor listens for the other processes of its node, and whether it does."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import ray
from ray._private import worker

from ditto.runtime.local_channels import LocalChannel, Method, listen

log = logging.getLogger("ditto.actors")


async def listen_as(name: str, methods: Iterable[Method]) -> asyncio.Server | None:
    """Has this process, the actor of this name, answer at its path; where it cannot, messages go through Ray.

    Args:
        methods: Of the actor; they are asked for by their names.
    """
    path = _path(name)
    if path is None:
        return None
    try:
        return await listen(path, {method.__name__: method for method in methods})
    except OSError as error:
        log.warning("no channels to this actor", extra={"actor": name, "reason": str(error)})
        return None


def channel_to(name: str) -> LocalChannel | None:
    """Returns the channel to the actor of this name, should it be on this node; None where there can be none."""
    path = _path(name)
    return None if path is None else LocalChannel(path)


def forget_channel(name: str) -> None:
    """Removes what an actor that was killed has left at its path."""
    path = _path(name)
    if path is not None:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _path(name: str) -> Path | None:
    """Returns the path of an actor on this process's node, which lies in its Ray session's folder."""
    node = worker.global_worker.node
    if node is None:  # a client of Ray's on another machine
        return None
    named = f"{ray.get_runtime_context().get_node_id()} {name}"
    return Path(node.get_session_dir_path(), "ditto", hashlib.sha256(named.encode()).hexdigest()[:12])
