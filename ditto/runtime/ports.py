"""Ports of this machine that a service takes for itself."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

from ditto.errors import ConfigurationError

_PORTS = range(20_000, 30_000)
"""Between those of Ray's workers and those that Serve takes unless it is told otherwise."""
_PORTS_EACH = 50


def is_loopback(host: str) -> bool:
    """Tells whether only this machine can reach what listens on this address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def usable_port(host: str, port: int) -> int:
    """Returns this port, or for 0 a free one.

    Raises:
        ConfigurationError: It cannot be listened on.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(probe, host, port)
        usable: int = probe.getsockname()[1]
        return usable


@contextmanager
def held_port(host: str, port: int) -> Iterator[int]:
    """Yields this port, or for 0 a free one, and keeps it for who is to listen on it while the block runs.

    A service takes half a minute to come up, and a port that nobody has bound may be given to the next connection of
    anybody. On Linux a port that is bound so can be listened on by who asks for its number, and nobody else gets it.
    HAProxy shares its port with any other that does, so who asks is first refused a port that somebody listens on, and
    one that another service is about to listen on.

    Raises:
        ConfigurationError: It cannot be listened on.
    """
    if sys.platform != "linux":
        yield usable_port(host, port)
        return
    with socket.socket() as holding, socket.socket(socket.AF_UNIX) as only:
        if port:
            holding.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that have ended are no obstacle
        _bind(holding, host, port)
        address, held = holding.getsockname()
        try:
            only.bind(f"\0ditto-{address}:{held}")  # a name without a file: it goes with the process
        except OSError:
            raise ConfigurationError(f"{host}:{held} cannot be used: another service begins there") from None
        _share(holding)
        yield held


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


def _bind(unbound: socket.socket, host: str, port: int) -> None:
    try:
        unbound.bind((host, port))
    except OSError as error:
        raise ConfigurationError(f"{host}:{port} cannot be used: {error.strerror}") from None


def _share(holding: socket.socket) -> None:
    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
        holding.setsockopt(socket.SOL_SOCKET, option, 1)
