"""How far a batch is: a bar on a terminal, a plain line now and then elsewhere. On stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

from ditto.cli import words

if TYPE_CHECKING:
    from ditto.batching import BatchReport, Work

_LINE_EVERY_S = 5.0


@contextmanager
def progress(work: Work) -> Iterator[Callable[[BatchReport], None]]:
    """Yields what to call after each row."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal or console.is_dumb_terminal:
        yield _lines()
        return
    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console, transient=True, expand=True, redirect_stdout=False) as bar:
        task = bar.add_task("starting", total=None if work.rows.share() is None else 1.0)

        def update(report: BatchReport) -> None:
            bar.update(task, completed=work.rows.share() or 0.0, description=f"{tally(report)}{_rate(report)}")

        yield update


def tally(report: BatchReport) -> str:
    """Returns the counts in words."""
    parts = [words.count(report.rows, "row"), f"{report.complete:,} complete"]
    if report.failed:
        parts.append(f"{report.failed:,} failed")
    if report.review:
        parts.append(f"{report.review:,} to review")
    return ", ".join(parts)


def _lines() -> Callable[[BatchReport], None]:
    last_s = 0.0

    def update(report: BatchReport) -> None:
        nonlocal last_s
        if report.elapsed_s - last_s >= _LINE_EVERY_S:
            last_s = report.elapsed_s
            print(f"{tally(report)}{_rate(report)}", file=sys.stderr, flush=True)

    return update


def _rate(report: BatchReport) -> str:
    fresh = report.rows - report.earlier
    return f", {fresh / report.elapsed_s:.1f} a second" if fresh and report.elapsed_s >= 1 else ""
