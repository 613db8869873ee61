"""Where one watches a panel answer: a table that lives on a terminal, plain lines elsewhere, or nowhere.

All of it goes to stderr: stdout belongs to the result.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from ditto.cli import words
from ditto.cli.panel import Panel, Seat, SeatState

_REFRESHES_PER_S = 8
_MARGIN_LINES = 6
_MARGIN_COLUMNS = 3
"""Room for the ^C that a terminal writes, which would else break the last line and leave it behind."""
_NARROW = 70
_STYLES = {
    SeatState.WAITING: "dim",
    SeatState.RUNNING: "cyan",
    SeatState.ANSWERED: "green",
    SeatState.FAILED: "red",
}


class Screen(Protocol):
    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, panel: Panel) -> None:
        """Shows the panel as it stands now."""
        ...

    def say(self, note: str) -> None:
        """Shows a line that stays."""
        ...


class LiveScreen:
    """A table that is drawn over itself several times a second."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._panel: Panel | None = None
        self._ended = False
        self._live = Live(
            console=console, get_renderable=self._drawn, refresh_per_second=_REFRESHES_PER_S, redirect_stdout=False
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended = True
        self._live.stop()

    def show(self, panel: Panel) -> None:
        self._panel = panel

    def say(self, note: str) -> None:
        self._console.print(Text(note, style="yellow"))

    def _drawn(self) -> RenderableType:
        if self._panel is None:
            return Text("") if self._ended else Spinner("dots", "starting")
        room = len(self._panel.seats) if self._ended else max(1, self._console.height - _MARGIN_LINES)
        return table(self._panel, time.monotonic(), room, self._console.width - _MARGIN_COLUMNS)


class PlainScreen:
    """A line for each model when it has answered or failed."""

    def __init__(self) -> None:
        self._shown: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def show(self, panel: Panel) -> None:
        for seat in panel.seats.values():
            if seat.ended and self._shown.get(seat.name) != seat.text:
                self._shown[seat.name] = seat.text
                self.say(line(seat))

    def say(self, note: str) -> None:
        print(note, file=sys.stderr, flush=True)


class NoScreen:
    """Shows nothing of the panel; what is said is said all the same."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def show(self, panel: Panel) -> None:
        pass

    def say(self, note: str) -> None:
        print(note, file=sys.stderr, flush=True)


def screen(*, silent: bool) -> Screen:
    """Returns the screen that fits where stderr goes."""
    if silent:
        return NoScreen()
    console = Console(stderr=True, highlight=False)
    return LiveScreen(console) if console.is_terminal and not console.is_dumb_terminal else PlainScreen()


def line(seat: Seat) -> str:
    """Returns a seat that has ended as one line."""
    return f"{seat.name}  {seat.state} in {words.duration(seat.elapsed_s or 0.0)}  {words.one_line(seat.text)}"


def table(panel: Panel, now_s: float, room: int, width: int) -> Table:
    """Returns the panel as a table of at most about `room` lines; where it is larger, those that still run go first."""
    drawn = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", width=width)
    drawn.add_column("model", overflow="ellipsis", no_wrap=True, ratio=4 if width < _NARROW else 2)
    drawn.add_column("state", no_wrap=True, width=8)
    drawn.add_column("time", no_wrap=True, justify="right", width=9)
    drawn.add_column("reply", overflow="ellipsis", no_wrap=True, ratio=4)
    for seat in _chosen(panel.seats.values(), room):
        style = _STYLES[seat.state]
        drawn.add_row(
            Text(seat.name), Text(str(seat.state), style=style), _time(seat, now_s), Text(words.one_line(seat.text))
        )
    if len(panel.seats) > room:
        told = f"{panel.ended()} of {words.count(len(panel.seats), 'model')} done"
        drawn.add_row("…", "", "", Text(told, style="dim"))
    return drawn


def _chosen(seats: Iterable[Seat], room: int) -> list[Seat]:
    every = list(seats)
    if len(every) <= room:
        return every
    order = {SeatState.RUNNING: 0, SeatState.FAILED: 1, SeatState.ANSWERED: 2, SeatState.WAITING: 3}
    return sorted(every, key=lambda seat: order[seat.state])[:room]


def _time(seat: Seat, now_s: float) -> str:
    if seat.elapsed_s is not None:
        return words.duration(seat.elapsed_s)
    return "" if seat.since_s is None else words.duration(now_s - seat.since_s)
