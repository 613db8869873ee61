"""Reads the bytes of a database file that SQLite has open in this process, without taking its locks away.

The kernel drops all of a process's locks on a file when the process closes any handle of it. SQLite then holds its file
open without a lock, the next process to leave believes that it is the last one and removes the log, and what is
appended after that is gone, although each append succeeds. So a handle that has been opened here is never closed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

_STEP_BYTES = 2**20
_handles: dict[tuple[int, int], int] = {}
_lock = threading.Lock()


def steps(path: Path) -> Iterator[bytes]:
    """Yields the file, a part at a time.

    Raises:
        OSError: It cannot be read.
    """
    handle = _handle(path)
    offset = 0
    while step := os.pread(handle, _STEP_BYTES, offset):
        yield step
        offset += len(step)


def _handle(path: Path) -> int:
    with _lock:
        found = path.stat()
        key = (found.st_dev, found.st_ino)
        if key not in _handles:
            _handles[key] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        return _handles[key]
