"""Where a batch reads and writes: files, folders and globs here, pipes, and whatever fsspec knows elsewhere.

A place elsewhere has a scheme, `s3://bucket/in.jsonl`; `-` is a pipe; anything else is a path.
"""

from __future__ import annotations

import glob
import gzip
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from ditto.batching import extras
from ditto.batching.formats import Format, format_of, is_compressed, known_format
from ditto.errors import ConfigurationError

PIPE = "-"
STANDARD_INPUT = "standard input"
_WILD = frozenset("*?[")
_COMPANIONS = (".partial", ".lock", ".new", ".report.json")
"""What a batch leaves beside its output is no input of the next one in the same folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An input file that is open: its rows' bytes, and the file that says how far it has been read."""

    stream: BinaryIO
    raw: BinaryIO

    def read_bytes(self) -> int:
        """Returns how much of the file itself was read, 0 where nobody knows."""
        return self.raw.tell() if self.raw.seekable() else 0

    def close(self) -> None:
        self.stream.close()
        self.raw.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class InFile:
    """One file of rows.

    Attributes:
        name: As people know it.
        size_bytes: 0 where nobody knows.
        begin: Opens the file itself.
    """

    name: str
    size_bytes: int
    format: Format
    begin: Callable[[], BinaryIO]

    def check(self) -> None:
        """Raises `ConfigurationError` where it cannot be read."""
        self.open().close()

    def open(self) -> Opened:
        """Returns the file, unpacked.

        Raises:
            ConfigurationError: It cannot be read.
        """
        try:
            raw = self.begin()
        except OSError as error:
            raise ConfigurationError(f"{self.name}: {error.strerror or error}") from error
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if is_compressed(self.name) else raw
        return Opened(stream=stream, raw=raw)


def is_pipe(place: str) -> bool:
    """Tells whether this is standard input or output."""
    return place == PIPE


def is_remote(place: str) -> bool:
    """Tells whether this is a place that fsspec is asked for."""
    return "://" in place


def listed(place: str, output: str) -> tuple[InFile, ...]:
    """Returns the files that IN names, by name.

    Args:
        place: A file, a folder, a pattern, `-`, or any of them elsewhere.
        output: The batch's own output, which is no input even where it lies in the same folder.

    Raises:
        ConfigurationError: There is none, or it cannot be read.
    """
    if is_pipe(place):
        return (InFile(name=STANDARD_INPUT, size_bytes=0, format=Format.JSON_LINES, begin=_standard_input),)
    files = _elsewhere(place) if is_remote(place) else _here(place)
    ours = {output, os.path.realpath(output)}
    kept = [each for each in files if len(files) == 1 or not _is_ours(each.name, ours)]
    if not kept:
        raise ConfigurationError(f"{place}: there is no file of rows")
    for each in kept:
        each.check()
    return tuple(kept)


def filesystem(place: str) -> tuple[Any, str]:
    """Returns what reaches a place elsewhere, and the path that it has there.

    Raises:
        ConfigurationError: Nothing that is installed does.
    """
    core = extras.fsspec(place)
    try:
        found, path = core.url_to_fs(place)
    except (ImportError, ValueError) as error:
        raise ConfigurationError(f"{place}: {error}") from error
    return found, str(path)


def _standard_input() -> BinaryIO:
    return sys.stdin.buffer


def _is_ours(name: str, ours: Iterable[str]) -> bool:
    return name in ours or os.path.realpath(name) in ours or name.endswith(_COMPANIONS)


def _here(place: str) -> list[InFile]:
    path = Path(place)
    if path.is_dir():
        found = sorted(each for each in path.iterdir() if each.is_file() and known_format(each.name) is not None)
    elif _WILD & set(place) and not path.exists():
        found = sorted(Path(each) for each in glob.glob(place, recursive=True) if Path(each).is_file())
    else:
        found = [path]
    return [_file_here(each) for each in found]


def _file_here(path: Path) -> InFile:
    try:
        size_bytes = path.stat().st_size
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    return InFile(name=str(path), size_bytes=size_bytes, format=format_of(path.name), begin=lambda: path.open("rb"))


def _elsewhere(place: str) -> list[InFile]:
    reached, path = filesystem(place)
    try:
        if _WILD & set(path):
            found = sorted(reached.glob(path))
        elif reached.isdir(path):
            found = sorted(each for each in reached.ls(path, detail=False) if known_format(each) is not None)
        else:
            found = [path]
        return [_file_elsewhere(reached, each) for each in found]
    except Exception as error:  # each such place has errors of its own
        raise ConfigurationError(f"{place}: {_said(error)}") from error


def _file_elsewhere(reached: Any, path: str) -> InFile:
    name = str(reached.unstrip_protocol(path))
    size_bytes = int(reached.info(path)["size"] or 0)
    return InFile(
        name=name, size_bytes=size_bytes, format=format_of(path), begin=lambda: cast(BinaryIO, reached.open(path, "rb"))
    )


def _said(error: Exception) -> str:
    return "No such file" if isinstance(error, FileNotFoundError) else str(error) or type(error).__name__
