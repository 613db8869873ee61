"""What a batch needs beyond a plain installation, and what to say where it is not there."""

from __future__ import annotations

from typing import Any

from ditto.errors import ConfigurationError

_INSTALL = 'pip install "ditto-llm[batch]"'


def fsspec(name: str) -> Any:
    """Returns the module that reaches this place.

    Raises:
        ConfigurationError: It is not installed.
    """
    try:
        import fsspec.core as core
    except ImportError as error:
        raise ConfigurationError(f"{name}: other places than files need fsspec: {_INSTALL}") from error
    return core


def pyarrow(name: str) -> Any:
    """Returns the module that reads and writes this Parquet file.

    Raises:
        ConfigurationError: It is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ConfigurationError(f"{name}: Parquet needs pyarrow: {_INSTALL}") from error
    return pyarrow
