"""A disk with a cache that a power cut empties: what was synced stays, of the rest any part may have been written.

What is assumed of the disk is what SQLite assumes of it: a sync returns when everything written to that file before is
safe; a new or removed name is safe when its folder was synced; a write that is torn leaves whole sectors, and no byte
outside of what was written. Nothing is assumed of the order of what was not synced, and space that a file got by
growing may hold anything where the data itself is missing.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tests.powercut.tape import Kind, Operation

SECTORS = (512, 4096)


class Left(StrEnum):
    """What a power cut leaves of the writes that were not synced."""

    NOTHING = "nothing"
    EVERYTHING = "everything"
    BEGINNING = "beginning"
    """They are written in order up to one of them, which is torn."""
    SOME = "some"
    """Any of them, any of these torn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    size: int


Change = Patch | Size


@dataclass(slots=True)
class File:
    """Attributes:
    safe: What has been synced.
    loose: What has been written since.
    """

    safe: bytearray = field(default_factory=bytearray)
    loose: list[Change] = field(default_factory=list)

    def sync(self) -> None:
        for change in self.loose:
            _apply(self.safe, change, None)
        self.loose.clear()


@dataclass(slots=True)
class Folder:
    """Names and the numbers of what they name; None: removed."""

    safe: dict[str, int] = field(default_factory=dict)
    loose: list[tuple[str, int | None]] = field(default_factory=list)

    def sync(self) -> None:
        for name, number in self.loose:
            _rename(self.safe, name, number)
        self.loose.clear()


class Disk:
    """Everything below one folder, which itself is safe.

    Args:
        root: The folder's inode.
    """

    def __init__(self, root: int) -> None:
        self._nodes: list[File | Folder] = [Folder()]
        self._numbers = {root: 0}
        """Inodes are given again after a file is gone; the numbers of the nodes are not."""

    def do(self, operation: Operation) -> None:
        """Carries out one recorded operation."""
        match operation.kind:
            case Kind.CREATED | Kind.FOLDER_MADE:
                self._numbers[operation.inode] = len(self._nodes)
                self._folder(operation.number).loose.append((operation.name, len(self._nodes)))
                self._nodes.append(File() if operation.kind is Kind.CREATED else Folder())
            case Kind.REMOVED:
                self._folder(operation.number).loose.append((operation.name, None))
            case Kind.WRITTEN:
                self._file(operation.inode).loose.append(Patch(offset=operation.number, data=operation.data))
            case Kind.RESIZED:
                self._file(operation.inode).loose.append(Size(size=operation.number))
            case Kind.SYNCED:
                self._nodes[self._numbers[operation.inode]].sync()

    def after_a_cut(self, left: Left, draw: random.Random, into: Path) -> None:
        """Writes the folder as a power cut at this moment could leave it; `into` is made."""
        self._write(0, _Cut(left=left, draw=draw), into)

    def _write(self, number: int, cut: _Cut, into: Path) -> None:
        node = self._nodes[number]
        if isinstance(node, File):
            rebuilt = into.name.endswith("-shm") and cut.left in (Left.BEGINNING, Left.SOME)
            content = cut.content(node)
            into.write_bytes(cut.draw.randbytes(len(content)) if rebuilt else content)
            return
        into.mkdir()
        for name, entry in cut.entries(node).items():
            self._write(entry, cut, into / name)

    def _file(self, inode: int) -> File:
        node = self._nodes[self._numbers[inode]]
        assert isinstance(node, File)
        return node

    def _folder(self, inode: int) -> Folder:
        node = self._nodes[self._numbers[inode]]
        assert isinstance(node, Folder)
        return node


@dataclass(slots=True)
class _Cut:
    """One power cut's luck."""

    left: Left
    draw: random.Random
    kept: float = field(init=False)
    sector: int = field(init=False)
    garbage: random.Random | None = field(init=False)

    def __post_init__(self) -> None:
        self.kept = self.draw.choice((0.1, 0.5, 0.9))
        self.sector = self.draw.choice(SECTORS)
        self.garbage = self.draw if self.draw.random() < 0.5 else None

    def content(self, file: File) -> bytearray:
        content = bytearray(file.safe)
        for change in self._changes(file.loose):
            _apply(content, change, self.garbage)
        return content

    def entries(self, folder: Folder) -> dict[str, int]:
        entries = dict(folder.safe)
        for name in dict.fromkeys(name for name, _ in folder.loose):
            history = [number for changed, number in folder.loose if changed == name]
            for number in history[: self._length(len(history))]:
                _rename(entries, name, number)
        return entries

    def _length(self, whole: int) -> int:
        match self.left:
            case Left.NOTHING:
                return 0
            case Left.EVERYTHING:
                return whole
            case _:
                return self.draw.randint(0, whole)

    def _changes(self, loose: list[Change]) -> list[Change]:
        match self.left:
            case Left.NOTHING:
                return []
            case Left.EVERYTHING:
                return loose
            case Left.BEGINNING:
                place = self.draw.randint(0, len(loose))
                return [*loose[:place], *(self._torn(loose[place], first=True) if place < len(loose) else [])]
            case Left.SOME:
                return [
                    part
                    for change in loose
                    if self.draw.random() < self.kept
                    for part in ([change] if self.draw.random() < 0.5 else self._torn(change, first=False))
                ]

    def _torn(self, change: Change, *, first: bool) -> list[Change]:
        """Returns the sectors of a write that arrived: the first few, or any."""
        if isinstance(change, Size):
            return []
        parts: list[Change] = []
        start, end = change.offset, change.offset + len(change.data)
        while start < end:
            stop = min(end, (start // self.sector + 1) * self.sector)
            parts.append(Patch(offset=start, data=change.data[start - change.offset : stop - change.offset]))
            start = stop
        if first:
            return parts[: self.draw.randint(0, len(parts) - 1)]
        return [part for part in parts if self.draw.random() < 0.5]


def _apply(content: bytearray, change: Change, garbage: random.Random | None) -> None:
    """Changes the content; where it grows without data it gets zeros, or garbage."""
    wanted = change.size if isinstance(change, Size) else change.offset
    if wanted > len(content):
        gap = wanted - len(content)
        content.extend(bytes(gap) if garbage is None else garbage.randbytes(gap))
    if isinstance(change, Size):
        del content[change.size :]
    else:
        content[change.offset : change.offset + len(change.data)] = change.data


def _rename(entries: dict[str, int], name: str, number: int | None) -> None:
    if number is None:
        entries.pop(name, None)
    else:
        entries[name] = number
