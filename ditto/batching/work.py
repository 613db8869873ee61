"""A batch from IN to OUT: which files are read, how the output is written, and what is done when all rows are there.

JSON lines here are appended to as rows come. Whatever else is an output is put in place as a whole at the end, see
`staging`; a pipe gets each row once.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from ditto.batching import places
from ditto.batching.batch import BatchOptions, BatchReport, JobsPort, run_batch
from ditto.batching.formats import Format, format_of, is_compressed
from ditto.batching.holding import LeasePort, held
from ditto.batching.pipe import Pipe
from ditto.batching.sink import Sink
from ditto.batching.source import Reading, Source
from ditto.batching.staging import Staged, working_path
from ditto.batching.throttle import Throttle
from ditto.errors import ConfigurationError


class ServicePort(JobsPort, LeasePort, Protocol):
    """What a batch needs of a service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a batch is to do.

    Attributes:
        source: A file, a folder or a pattern, here or elsewhere; `-`: standard input.
        output: A file, here or elsewhere; `-`: standard output.
    """

    source: str
    output: str
    reading: Reading
    options: BatchOptions


class Work:
    """One batch, its output locked while it is open.

    Attributes:
        rows: The input.
        sink: The output.

    Raises:
        Conflict: Another batch of this machine writes this output.
        ConfigurationError: The input cannot be read, or the output not be written.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.throttle = Throttle(plan.options.concurrency)
        with ExitStack() as stack:
            files = places.listed(plan.source, plan.output)
            if not places.is_pipe(plan.output) and any(_is_same(file.name, plan.output) for file in files):
                raise ConfigurationError("IN and OUT are the same file")
            self.rows = stack.enter_context(Source(files, plan.reading))
            self.sink = _sink(plan)
            stack.enter_context(self.sink)
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    async def run(
        self, service: ServicePort, progress: Callable[[BatchReport], None] = lambda report: None
    ) -> BatchReport:
        """Returns the report when every row is in the output, or when too many have failed.

        Raises:
            Conflict: Another process writes this output, or has taken it over.
            Unavailable, OSError: As of `run_batch`.
        """
        if isinstance(self.sink, Pipe):
            return await self._run(service, progress)
        async with held(service, self._claimed(), self.sink.lock):
            return await self._run(service, progress)

    async def _run(self, service: JobsPort, progress: Callable[[BatchReport], None]) -> BatchReport:
        report = await run_batch(service, self.rows, self.sink, self._options(), progress, self.throttle)
        if not report.stopped and isinstance(self.sink, Staged):
            await asyncio.to_thread(self.sink.publish, self._final(self.sink))
        return report

    def _claimed(self) -> str:
        """Returns what only one process at a time may write: a place elsewhere, or what the batch is named after."""
        name = self.plan.output if places.is_remote(self.plan.output) else self.plan.options.name
        return name.encode("utf-8", "replace").decode()

    def _options(self) -> BatchOptions:
        """Returns the options as rows are written by them: what is put in place later is put in order then."""
        options = self.plan.options
        if options.ordered and isinstance(self.sink, Staged) and self.rows.repeatable:
            return replace(options, ordered=False)
        return options

    def _final(self, sink: Staged) -> Iterator[dict[str, Any]]:
        """Yields the rows of the output: those of the input in its order, then others that were asked once."""
        again = self.rows.again() if self.rows.repeatable else None
        for row in () if again is None else again.each():
            if (record := sink.read(row.id)) is not None:
                yield record
        for id, done in sink.done.items():
            rest = done.asked or self.rows.has(id) if again is None else done.asked and not again.has(id)
            if rest and (record := sink.read(id)) is not None:
                yield record


def default_name(output: str) -> str:
    """Returns the name of a batch that was given none: its output's place; of a pipe, one that no other has."""
    if places.is_pipe(output):
        return f"pipe-{uuid.uuid4().hex}"
    return output if places.is_remote(output) else str(Path(output).resolve())


def is_staged(output: str) -> bool:
    """Tells whether an output is put in place as a whole, because it cannot be appended to."""
    return places.is_remote(output) or format_of(output) is not Format.JSON_LINES or is_compressed(output)


def _sink(plan: Plan) -> Sink | Staged | Pipe:
    if places.is_pipe(plan.output):
        return Pipe()
    if is_staged(plan.output) or plan.options.ordered or working_path(plan.output).exists():
        return Staged(plan.output)
    return Sink(Path(plan.output))


def _is_same(name: str, output: str) -> bool:
    try:
        return name == output or os.path.samefile(name, output)
    except OSError:
        return False
