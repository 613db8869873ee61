"""An output that cannot be appended to: its rows stand in a working file until they are published as a whole.

The working file is `OUT.partial` beside OUT, or for a place elsewhere in the user's data folder. It begins with the
rows that OUT has from an earlier run. When all is done OUT is written anew by one rename, and the working file goes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from platformdirs import user_data_path

from ditto.batching import cells, places, publishing, records
from ditto.batching.formats import Format
from ditto.batching.places import InFile
from ditto.batching.reading import records as rows_of
from ditto.batching.records import Done
from ditto.batching.sink import Lock, Sink
from ditto.domain.spec import JSON
from ditto.errors import ConfigurationError


class Staged:
    """One output, locked while it is open.

    Args:
        place: Where it is to appear.

    Attributes:
        path: The working file.
        lock: On this machine.

    Raises:
        Conflict: Another batch of this machine writes it.
        ConfigurationError: What is there was written by no batch, or it cannot be written.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self.path = working_path(place)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.lock = Lock(self.path.with_name(self.path.name.removesuffix(".partial")))
            try:
                if not self.path.exists():
                    self._begin()
                self._sink = Sink(self.path)
            except BaseException:  # raised on; only the lock must not stay
                self.lock.release()
                raise
        except OSError as error:
            raise ConfigurationError(f"{place}: {error.strerror or error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sink.close()
        self.lock.release()

    @property
    def done(self) -> dict[str, Done]:
        """What is written, by row id."""
        return self._sink.done

    def write(self, record: Mapping[str, JSON]) -> None:
        """Adds one row, whole or not at all; raises as `Sink.write` does."""
        self._sink.write(record)

    def read(self, id: str) -> dict[str, Any] | None:
        """Returns a row as it was written last, None where there is none."""
        return self._sink.read(id)

    def settle(self, is_input: Callable[[str], bool]) -> None:
        """Does nothing: what is published is chosen then."""

    def publish(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Puts the output in place, and takes the working file away; raises as `publishing.publish` does."""
        publishing.publish(self._place, rows)
        self.path.unlink()

    def _begin(self) -> None:
        """Begins the working file with what the output has."""
        if (earlier := published(self._place)) is None:
            return
        with publishing.replaced(str(self.path)) as file:
            for record in earlier:
                file.write(publishing.line_of(record))


def working_path(place: str) -> Path:
    """Returns where the rows of this output stand until it is published."""
    if places.is_remote(place):
        name = hashlib.sha256(place.encode()).hexdigest()[:20]
        return user_data_path("ditto") / "batches" / f"{name}.partial"
    path = Path(place).resolve()
    return path.with_name(f"{path.name}.partial")


def published(place: str) -> Iterator[dict[str, Any]] | None:
    """Returns the rows that a batch has published there, None where nothing is.

    Raises:
        ConfigurationError: What is there was written by no batch; raised by the first row too.
    """
    if not _is_there(place):
        return None
    (file,) = places.listed(place, "")
    return _published(file)


def _published(file: InFile) -> Iterator[dict[str, Any]]:
    for row in rows_of(file, None):
        try:
            if row.columns is None:
                raise ValueError(row.problem)
            record = dict(row.columns) if file.format is Format.JSON_LINES else cells.record_of(row.columns)
            records.done(record)
        except (ValueError, KeyError, TypeError) as error:
            message = f"{file.name}: no batch wrote line {row.line}; choose another output"
            raise ConfigurationError(message) from error
        yield record


def _is_there(place: str) -> bool:
    if not places.is_remote(place):
        return Path(place).exists()
    reached, path = places.filesystem(place)
    return bool(reached.exists(path))
