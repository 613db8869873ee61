"""`ditto batch IN OUT`: every row of a file asked, each answer written as it comes, gone on with after a stop."""

from __future__ import annotations

import sys
from asyncio import CancelledError
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ditto.cli.options import Asked, Where, with_groups, wrong
from ditto.errors import RateLimited, ServiceError, Unavailable

if TYPE_CHECKING:
    from ditto.batching import BatchReport, Merging, Plan, Template, Work
    from ditto.client.backend import Backend
    from ditto.domain.request import Request
    from ditto.domain.view import JobView

_BATCH, _ROWS = "The batch", "Which rows"


@with_groups
def batch(
    source: Annotated[
        str,
        typer.Argument(
            metavar="IN",
            help="JSON lines, CSV or Parquet (.gz too): a request a row, or columns (--prompt). A file, a folder, a "
            "pattern in quotes, a place that fsspec knows (s3://…), or - for standard input.",
        ),
    ],
    output: Annotated[
        str, typer.Argument(metavar="OUT", help="A row for each: JSON lines, CSV or Parquet by its name, or -.")
    ],
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
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=10_000,
            help="Jobs at once. Without: as many as are found to make it faster.",
            rich_help_panel=_BATCH,
        ),
    ] = None,
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
    ordered: Annotated[
        bool,
        typer.Option(
            "--ordered", help="Write the rows in the order of IN; OUT appears at the end.", rich_help_panel=_BATCH
        ),
    ] = False,
    merge: Annotated[
        str,
        typer.Option(
            metavar="auto|one-pass|two-pass",
            help="How verdicts are made: as answers come, or once more when all are there, by what they teach of the "
            "models; auto: the latter from 30 rows of one panel.",
            rich_help_panel=_BATCH,
        ),
    ] = "auto",
    label: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Says what is right: confidences are corrected by it, and OUT says which answers are right.",
            rich_help_panel=_BATCH,
        ),
    ] = None,
    report: Annotated[
        bool,
        typer.Option(
            "--report/--no-report",
            help="Write OUT.report.html, and the same as JSON, when all is done.",
            rich_help_panel=_BATCH,
        ),
    ] = True,
    max_errors: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Stop when more rows than these have failed.", rich_help_panel=_BATCH),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Ask rows that failed before again.", rich_help_panel=_ROWS)
    ] = False,
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Take no more rows than these.", rich_help_panel=_ROWS)
    ] = None,
    sample: Annotated[
        float | None,
        typer.Option(
            metavar="0..1",
            min=0,
            max=1,
            help="Take this share of the rows, always the same ones.",
            rich_help_panel=_ROWS,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be asked, and ask nothing.", rich_help_panel=_ROWS)
    ] = False,
) -> None:
    """Ask every row of a file, and write one row for each.

    Run again, it goes on where it stopped: rows that are in OUT are left alone, changed ones are asked anew.
    """
    from ditto.batching import BatchOptions, Plan, Reading, default_name
    from ditto.batching.places import PIPE
    from ditto.cli.ending import reported

    with reported():
        given, template = _checked(asked, prompt, where)
        plan = Plan(
            source=source,
            output=output,
            reading=Reading(given=given, template=template, label=label, limit=limit, sample=sample),
            options=BatchOptions(
                name=name or default_name(output),
                concurrency=concurrency,
                responses=responses,
                ordered=ordered,
                retry_failed=retry_failed,
                max_errors=max_errors,
            ),
            merging=_merging(merge),
            review_threshold=_review_threshold(where),
            report=report and output != PIPE,
        )
        if dry_run:
            _say_what_would_be_asked(plan, where)
        else:
            _run(plan, where)


def _run(plan: Plan, where: Where) -> None:
    from ditto.batching import Work
    from ditto.cli.doors import prepare
    from ditto.cli.ending import FAILED, complain, run_async
    from ditto.cli.progress import progress

    _warn_of_pipes(plan)
    with Work(plan) as work, progress(work) as shown:
        try:
            prepare(where)
            report = run_async(_asked(where, work, shown))
        except (KeyboardInterrupt, CancelledError, Unavailable, OSError):
            complain(_stopped(work))
            raise
    _summarise(report, plan.output, work.page)
    if report.stopped:
        complain(f"stopped: more than {plan.options.max_errors} rows have failed; the same command goes on there")
    if report.failed:
        raise typer.Exit(FAILED)


async def _asked(where: Where, work: Work, shown: Callable[[BatchReport], None]) -> BatchReport:
    from ditto.cli.doors import opened

    async with opened(where, told=_slowing(work)) as backend:
        return await work.run(_SayingSimulated(backend), shown)


def _merging(given: str) -> Merging:
    from ditto.batching import Merging

    try:
        return Merging(given)
    except ValueError:
        raise wrong("merge", f"{given!r} is none of {', '.join(Merging)}") from None


def _review_threshold(where: Where) -> float:
    """Returns below which confidence a person should look at a row; of a service elsewhere, what is usual."""
    from ditto.cli.doors import own_settings
    from ditto.settings import Defaults

    settings = own_settings(where)
    return (Defaults() if settings is None or where.url is not None else settings.defaults).review_threshold


def _slowing(work: Work) -> Callable[[ServiceError], None]:
    """Returns what has fewer jobs run at once where the service says that it is full."""

    def told(error: ServiceError) -> None:
        if isinstance(error, RateLimited):
            work.throttle.slow()

    return told


def _checked(asked: Asked, prompt: str | None, where: Where) -> tuple[dict[str, Any], Template | None]:
    """Returns what the options give to every row; what is wrong with it is said before any row is read."""
    from ditto.batching import Template
    from ditto.cli.doors import check_where, own_settings, panel
    from ditto.domain.request import parse

    check_where(where)
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


def _warn_of_pipes(plan: Plan) -> None:
    """Says what cannot be gone on with."""
    from ditto.batching import places
    from ditto.cli.ending import complain

    if places.is_pipe(plan.output):
        complain("a pipe cannot be gone on with: stopped and run again, all rows are written anew")
    elif places.is_pipe(plan.source):
        complain("a pipe cannot be read again: to go on after a stop, send the same rows once more")


def _stopped(work: Work) -> str:
    from ditto.batching import Pipe
    from ditto.cli import words

    if isinstance(work.sink, Pipe):
        return "stopped; a pipe cannot be gone on with"
    return f"stopped with {words.count(len(work.sink.done), 'row')} in {work.sink.path}; the same command goes on there"


class _SayingSimulated:
    """The jobs of a service; says once that simulated models are asked, where they are."""

    def __init__(self, backend: Backend) -> None:
        self.wait, self.hold_batch = backend.wait, backend.hold_batch
        self._backend = backend
        self._said = False

    async def begin(self, request: Request) -> JobView[Any]:
        from ditto.cli import verdict

        job = await self._backend.begin(request)
        if not self._said and verdict.is_simulated(job.progress):
            self._said = True
            print(verdict.SIMULATED_NOTE, file=sys.stderr, flush=True)
        return job


def _summarise(report: BatchReport, output: str, page: str | None) -> None:
    from ditto.cli import words
    from ditto.cli.progress import tally

    earlier = f", {report.earlier:,} of them already there" if report.earlier else ""
    print(f"{tally(report)}{earlier}: {words.duration(report.elapsed_s)}. {output}", file=sys.stderr)
    if page is not None:
        print(f"report: {page}", file=sys.stderr)


def _say_what_would_be_asked(plan: Plan, where: Where) -> None:
    from ditto.batching.estimating import estimated
    from ditto.cli import words
    from ditto.cli.doors import own_settings, panel

    settings = own_settings(where)

    def calls(request: Request) -> int | None:
        return len(panel(settings, request)) if settings is not None and where.url is None else None

    expected = estimated(plan, calls)
    print(f"{words.count(expected.rows, 'row')}, {expected.done:,} already there, {expected.bad:,} wrong")
    if expected.first_problem:
        print(f"the first wrong one: {words.one_line(expected.first_problem)}")
    print(f"{expected.to_ask:,} to ask, " + _calls(expected.calls))
    if expected.input_tokens is not None:
        out = (
            "" if expected.output_tokens is None else f", {expected.output_tokens:,} out, as in the rows that are there"
        )
        print(f"about {expected.input_tokens:,} tokens in{out}")


def _calls(count: int | None) -> str:
    from ditto.cli import words

    return "with the calls of the service's panel each" if count is None else f"with {words.count(count, 'call')}"
