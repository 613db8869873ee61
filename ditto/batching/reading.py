"""The rows of one file, one after the other, before anything is asked: columns, or what is wrong with the row.

Every row has the number of the line where it begins (in Parquet, of the row), from 1, and bytes that stand for what it
says: rows of the same bytes say the same.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from ditto.batching.formats import Format
from ditto.batching.places import InFile, Opened
from ditto.domain.spec import JSON
from ditto.errors import ConfigurationError

LINE_LIMIT_BYTES = 64 * 2**20
_BOM = b"\xef\xbb\xbf"
_DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row of a file.

    Attributes:
        columns: None where there is a problem.
        is_text: All values are text, however they were meant.
        read_bytes: How far the file was read for it.
    """

    line: int
    content: bytes
    columns: dict[str, JSON] | None
    problem: str | None = None
    is_text: bool = False
    read_bytes: int = 0


def records(file: InFile, needed: Collection[str] | None) -> Iterator[Record]:
    """Yields the rows of a file.

    Args:
        needed: The columns without which no row can be asked; where only these are wanted, others need not be read.

    Raises:
        ConfigurationError: It cannot be read, or has no such columns.
    """
    if file.format is Format.PARQUET:
        from ditto.batching.parquet_rows import parquet_rows  # loads pyarrow

        yield from parquet_rows(file, needed)
        return
    opened = file.open()
    try:
        if file.format is Format.JSON_LINES:
            yield from _json_lines(opened)
        else:
            yield from _table(file, opened, needed or ())
    except (OSError, EOFError) as error:  # gzip's own among them
        raise ConfigurationError(f"{file.name}: {error}") from error
    finally:
        opened.close()


def check_columns(name: str, there: Collection[str], needed: Collection[str]) -> None:
    """Raises `ConfigurationError` where a file as a whole lacks a column."""
    missing = [column for column in needed if column not in there]
    if missing:
        raise ConfigurationError(f"{name} has no column {', '.join(missing)}; it has {', '.join(there) or 'none'}")


def _json_lines(opened: Opened) -> Iterator[Record]:
    line = 0
    while raw := opened.stream.readline(LINE_LIMIT_BYTES):
        line += 1
        if not raw.endswith(b"\n") and len(raw) >= LINE_LIMIT_BYTES:
            _skip_line(opened.stream)
            problem = f"is longer than {LINE_LIMIT_BYTES // 2**20} MiB"
            yield Record(line=line, content=raw, columns=None, problem=problem, read_bytes=opened.read_bytes())
            continue
        content = raw.removeprefix(_BOM).strip() if line == 1 else raw.strip()
        if content:
            yield _of_json(content, line, opened.read_bytes())


def _of_json(content: bytes, line: int, read_bytes: int) -> Record:
    try:
        columns = json.loads(content)
        problem = None if isinstance(columns, dict) else "must be a JSON object"
    except (ValueError, RecursionError) as error:
        columns, problem = None, f"is no JSON: {error}"
    return Record(
        line=line,
        content=content,
        columns=None if problem is not None else columns,
        problem=problem,
        read_bytes=read_bytes,
    )


def _skip_line(stream: BinaryIO) -> None:
    while rest := stream.readline(LINE_LIMIT_BYTES):
        if rest.endswith(b"\n"):
            return


def _table(file: InFile, opened: Opened, needed: Collection[str]) -> Iterator[Record]:
    """Yields the rows of a table with a header; a row may go over several lines where its cells are in quotes."""
    csv.field_size_limit(LINE_LIMIT_BYTES)
    lines = _Lines(opened)
    first = next(lines, "").removeprefix("\ufeff")
    if not first.strip():
        return
    delimiter = "\t" if file.format is Format.TSV else max(_DELIMITERS, key=lambda each: first.count(each))
    rows = csv.reader(_again(first, lines), delimiter=delimiter, strict=True)
    header = [name.strip() for name in next(rows)]
    if len(set(header)) < len(header):
        raise ConfigurationError(f"{file.name}: two columns have one name: {', '.join(header)}")
    check_columns(file.name, header, needed)
    while True:
        line = lines.number + 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(line=line, content=str(line).encode(), columns=None, problem=f"is no CSV: {error}")
            rows = csv.reader(lines, delimiter=delimiter, strict=True)
            continue
        if any(cells):
            yield _of_cells(header, cells, line, opened.read_bytes())


def _of_cells(header: list[str], cells: list[str], line: int, read_bytes: int) -> Record:
    content = "\0".join(cells).encode("utf-8", "surrogateescape")
    problem = None
    if len(cells) != len(header):
        problem = f"has {len(cells)} of the {len(header)} cells that the header names"
        problem = problem if len(cells) < len(header) else f"has {len(cells)} cells, the header names {len(header)}"
    elif not _is_utf8(content):
        problem = "is no UTF-8"
    columns: dict[str, Any] | None = None if problem else dict(zip(header, cells, strict=True))
    return Record(line=line, content=content, columns=columns, problem=problem, is_text=True, read_bytes=read_bytes)


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


class _Lines:
    """The lines of a file as text, counted as they are taken."""

    def __init__(self, opened: Opened) -> None:
        self._stream = opened.stream
        self.number = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        raw = self._stream.readline(LINE_LIMIT_BYTES)
        if not raw:
            raise StopIteration
        self.number += 1
        return raw.decode("utf-8", "surrogateescape")
