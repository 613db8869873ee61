"""What the recorder wrote, read back: the operations on the disk in their order."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_HEAD = struct.Struct("=cQQII")


class Kind(StrEnum):
    CREATED = "c"
    FOLDER_MADE = "d"
    REMOVED = "u"
    WRITTEN = "w"
    RESIZED = "t"
    SYNCED = "s"
    UNKNOWN = "x"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One line of the tape.

    Attributes:
        inode: Of the file or folder; 0 where a name was removed.
        number: The folder's inode, the offset, or the new size: `recorder.c` says which.
        name: Of the entry in its folder; of what a replay would not understand.
        data: What was written.
    """

    kind: Kind
    inode: int
    number: int
    name: str
    data: bytes


def operations(path: Path) -> Iterator[Operation]:
    """Yields what was recorded.

    Raises:
        ValueError: Something was done that a replay would not understand.
    """
    tape = memoryview(path.read_bytes())
    place = 0
    while place < len(tape):
        kind, inode, number, name_length, length = _HEAD.unpack_from(tape, place)
        name_at = place + _HEAD.size
        data_at = name_at + name_length
        place = data_at + length
        name = bytes(tape[name_at:data_at]).decode()
        if kind == b"x":
            raise ValueError(f"the journal's files were changed by {name}, which the recorder cannot follow")
        yield Operation(
            kind=Kind(kind.decode()), inode=inode, number=number, name=name, data=bytes(tape[data_at:place])
        )
