"""An output that is written as a whole, in any format, beside its place, and put there by one rename."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

from ditto.batching import cells, extras, places
from ditto.batching.cells import COLUMNS, Kind
from ditto.batching.formats import Format, format_of, is_compressed

_ROWS_AT_ONCE = 2000
_BYTES_AT_ONCE = 32 * 2**20


def publish(place: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes output rows to a place in the format of its name: all of them or none.

    Raises:
        OSError: They could not be written; what was there is untouched.
        ConfigurationError: What the place or the format needs is not installed.
    """
    with replaced(place) as file:
        packed = cast(BinaryIO, gzip.GzipFile(fileobj=file, mode="wb", mtime=0)) if is_compressed(place) else file
        match format_of(place):
            case Format.JSON_LINES:
                for row in rows:
                    packed.write(line_of(row))
            case Format.CSV:
                _write_table(packed, rows, ",")
            case Format.TSV:
                _write_table(packed, rows, "\t")
            case Format.PARQUET:
                _write_parquet(packed, rows, place)
        if packed is not file:
            packed.close()


def line_of(record: Mapping[str, Any]) -> bytes:
    """Returns an output row as a line of JSON."""
    text = json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace") + b"\n"


@contextmanager
def replaced(place: str) -> Iterator[BinaryIO]:
    """Yields a file whose content stands at the place once it is written whole."""
    with _replaced_elsewhere(place) if places.is_remote(place) else _replaced_here(Path(place)) as file:
        yield file


@contextmanager
def _replaced_here(given: Path) -> Iterator[BinaryIO]:
    path = given.resolve()
    beside = path.with_name(f"{path.name}.new")
    try:
        with beside.open("wb") as file:
            with suppress(FileNotFoundError):
                shutil.copymode(path, beside)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:  # raised on; only the half of a file must not stay
        beside.unlink(missing_ok=True)
        raise


@contextmanager
def _replaced_elsewhere(place: str) -> Iterator[BinaryIO]:
    reached, path = places.filesystem(place)
    beside = f"{path}.new"
    try:
        with reached.open(beside, "wb") as file:
            yield cast(BinaryIO, file)
        reached.mv(beside, path)
    except BaseException as error:  # raised on; only the half of a file must not stay
        with suppress(Exception):
            reached.rm(beside)
        if isinstance(error, Exception) and not isinstance(error, OSError):
            raise OSError(f"{place}: {error}") from error
        raise


def _write_table(file: BinaryIO, rows: Iterable[Mapping[str, Any]], delimiter: str) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_text(cell) for cell in cells.row_of(row).values()])
    text.flush()
    text.detach()


def _text(cell: Any) -> Any:
    return ("true" if cell else "false") if isinstance(cell, bool) else cell


def _write_parquet(file: BinaryIO, rows: Iterable[Mapping[str, Any]], place: str) -> None:
    arrow = extras.pyarrow(place)
    types = {Kind.WHOLE: arrow.int64(), Kind.NUMBER: arrow.float64(), Kind.YES_OR_NO: arrow.bool_()}
    schema = arrow.schema([(name, types.get(kind, arrow.string())) for name, kind in COLUMNS.items()])
    with arrow.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for part in _parts(rows):
            writer.write_table(arrow.Table.from_pylist(part, schema=schema))


def _parts(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yields rows of cells by the thousand, or fewer of large ones: so much is held at once."""
    part, size_bytes = list[dict[str, Any]](), 0
    for row in rows:
        found = {name: _encodable(cell) for name, cell in cells.row_of(row).items()}
        part.append(found)
        size_bytes += sum(len(cell) for cell in found.values() if isinstance(cell, str))
        if len(part) >= _ROWS_AT_ONCE or size_bytes >= _BYTES_AT_ONCE:
            yield part
            part, size_bytes = [], 0
    if part:
        yield part


def _encodable(cell: Any) -> Any:
    return cell.encode("utf-8", "backslashreplace").decode() if isinstance(cell, str) else cell
