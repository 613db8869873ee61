"""A batch from IN to OUT: which files are read, how the output is written, and what is done when all rows are there.

JSON lines here are appended to as rows come. Whatever else is an output is put in place as a whole at the end, see
`staging`; a pipe gets each row once.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from ditto.batching import places
from ditto.batching.batch import BatchOptions, BatchReport, JobsPort, run_batch
from ditto.batching.finishing import Finishing, Wanted
from ditto.batching.formats import Format, format_of, is_compressed
from ditto.batching.holding import LeasePort, held
from ditto.batching.pipe import Pipe
from ditto.batching.report import write_report
from ditto.batching.second_pass import Lesson, Merging, is_one_panel
from ditto.batching.sink import Sink
from ditto.batching.source import Reading, Source
from ditto.batching.staging import Staged, working_path
from ditto.batching.summary import Summary
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
        merging: How verdicts are made.
        review_threshold: Below this confidence a row needs a person's review; the second pass asks.
        report: A report is written beside the output, which is a file.
    """

    source: str
    output: str
    reading: Reading
    options: BatchOptions
    merging: Merging = Merging.AUTO
    review_threshold: float = 0.7
    report: bool = False


class Work:
    """One batch, its output locked while it is open.

    Attributes:
        rows: The input.
        sink: The output.
        summary: What the rows come to, so far.
        page: Where the report is, once it is written.

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
            self._merging = _merging(plan, self.rows)
            self.summary = Summary()
            self.page: str | None = None
            self.sink = _sink(plan, self._merging)
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
        report = await run_batch(
            service, self.rows, self.sink, self._options(), progress, self.throttle, self.summary.add
        )
        if report.stopped:
            return report
        lesson: Lesson | None = None
        if isinstance(self.sink, Staged):
            finishing = Finishing(self.rows, self.sink, self._wanted())
            self.summary, lesson = await finishing.finish(service, fresh=report.rows > report.earlier)
        if self.plan.report and not isinstance(self.sink, Pipe):
            self.page = await asyncio.to_thread(write_report, self.plan.output, self.summary.told(lesson))
        return report

    def _wanted(self) -> Wanted:
        return Wanted(
            merging=self._merging,
            responses=self.plan.options.responses,
            labels=self.plan.reading.label is not None,
            review_threshold=self.plan.review_threshold,
        )

    def _claimed(self) -> str:
        """Returns what only one process at a time may write: a place elsewhere, or what the batch is named after."""
        name = self.plan.output if places.is_remote(self.plan.output) else self.plan.options.name
        return name.encode("utf-8", "replace").decode()

    def _options(self) -> BatchOptions:
        """Returns the options as rows are written by them; what is put in place later is put in order then."""
        options = self.plan.options
        if not isinstance(self.sink, Staged):
            return options
        later = options.ordered and not self.rows.repeatable
        return replace(options, ordered=later, responses=options.responses or self._merging is not Merging.ONE_PASS)


def default_name(output: str) -> str:
    """Returns the name of a batch that was given none: its output's place; of a pipe, one that no other has."""
    if places.is_pipe(output):
        return f"pipe-{uuid.uuid4().hex}"
    return output if places.is_remote(output) else str(Path(output).resolve())


def is_staged(output: str) -> bool:
    """Tells whether an output is put in place as a whole, because it cannot be appended to."""
    return places.is_remote(output) or format_of(output) is not Format.JSON_LINES or is_compressed(output)


def _merging(plan: Plan, rows: Source) -> Merging:
    """Returns how verdicts are made: for pipes as they come, for a few rows or several panels too unless wanted.

    Raises:
        ConfigurationError: What is wanted cannot be done with a pipe.
    """
    if places.is_pipe(plan.output) or not rows.repeatable:
        if plan.merging is Merging.TWO_PASS or plan.reading.label is not None:
            raise ConfigurationError("a pipe's rows are gone when all are there: two passes and labels need files")
        return Merging.ONE_PASS
    if plan.merging is Merging.AUTO and not is_one_panel(rows.again().each()):
        return Merging.ONE_PASS
    return plan.merging


def _sink(plan: Plan, merging: Merging) -> Sink | Staged | Pipe:
    if places.is_pipe(plan.output):
        return Pipe()
    later = plan.options.ordered or plan.reading.label is not None or merging is not Merging.ONE_PASS
    if later or is_staged(plan.output) or working_path(plan.output).exists():
        return Staged(plan.output)
    return Sink(Path(plan.output))


def _is_same(name: str, output: str) -> bool:
    try:
        return name == output or os.path.samefile(name, output)
    except OSError:
        return False
