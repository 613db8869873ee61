"""The rows of a batch: each line of a JSON-lines file as a request under an id, or as what is wrong with it.

A row has the id that it gives, or one from its content; rows of equal content are told apart by their order among
themselves, so that lines may be added or moved without asking anything again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from pydantic.alias_generators import to_camel

from ditto.batching.template import Template
from ditto.domain.request import Request, parse
from ditto.domain.spec import JSON
from ditto.errors import BadRequest, ConfigurationError

LINE_LIMIT_BYTES = 64 * 2**20
_BOM = b"\xef\xbb\xbf"
_ID_CHARS = 255
_INSTEAD = {"models": "ensemble", "ensemble": "models"}
"""Of these a row gives one in place of the other that the options give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row that can be asked; `line` counts from 1."""

    id: str
    line: int
    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A row that cannot be asked; `problems` are `{"path", "message"}` as in a bad request's details."""

    id: str
    line: int
    problems: list[dict[str, str]]


class Source:
    """Reads one file row by row; never holds more than the rows that are being asked, and a hash for each id.

    Args:
        path: JSON lines.
        given: What every row's request has where the row says nothing, in the wire's spelling.
        template: Makes the prompt. With it a row is data: besides `id` it fills the template, and nothing else of it is
            read. Without it a row is a request.

    Raises:
        ConfigurationError: The file cannot be read.
    """

    def __init__(self, path: Path, given: Mapping[str, JSON], template: Template | None = None) -> None:
        self._given = given
        self._template = template
        try:
            self._file: BinaryIO = path.open("rb")
            self.size_bytes = path.stat().st_size
        except OSError as error:
            raise ConfigurationError(f"{path}: {error.strerror}") from error
        self.read_bytes = 0
        self._rows = self._read()
        self._one_at_a_time = asyncio.Lock()
        self._seen: dict[int, int] = {}
        self._equal: Counter[int] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    async def next(self) -> Row | BadRow | None:
        """Returns the next row, None behind the last."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(next, self._rows, None)

    def has(self, id: str) -> bool:
        """Tells whether a row of this id was read."""
        return _digest(id.encode("utf-8", "surrogatepass")) in self._seen

    def _read(self) -> Iterator[Row | BadRow]:
        line = 0
        while raw := self._file.readline(LINE_LIMIT_BYTES):
            line += 1
            whole = raw.endswith(b"\n") or len(raw) < LINE_LIMIT_BYTES
            self.read_bytes += len(raw)
            if not whole:
                self._skip_line()
                yield self._bad(raw, line, [_problem(f"is longer than {LINE_LIMIT_BYTES // 2**20} MiB")])
                continue
            content = raw.removeprefix(_BOM).strip() if line == 1 else raw.strip()
            if content:
                yield self._row(content, line)

    def _skip_line(self) -> None:
        while rest := self._file.readline(LINE_LIMIT_BYTES):
            self.read_bytes += len(rest)
            if rest.endswith(b"\n"):
                return

    def _row(self, content: bytes, line: int) -> Row | BadRow:
        try:
            columns = json.loads(content)
        except (ValueError, RecursionError) as error:
            return self._bad(content, line, [_problem(f"is no JSON: {error}")])
        if not isinstance(columns, dict):
            return self._bad(content, line, [_problem("must be a JSON object")])
        own = columns.pop("id", None)
        if isinstance(own, int) and not isinstance(own, bool):
            own = str(own)
        if own is not None and not (isinstance(own, str) and 0 < len(own) <= _ID_CHARS):
            message = f"must be a number or a text of 1 to {_ID_CHARS} characters"
            return self._bad(content, line, [_problem(message, "id")])
        if own is not None and (earlier := self._seen.get(_digest(own.encode("utf-8", "surrogatepass")))) is not None:
            return self._bad(content, line, [_problem(f"{own!r} is the id of line {earlier} already", "id")])
        try:
            request = parse(self._body(columns))
        except ValueError as error:
            return self._bad(content, line, [_problem(str(error))], own)
        except BadRequest as error:
            return self._bad(content, line, error.details, own)
        return Row(id=self._named(own, content, line), line=line, request=request)

    def _body(self, columns: dict[str, Any]) -> dict[str, Any]:
        if self._template is not None:
            return {**self._given, "prompt": self._template.fill(columns)}
        spelled = {to_camel(name) for name in columns}
        spelled |= {other for name, other in _INSTEAD.items() if name in columns}
        if any(isinstance(turn, dict) and turn.get("role") == "system" for turn in _turns(columns)):
            spelled.add("system")
        return {**{name: value for name, value in self._given.items() if name not in spelled}, **columns}

    def _bad(self, content: bytes, line: int, problems: list[dict[str, str]], own: str | None = None) -> BadRow:
        return BadRow(id=self._named(own, content, line), line=line, problems=problems)

    def _named(self, own: str | None, content: bytes, line: int) -> str:
        name = own
        if name is None:
            digest = hashlib.sha256(content).hexdigest()[:20]
            self._equal[int(digest, 16)] += 1
            number = self._equal[int(digest, 16)]
            name = digest if number == 1 else f"{digest}-{number}"
        self._seen[_digest(name.encode("utf-8", "surrogatepass"))] = line
        return name


def _turns(columns: Mapping[str, JSON]) -> list[JSON]:
    turns = columns.get("messages")
    return turns if isinstance(turns, list) else []


def _problem(message: str, path: str = "") -> dict[str, str]:
    return {"path": path, "message": message}


def _digest(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest())
