"""How far a batch is: a live view on a terminal, a plain line now and then elsewhere. On stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ditto.cli import words

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ditto.batching import BatchReport, Work
    from ditto.batching.summary import Model

_LINE_EVERY_S = 5.0
_TIMES_A_SECOND = 4
_MOST_MODELS = 12
_WIDE = 76


@contextmanager
def progress(work: Work) -> Iterator[Callable[[BatchReport], None]]:
    """Yields what to call after each row."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal or console.is_dumb_terminal:
        yield _lines()
        return
    view = View(work)
    with Live(
        console=console,
        get_renderable=lambda: view.shown(console.width),
        refresh_per_second=_TIMES_A_SECOND,
        transient=True,
        redirect_stdout=False,
    ):
        yield view.update


class View:
    """What a terminal shows of a batch while it runs."""

    def __init__(self, work: Work, clock: Callable[[], float] = time.monotonic) -> None:
        self._work = work
        self._clock = clock
        self._began_s = clock()
        self._report: BatchReport | None = None

    def update(self, report: BatchReport) -> None:
        """Notes how far it is."""
        self._report = report

    def shown(self, width: int) -> RenderableType:
        """Returns what is to be seen now; where there is little room, no tokens."""
        if self._report is None:
            return Text(f"starting, {words.duration(self._clock() - self._began_s)}", style="dim")
        parts: list[RenderableType] = [self._bar(), self._counts(self._report), self._pace(self._report)]
        if self._work.summary.models:
            parts.append(self._models(tokens=width >= _WIDE))
        return Group(*parts)

    def _bar(self) -> RenderableType:
        share = self._work.rows.share()
        line = Table.grid(padding=(0, 1), expand=True)
        line.add_column(ratio=1)
        line.add_column(justify="right", no_wrap=True)
        pulse = ProgressBar(total=None, pulse=True, animation_time=self._clock() - self._began_s)
        bar = pulse if share is None else ProgressBar(total=1.0, completed=share)
        line.add_row(bar, "" if share is None else f"{share * 100:.0f} %")
        return line

    def _counts(self, report: BatchReport) -> Text:
        text = Text(tally(report))
        if report.review:
            text.append(f" ({words.share(report.review / report.complete)})", style="dim")
        if report.earlier:
            text.append(f", {report.earlier:,} from earlier", style="dim")
        return text

    def _pace(self, report: BatchReport) -> Text:
        throttle = self._work.throttle
        parts = [words.duration(report.elapsed_s), f"{throttle.running:,} of {throttle.limit:,} at once"]
        fresh = report.rows - report.earlier
        if fresh and report.elapsed_s >= 1:
            parts.insert(1, f"{fresh / report.elapsed_s:.1f} rows a second")
        left_s = self._left_s(report)
        if left_s is not None:
            parts.append(f"about {words.duration(left_s)} left")
        return Text(" · ".join(parts), style="dim")

    def _left_s(self, report: BatchReport) -> float | None:
        share = self._work.rows.share()
        if not share or share >= 1 or report.elapsed_s < 2 or report.rows == report.earlier:
            return None
        return max(1.0, report.elapsed_s * (1 - share) / share)

    def _models(self, *, tokens: bool) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("model", overflow="ellipsis", no_wrap=True)
        for name in ("replies", "failed", *(("tokens in", "tokens out") if tokens else ())):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("state", overflow="ellipsis", no_wrap=True)
        models = sorted(self._work.summary.models.items())
        for name, model in models[:_MOST_MODELS]:
            failed = sum(model.failed.values())
            used = (f"{model.input_tokens:,}", f"{model.output_tokens:,}") if tokens else ()
            answered = f"{max(model.rows - failed, 0):,}"
            table.add_row(words.one_line(name, 60), answered, f"{failed:,}", *used, _state(model))
        if len(models) > _MOST_MODELS:
            table.add_row(f"and {len(models) - _MOST_MODELS} more", style="dim")
        return table


def tally(report: BatchReport) -> str:
    """Returns the counts in words."""
    parts = [words.count(report.rows, "row"), f"{report.complete:,} complete"]
    if report.failed:
        parts.append(f"{report.failed:,} failed")
    if report.review:
        parts.append(f"{report.review:,} to review")
    return ", ".join(parts)


def _state(model: Model) -> Text:
    if not model.failed:
        return Text("well", style="green")
    why, count = model.failed.most_common(1)[0]
    down = sum(model.failed.values()) >= model.rows
    return Text(f"{'down: ' if down else ''}{why} {count:,}", style="red" if down else "yellow")


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
