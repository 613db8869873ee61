"""The ports on which this process and its descendants listen, as Linux tells them; elsewhere nobody does."""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_LISTENS = "0A"
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class OpenPort:
    """A port, the address that it is open at, and the name of the process."""

    port: int
    address: str
    process: str

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        return ipaddress.ip_address(self.address).is_loopback


def open_ports() -> list[OpenPort]:
    """Returns them, each once; none where the system does not tell."""
    if sys.platform != "linux":
        return []
    sockets = {inode: place for name in ("tcp", "tcp6") for inode, place in _listening(_read(_PROC / "net" / name))}
    found = set()
    for pid in _family(os.getpid()):
        name = _read(_PROC / str(pid) / "comm").strip()
        for inode in _sockets(pid):
            if inode in sockets:
                address, port = sockets[inode]
                found.add(OpenPort(port=port, address=address, process=name))
    return sorted(found)


def _listening(table: str) -> Iterable[tuple[str, tuple[str, int]]]:
    for line in table.splitlines()[1:]:
        columns = line.split()
        if columns[3] == _LISTENS:
            address, port = columns[1].split(":")
            yield columns[9], (_address(address), int(port, 16))


def _address(digits: str) -> str:
    """Returns an address that stands there in words of four bytes, each in the machine's order."""
    words = [bytes.fromhex(digits[at : at + 8]) for at in range(0, len(digits), 8)]
    packed = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
    address = ipaddress.ip_address(packed)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _family(pid: int) -> set[int]:
    """Returns a process and all that descend from it."""
    parents = {}
    for folder in _PROC.glob("[0-9]*"):
        told = _read(folder / "stat").rpartition(")")[2].split()
        if told:
            parents[int(folder.name)] = int(told[1])
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def _sockets(pid: int) -> set[str]:
    found = set()
    try:
        for name in os.listdir(_PROC / str(pid) / "fd"):
            target = os.readlink(_PROC / str(pid) / "fd" / name)
            if target.startswith("socket:["):
                found.add(target[len("socket:[") : -1])
    except OSError:
        pass  # it has ended, or has closed it
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
