"""The rows of a batch: each as a request under an id, or as what is wrong with it.

A row has the id that it gives, or one from its content; rows of equal content are told apart by their order among
themselves, so that rows may be added or moved without asking anything again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from pydantic.alias_generators import to_camel

from ditto.batching import cells, places
from ditto.batching.hand import Hand
from ditto.batching.places import InFile
from ditto.batching.reading import Record, records
from ditto.batching.template import Template
from ditto.domain.request import Request, parse
from ditto.domain.spec import JSON
from ditto.errors import BadRequest

_ID = "id"
_ID_CHARS = 255
_LINE_BITS = 40
_INSTEAD = {"models": "ensemble", "ensemble": "models"}
"""Of these a row gives one in place of the other that the options give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row that can be asked.

    Attributes:
        file: Its name, None where there is only one.
        line: Where it begins, from 1.
        label: What its label column says, None without one.
    """

    id: str
    line: int
    request: Request
    file: str | None = None
    label: JSON = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A row that cannot be asked; `problems` are `{"path", "message"}` as in a bad request's details."""

    id: str
    line: int
    problems: list[dict[str, str]]
    file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How rows are read.

    Attributes:
        given: What every row's request has where the row says nothing, in the wire's spelling.
        template: Makes the prompt. With it a row is data: besides `id` and the label it fills the template, and nothing
            else of it is read. Without it a row is a request.
        label: The column that says what is right; it is not asked.
        limit: No more rows than these are taken, None: all.
        sample: Of all rows this share is taken, by their ids, so that it is always the same ones.
    """

    given: Mapping[str, JSON]
    template: Template | None = None
    label: str | None = None
    limit: int | None = None
    sample: float | None = None


class Source:
    """Reads row by row; never holds more than the rows that are being asked, and a hash for each id.

    Args:
        files: One or more, see `places.listed`.
    """

    def __init__(self, files: tuple[InFile, ...], reading: Reading) -> None:
        self._files = files
        self._reading = reading
        self._read_bytes = 0
        self._file = 0
        self._rows = self._chosen()
        self._hand = Hand(self._rows)
        self._seen: dict[int, int] = {}
        """By a hash of the id, the line and above it the file's number: a million rows should fit into memory."""
        self._equal: Counter[int] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hand.close()

    async def next(self) -> Row | BadRow | None:
        """Returns the next row, None behind the last."""
        return await self._hand.take()

    def each(self) -> Iterator[Row | BadRow]:
        """Yields the rows that are left, for who may block."""
        return self._rows

    def has(self, id: str) -> bool:
        """Tells whether a row of this id was read."""
        return _digest(id.encode("utf-8", "surrogatepass")) in self._seen

    def share(self) -> float | None:
        """Returns how much of the files was read, 0 to 1; None where nobody knows."""
        size_bytes = sum(file.size_bytes for file in self._files)
        return min(1.0, self._read_bytes / size_bytes) if size_bytes else None

    def again(self) -> Source:
        """Returns the same rows from the first on."""
        return Source(self._files, self._reading)

    @property
    def repeatable(self) -> bool:
        """Whether they can be read again."""
        return not any(file.name == places.STANDARD_INPUT for file in self._files)

    def _chosen(self) -> Generator[Row | BadRow]:
        taken = 0
        for row in self._all():
            if self._reading.limit is not None and taken >= self._reading.limit:
                return
            if self._reading.sample is None or place_of(row.id) < self._reading.sample:
                taken += 1
                yield row

    def _all(self) -> Iterator[Row | BadRow]:
        template, label = self._reading.template, self._reading.label
        needed = None if template is None else [*template.columns, *([] if label is None else [label])]
        before = 0
        for number, file in enumerate(self._files):
            self._file = number
            name = file.name if len(self._files) > 1 else None
            for record in records(file, needed):
                self._read_bytes = before + record.read_bytes
                yield self._row(record, name)
            before += file.size_bytes
            self._read_bytes = before

    def _row(self, record: Record, file: str | None) -> Row | BadRow:
        if record.columns is None:
            return self._bad(record, file, [_problem(str(record.problem))])
        columns = dict(record.columns)
        own = _own_id(columns.pop(_ID, None), may_be_empty=record.is_text)
        label = columns.pop(self._reading.label, None) if self._reading.label is not None else None
        if isinstance(own, dict):
            return self._bad(record, file, [own])
        if own is not None and (earlier := self._seen.get(_digest(own.encode("utf-8", "surrogatepass")))) is not None:
            return self._bad(record, file, [_problem(f"{own!r} is the id of {self._place(earlier)} already", _ID)])
        try:
            request = parse(self._body(columns, record))
        except ValueError as error:
            return self._bad(record, file, [_problem(str(error))], own)
        except BadRequest as error:
            return self._bad(record, file, error.details, own)
        return Row(id=self._named(own, record, file), line=record.line, request=request, file=file, label=label)

    def _body(self, columns: dict[str, Any], record: Record) -> dict[str, Any]:
        given, template = self._reading.given, self._reading.template
        if template is not None:
            label = self._reading.label
            known = columns if label is None else {**columns, label: (record.columns or {}).get(label)}
            return {**given, "prompt": template.fill(known)}
        asked = cells.request_of(columns) if record.is_text else columns
        spelled = {to_camel(name) for name in asked}
        spelled |= {other for name, other in _INSTEAD.items() if name in asked}
        if any(isinstance(turn, dict) and turn.get("role") == "system" for turn in _turns(asked)):
            spelled.add("system")
        return {**{name: value for name, value in given.items() if name not in spelled}, **asked}

    def _bad(self, record: Record, file: str | None, problems: list[dict[str, str]], own: str | None = None) -> BadRow:
        return BadRow(id=self._named(own, record, file), line=record.line, problems=problems, file=file)

    def _named(self, own: str | None, record: Record, file: str | None) -> str:
        name = own
        if name is None:
            digest = hashlib.sha256(record.content).hexdigest()[:20]
            self._equal[int(digest, 16)] += 1
            number = self._equal[int(digest, 16)]
            name = digest if number == 1 else f"{digest}-{number}"
        self._seen[_digest(name.encode("utf-8", "surrogatepass"))] = record.line + (self._file << _LINE_BITS)
        return name

    def _place(self, seen: int) -> str:
        line, file = seen % (1 << _LINE_BITS), seen >> _LINE_BITS
        return f"line {line}" if file == self._file else f"line {line} of {self._files[file].name}"


def _own_id(own: Any, *, may_be_empty: bool) -> str | dict[str, str] | None:
    """Returns the id that a row gives, None where it gives none, or what is wrong with it."""
    if isinstance(own, int) and not isinstance(own, bool):
        own = str(own)
    if own is None or (own == "" and may_be_empty):
        return None
    if isinstance(own, str) and 0 < len(own) <= _ID_CHARS:
        return own
    return _problem(f"must be a number or a text of 1 to {_ID_CHARS} characters", _ID)


def _turns(columns: Mapping[str, JSON]) -> list[JSON]:
    turns = columns.get("messages")
    return turns if isinstance(turns, list) else []


def _problem(message: str, path: str = "") -> dict[str, str]:
    return {"path": path, "message": message}


def place_of(id: str) -> float:
    """Returns where an id stands between 0 and 1: anywhere, but always there."""
    return _digest(b"sample\0" + id.encode("utf-8", "surrogatepass")) / 2**64


def _digest(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest())
