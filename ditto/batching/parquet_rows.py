"""The rows of a Parquet file, read in small pieces; nested values become JSON, moments and decimals text.

What is null is not there: in a table every row has every column.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

from ditto.batching import extras
from ditto.batching.places import InFile
from ditto.batching.reading import Record, check_columns
from ditto.domain.spec import JSON
from ditto.errors import ConfigurationError

_AT_ONCE = 256
_ID = "id"


def parquet_rows(file: InFile, needed: Collection[str] | None) -> Iterator[Record]:
    """Yields the rows; args as of `reading.records`.

    Raises:
        ConfigurationError: It is no Parquet file, or lacks a column.
    """
    arrow = extras.pyarrow(file.name)
    opened = file.open()
    try:
        table = arrow.parquet.ParquetFile(opened.stream)
        names = table.schema_arrow.names
        check_columns(file.name, names, needed or ())
        wanted = None if needed is None else [name for name in names if name in needed or name == _ID]
        number, count = 0, max(table.metadata.num_rows, 1)
        for batch in table.iter_batches(_AT_ONCE, columns=wanted):
            for row in batch.to_pylist(maps_as_pydicts="lossy"):
                number += 1
                yield _record(row, number, file.size_bytes * number // count)
    except (arrow.ArrowException, OSError) as error:
        raise ConfigurationError(f"{file.name}: {error}") from error
    finally:
        opened.close()


def _record(row: dict[str, Any], number: int, read_bytes: int) -> Record:
    try:
        columns = {name: value for name, given in row.items() if (value := plain(given)) is not None}
    except ValueError as error:
        content = f"row {number}".encode()
        return Record(line=number, content=content, columns=None, problem=str(error), read_bytes=read_bytes)
    content = json.dumps(columns, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return Record(line=number, content=content, columns=columns, read_bytes=read_bytes)


def plain(value: Any) -> JSON:
    """Returns a value as decoded JSON; a number that is none is no value.

    Raises:
        ValueError: It is bytes that are no text.
    """
    match value:
        case float() if math.isnan(value):
            return None
        case None | bool() | int() | float() | str():
            return value
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError:
                raise ValueError("holds bytes that are no text") from None
        case dict():
            return {str(name): plain(each) for name, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
        case date() | time():
            return value.isoformat()
        case Decimal() | timedelta():
            return str(value)
        case _:
            return str(value)
