"""What Ditto's actors are called."""

from __future__ import annotations

from zlib import crc32

import ray
from ulid import ULID

from ditto.runtime.roles import CALLER, HOST, KEEPER
from ditto.settings import Settings
from ditto.version import VERSION

__all__ = ["KEEPER", "SIM", "caller_names", "new_id", "shared_names"]

SIM = "sim"


def new_id() -> str:
    """Returns an id that sorts by the moment at which it was made."""
    return str(ULID())


def caller_names(settings: Settings) -> list[str]:
    """Returns the names of the callers of models; they are this version's own."""
    return [f"{CALLER}{number}-{_mark(VERSION)}" for number in range(settings.runtime.callers)]


def shared_names(settings: Settings) -> list[str]:
    """Returns the names of the shared hosts.

    They are this cluster's own and this version's: several may share one journal, in which a name is one holder's.
    """
    mark = _mark(f"{ray.get_runtime_context().get_session_name()} {VERSION}")
    return [f"{HOST}{number}-{mark}" for number in range(settings.runtime.hosts)]


def _mark(text: str) -> str:
    return f"{crc32(text.encode()):08x}"
