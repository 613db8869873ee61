"""The panel as its events tell it, and how it is drawn."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from ditto.cli import screens
from ditto.cli.panel import Panel, SeatState
from ditto.client.cluster_backend import ClusterBackend
from ditto.domain.events import Failure
from ditto.domain.request import parse
from tests.fakes import FakeService, Held


async def _panel(service: FakeService, **asked: object) -> Panel:
    backend = ClusterBackend(service)
    job = await backend.submit(parse({"prompt": "x", **asked}))
    panel = Panel()
    async for event in backend.events(job.job_id, 0):
        panel = panel.after(event, 1.0)
    return panel


def _drawn(panel: Panel, *, width: int = 80, room: int = 20) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(screens.table(panel, 3.0, room, width))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


async def test_each_seat_ends_with_its_reply_or_its_error() -> None:
    service = FakeService(
        {"sim/alpha": "Yes.", "sim/beta": Failure(type="Timeout", message="no answer", elapsed_s=2.5)}
    )

    panel = await _panel(service, models=["sim/alpha", "sim/beta"])

    alpha, beta = panel.seats["sim/alpha"], panel.seats["sim/beta"]
    assert (alpha.state, alpha.text, alpha.elapsed_s) == (SeatState.ANSWERED, "Yes.", 0.01)
    assert (beta.state, beta.text, beta.elapsed_s) == (SeatState.FAILED, "Timeout: no answer", 2.5)
    assert panel.ended() == 2


async def test_a_reply_that_misses_the_schema_is_shown_as_failed() -> None:
    service = FakeService({"sim/alpha": "no number"})

    panel = await _panel(service, models=["sim/alpha"], schema={"type": "integer"})

    assert panel.seats["sim/alpha"].state is SeatState.FAILED


async def test_a_model_that_is_waited_for_shows_its_time_so_far() -> None:
    service = FakeService({"sim/alpha": Held()})
    backend = ClusterBackend(service)
    job = await backend.submit(parse({"prompt": "x", "models": ["sim/alpha"]}))
    panel = Panel()

    async for event in backend.events(job.job_id, 0):
        panel = panel.after(event, 1.0)
        if event.kind == "call.started":
            break

    assert "running" in _drawn(panel)
    assert "2.0 s" in _drawn(panel)


@pytest.mark.parametrize("width", [30, 40, 80, 200])
async def test_the_table_fits_any_width(width: int) -> None:
    panel = await _panel(FakeService({"sim/alpha": "日本語の長い答え 🙂 " * 20}), models=["sim/alpha", "sim/beta"])

    lines = _drawn(panel, width=width).splitlines()

    assert len(lines) == 3
    assert all(Console().measure(line).maximum <= width for line in lines)


async def test_a_large_panel_shows_what_fits_and_counts_the_rest() -> None:
    panel = await _panel(FakeService(), models=[f"sim/m{number}" for number in range(300)])

    drawn = _drawn(panel, room=10)

    assert len(drawn.splitlines()) == 12
    assert "300 of 300 models done" in drawn


async def test_without_a_terminal_each_model_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    panel = await _panel(FakeService({"sim/alpha": "Yes.\nSurely."}), models=["sim/alpha"])

    with screens.PlainScreen() as screen:
        screen.show(panel)
        screen.show(panel)

    assert capsys.readouterr().err == "sim/alpha  answered in 0.01 s  Yes. Surely.\n"
