"""`ditto batch IN OUT`: every row of a file asked, each answer written as it comes, gone on with after a stop."""

from __future__ import annotations

import os
import sys
from asyncio import CancelledError
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ditto.cli.options import Asked, Where, with_groups, wrong
from ditto.errors import Unavailable

if TYPE_CHECKING:
    from ditto.batching import BatchOptions, BatchReport, Sink, Source, Template
    from ditto.client.backend import Backend
    from ditto.domain.request import Request
    from ditto.domain.view import JobView

_BATCH = "The batch"


@with_groups
def batch(
    source: Annotated[Path, typer.Argument(metavar="IN", help="JSON lines: a request a line, or columns (--prompt).")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="JSON lines: an answer a line, as they come.")],
    asked: Asked,
    where: Where,
    prompt: Annotated[
        str | None,
        typer.Option(
            metavar="TEMPLATE",
            help='A prompt with columns: "Classify: {text}". Then nothing else of the row but its id is used.',
            rich_help_panel=_BATCH,
        ),
    ] = None,
    concurrency: Annotated[
        int, typer.Option(metavar="N", min=1, max=10_000, help="Jobs at once.", rich_help_panel=_BATCH)
    ] = 32,
    name: Annotated[
        str | None,
        typer.Option(
            help="The same row under the same name is never asked twice. Without: the path of OUT.",
            rich_help_panel=_BATCH,
        ),
    ] = None,
    responses: Annotated[
        bool, typer.Option("--responses", help="Write every model's reply too.", rich_help_panel=_BATCH)
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Ask rows that failed before again.", rich_help_panel=_BATCH)
    ] = False,
) -> None:
    """Ask every row of a file, and write one line for each.

    Run again, it goes on where it stopped: rows that are in OUT are left alone, changed ones are asked anew.
    """
    from ditto.batching import BatchOptions, Sink, Source
    from ditto.cli import words
    from ditto.cli.doors import prepare
    from ditto.cli.ending import FAILED, complain, reported, run_async
    from ditto.cli.progress import progress

    with reported():
        given, template = _checked(source, output, asked, prompt, where)
        options = BatchOptions(
            name=name or str(output.resolve()),
            concurrency=concurrency,
            responses=responses,
            retry_failed=retry_failed,
        )
        with Source(source, given, template) as rows, Sink(output) as sink, progress(rows) as shown:
            try:
                prepare(where)
                report = run_async(_run(where, rows, sink, options, shown))
            except (KeyboardInterrupt, CancelledError, Unavailable, OSError):
                complain(
                    f"stopped with {words.count(len(sink.done), 'row')} in {output}; the same command goes on there"
                )
                raise
        _summarise(report, output)
        if report.failed:
            raise typer.Exit(FAILED)


def _checked(
    source: Path, output: Path, asked: Asked, prompt: str | None, where: Where
) -> tuple[dict[str, Any], Template | None]:
    """Returns what the options give to every row; what is wrong with it is said before any row is read."""
    from ditto.batching import Template
    from ditto.cli.doors import check_where, own_settings, panel
    from ditto.domain.request import parse

    check_where(where)
    if output.exists() and source.exists() and os.path.samefile(source, output):
        raise wrong("", "IN and OUT are the same file")
    try:
        template = None if prompt is None else Template(prompt)
    except ValueError as error:
        raise wrong("template", str(error)) from error
    given = asked.body()
    request = parse({**given, "prompt": "any"})
    settings = own_settings(where)
    if settings is not None and where.url is None:
        panel(settings, request)
    return given, template


async def _run(
    where: Where, rows: Source, sink: Sink, options: BatchOptions, shown: Callable[[BatchReport], None]
) -> BatchReport:
    from ditto.batching import run_batch
    from ditto.cli.doors import opened

    async with opened(where) as backend:
        return await run_batch(_SayingSimulated(backend), rows, sink, options, shown)


class _SayingSimulated:
    """The jobs of a service; says once that simulated models are asked, where they are."""

    def __init__(self, backend: Backend) -> None:
        self.wait = backend.wait
        self._backend = backend
        self._said = False

    async def submit(self, request: Request) -> JobView[Any]:
        from ditto.cli import verdict

        job = await self._backend.submit(request)
        if not self._said and verdict.is_simulated(job.progress):
            self._said = True
            print(verdict.SIMULATED_NOTE, file=sys.stderr, flush=True)
        return job


def _summarise(report: BatchReport, output: Path) -> None:
    from ditto.cli import words
    from ditto.cli.progress import tally

    earlier = f", {report.earlier:,} of them already there" if report.earlier else ""
    print(f"{tally(report)}{earlier}: {words.duration(report.elapsed_s)}. {output}", file=sys.stderr)
