"""The output of a batch: JSON lines that are either there whole or not at all, and what is there already.

A row is one write to a file opened for appending. What a kill left behind a last line break is cut off at the next
start. A row that was asked anew (because it changed, or had failed) is appended, and the line it replaces is taken out
when the batch has come to its end, by writing the file anew beside itself and putting it in place with one rename.
A lock on `<output>.lock` keeps a second batch away; it is the kernel's, and ends with the process that holds it.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ditto.batching import records
from ditto.batching.publishing import line_of
from ditto.batching.records import Done
from ditto.domain.spec import JSON
from ditto.errors import ConfigurationError, Conflict

_BEGIN = b'{"id":'


class Sink:
    """One output file, locked while it is open.

    Attributes:
        path: The file itself, links resolved.
        done: What the file held when it was opened, and what was written since, by row id.
        lock: On this machine.

    Raises:
        Conflict: Another batch writes this file.
        ConfigurationError: The file is something else, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.done: dict[str, Done] = {}
        self._begins: dict[str, int] = {}
        self._replaced = 0
        try:
            self.lock = Lock(self.path)
            try:
                self._fd = self._opened()
            except BaseException:  # raised on; only the lock must not stay
                self.lock.release()
                raise
        except OSError as error:
            raise ConfigurationError(f"{path}: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the file."""
        os.close(self._fd)
        self.lock.release()

    def write(self, record: Mapping[str, JSON]) -> None:
        """Appends one row, whole or not at all.

        Raises:
            OSError: The row could not be written; the file is as it was.
        """
        data = line_of(record)
        before = os.fstat(self._fd).st_size
        try:
            if os.write(self._fd, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            os.ftruncate(self._fd, before)
            raise
        self._remember(str(record["id"]), records.done(record), before)

    def read(self, id: str) -> dict[str, Any] | None:
        """Returns a row as it was written last, None where there is none."""
        begins = self._begins.get(id)
        if begins is None:
            return None
        with self.path.open("rb") as file:
            file.seek(begins)
            found: dict[str, Any] = json.loads(file.readline())
        return found

    def settle(self, is_input: Callable[[str], bool]) -> None:
        """Takes out lines that a later one replaces, and rows that were never asked and are gone from the input.

        Args:
            is_input: Tells whether the input has a row of this id.
        """
        gone = {id for id, done in self.done.items() if not done.asked and not is_input(id)}
        if not self._replaced and not gone:
            return
        last = self._begins
        self._begins = {}
        beside = self.path.with_name(f"{self.path.name}.new")
        with beside.open("wb") as file:
            shutil.copymode(self.path, beside)
            begins = 0
            for line in self._lines():
                id = _id(line)
                if last[id] == begins and id not in gone:
                    self._begins[id] = file.tell()
                    file.write(line)
                begins += len(line)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, self.path)
        for id in gone:
            del self.done[id]

    def _opened(self) -> int:
        if self.path.exists() and not self.path.is_file():
            raise ConfigurationError(f"{self.path} is no regular file: a batch could not go on where it stopped")
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            whole_bytes = self._take_stock()
            if whole_bytes < os.fstat(fd).st_size:
                os.ftruncate(fd, whole_bytes)
        except BaseException:  # raised on; only the file must not stay open
            os.close(fd)
            raise
        return fd

    def _take_stock(self) -> int:
        """Returns how many bytes are whole rows, and remembers those rows."""
        whole_bytes = 0
        for number, line in enumerate(self._lines(), start=1):
            torn = not line.endswith(b"\n")
            try:
                record = json.loads(line)
                known = records.done(record)
            except (ValueError, KeyError, TypeError) as error:
                if torn and line.startswith(_BEGIN[: len(line)]) and not _is_json(line):
                    break
                message = f"{self.path}: no batch wrote line {number}; choose another output"
                raise ConfigurationError(message) from error
            if not torn:
                self._remember(str(record["id"]), known, whole_bytes)
                whole_bytes += len(line)
        return whole_bytes

    def _remember(self, id: str, done: Done, begins: int) -> None:
        if id in self.done:
            self._replaced += 1
        self.done[id] = done
        self._begins[id] = begins

    def _lines(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            yield from file


def _id(line: bytes) -> str:
    record: dict[str, Any] = json.loads(line)
    return str(record["id"])


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


class Lock:
    """An output, held by one process of this machine at a time.

    Attributes:
        noted: What its last holder has noted, if it was killed; empty else.

    Raises:
        Conflict: Another process holds it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f"{path.name}.lock")
        while True:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(self._fd)
                raise Conflict(f"another batch writes {path} at this moment") from None
            if self._is_there():
                self.noted = os.pread(self._fd, 100, 0).decode("ascii", "replace")
                return
            os.close(self._fd)  # its last holder has removed it in between

    def note(self, text: str) -> None:
        """Leaves a word for who comes after a kill: the file stays then."""
        self.noted = text
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, text.encode(), 0)

    def release(self) -> None:
        self._path.unlink(missing_ok=True)
        os.close(self._fd)

    def _is_there(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._fd), self._path.stat())
        except FileNotFoundError:
            return False
