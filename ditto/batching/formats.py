"""What a file of rows is written in: its name's ending tells, and anything unknown is JSON lines."""

from __future__ import annotations

from enum import StrEnum

_GZIP = ".gz"


class Format(StrEnum):
    """How rows are written."""

    JSON_LINES = "jsonl"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"


ENDINGS = {
    ".jsonl": Format.JSON_LINES,
    ".ndjson": Format.JSON_LINES,
    ".csv": Format.CSV,
    ".tsv": Format.TSV,
    ".parquet": Format.PARQUET,
    ".pq": Format.PARQUET,
}


def known_format(name: str) -> Format | None:
    """Returns the format that this name says, `.gz` or not; None where it says none."""
    plain = name.lower().removesuffix(_GZIP)
    return next((found for ending, found in ENDINGS.items() if plain.endswith(ending)), None)


def format_of(name: str) -> Format:
    """Returns the format of a file of this name."""
    return known_format(name) or Format.JSON_LINES


def is_compressed(name: str) -> bool:
    """Tells whether the file is packed with gzip."""
    return name.lower().endswith(_GZIP)
