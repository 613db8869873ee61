"""The actor that serves the simulated models, which every node's callers reach."""

from __future__ import annotations

import asyncio
import socket

from ray.exceptions import RayError

from ditto.errors import HolderGone
from ditto.runtime import freed_memory
from ditto.runtime.actors.beginning import actor, begin, create
from ditto.runtime.actors.names import SIM


class _SimActor:
    """Serves the simulated models on loopback, on the port that it was created with."""

    def __init__(self, port: int) -> None:
        freed_memory.give_back()
        self._port = port
        self._url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._start = begin(self._serve)

    async def url(self) -> str:
        return await asyncio.shield(self._url)

    async def _serve(self) -> None:
        from ditto.sim import server as sim_server  # heavy, and needed in no other actor

        self._running = await sim_server.start("127.0.0.1", self._port)
        self._url.set_result(self._running.url)


SimActor = actor(_SimActor)


async def sim_url() -> str:
    """Returns the address of this cluster's simulated models, started now if they are not there.

    Raises:
        HolderGone: They do not start.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    try:
        url: str = await create(SimActor, SIM, port).url.remote()
    except RayError as error:
        raise HolderGone(f"the simulated models do not start: {type(error).__name__}") from error
    return url
