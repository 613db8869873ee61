"""Standard output as the place where a batch's rows go: what was written there is gone, nothing can be gone on with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, BinaryIO, Self

from ditto.batching.publishing import line_of
from ditto.batching.records import Done
from ditto.domain.spec import JSON


class Pipe:
    """A pipe that rows are written to as lines of JSON.

    Args:
        file: The pipe, None: standard output.
    """

    def __init__(self, file: BinaryIO | None = None) -> None:
        self._file = sys.stdout.buffer if file is None else file
        self.done: dict[str, Done] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def write(self, record: Mapping[str, JSON]) -> None:
        """Writes one row.

        Raises:
            OSError: Nobody reads it.
        """
        self._file.write(line_of(record))
        self._file.flush()

    def read(self, id: str) -> dict[str, Any] | None:
        """Returns None: what was written is gone."""
        return None

    def settle(self, is_input: Callable[[str], bool]) -> None:
        """Does nothing: what was written stays written."""
