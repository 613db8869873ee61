"""How a Ray actor is made of a plain class, and how it is begun.

Every actor has a name in the namespace `ditto`, is detached and restarted for ever; what it held it finds again in the
journal. A job's own actor is `job:<id>`, a shared holder `host:<n>-<cluster and version>`, a caller of models
`caller:<n>-<version>`; there is one `keeper`, and one `sim` where simulated models are asked.

Each kind has a file of its own, because an actor is a new process, and what its file imports is most of its start.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine
from typing import Any

import ray
from ray.actor import ActorHandle

from ditto.errors import ConfigurationError, StoreUnavailable
from ditto.runtime.actors.homes import HEAD, placed
from ditto.runtime.actors.refs import NAMESPACE
from ditto.version import VERSION

ON_HEAD = {HEAD: 0.0001}
"""What an actor asks for that may live on the head node alone."""
START_PAUSE_S = 1.0
_AT_ONCE = 100_000

log = logging.getLogger("ditto.actors")


def actor(kind: type) -> Any:
    """Returns the Ray actor of a plain class: it takes no core, comes back for ever, and does much at once."""
    options: dict[str, Any] = {"num_cpus": 0, "max_restarts": -1, "max_concurrency": _AT_ONCE}
    return ray.remote(**options)(kind)


def check_version(version: str) -> None:
    """Ends an actor that Ray has begun again with other code than it was created with."""
    if version != VERSION:
        raise ConfigurationError(f"this actor was created by Ditto {version}; this process runs {VERSION}")


def create(kind: Any, name: str, *args: Any, with_journal: bool = False) -> ActorHandle[Any]:
    """Returns the actor of this name, begun now if it is not there.

    Args:
        with_journal: It opens the journal, which is a file of the head node's: it may live nowhere else.
    """
    handle: ActorHandle[Any] = kind.options(
        name=name,
        namespace=NAMESPACE,
        lifetime="detached",
        get_if_exists=True,
        **({"resources": ON_HEAD} if with_journal else placed(name)),
    ).remote(*args)
    return handle


def begin(start: Callable[[], Coroutine[None, None, None]]) -> asyncio.Task[None]:
    """Runs an actor's start in the background."""
    return asyncio.get_running_loop().create_task(_start_or_exit(start))


async def _start_or_exit(start: Callable[[], Coroutine[None, None, None]]) -> None:
    """Starts, again and again while the store is away; for any other failure Ray begins the process again."""
    while True:
        try:
            await start()
        except StoreUnavailable as error:
            log.warning("start waits for the store", extra={"reason": str(error)})
            await asyncio.sleep(START_PAUSE_S)
        except Exception:  # whatever it is, it is logged, and Ray begins the process again
            log.exception("start failed")
            await asyncio.sleep(START_PAUSE_S)
            os._exit(1)
        else:
            return
