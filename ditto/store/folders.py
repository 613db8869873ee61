"""Makes a folder that outlives a power cut: a new name is safe when the folder that holds it has been synced."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def make(path: Path) -> None:
    """Makes the folder and those above it where they are missing, for its user alone.

    Raises:
        OSError: It cannot be made.
    """
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    for folder in made:
        _sync(folder.parent)


def _sync(folder: Path) -> None:
    with contextlib.suppress(OSError):  # some file systems cannot sync a folder, and SQLite goes on there too
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
