"""Ports of this machine that a service takes for itself."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from ditto.errors import ConfigurationError

_PORTS = range(20_000, 30_000)
"""Between those of Ray's workers and those that Serve takes unless it is told otherwise."""
_PORTS_EACH = 50


def usable_port(host: str, port: int) -> int:
    """Returns this port, or for 0 a free one.

    Raises:
        ConfigurationError: It cannot be listened on.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(f"{host}:{port} cannot be used: {error.strerror}") from None
        usable: int = probe.getsockname()[1]
        return usable


def free_port() -> int:
    """Returns a port of loopback that nobody listens on."""
    return usable_port("127.0.0.1", 0)


@contextmanager
def own_ports() -> Iterator[range]:
    """Yields ports that no other service of Ditto's on this machine uses while the block runs.

    With ports in common one service's ingress passes requests on to the other: to whoever has got the port of its dead
    replica meanwhile. The port before the range is held as its lock.

    Raises:
        ConfigurationError: They are all in use.
    """
    for first in _PORTS[::_PORTS_EACH]:
        with socket.socket() as lock:
            try:
                lock.bind(("127.0.0.1", first))
            except OSError:
                continue
            yield range(first + 1, first + _PORTS_EACH)
            return
    raise ConfigurationError(f"as many services run on this machine as the ports {_PORTS.start} to {_PORTS.stop} allow")
