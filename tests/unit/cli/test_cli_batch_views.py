"""What a terminal shows of a batch while it runs."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

from rich.console import Console

from ditto.batching import BatchReport
from ditto.batching.summary import Model, Summary
from ditto.batching.throttle import Throttle
from ditto.cli.progress import View


def _shown(width: int, share: float | None, report: BatchReport | None, **models: Model) -> str:
    summary = Summary()
    summary.models = {name.replace("_", "/"): model for name, model in models.items()}
    work: Any = SimpleNamespace(
        rows=SimpleNamespace(share=lambda: share), summary=summary, throttle=Throttle(64, clock=lambda: 0.0)
    )
    view = View(work, clock=lambda: 0.0)
    if report is not None:
        view.update(report)
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.capture() as captured:
        console.print(view.shown(width))
    console.file.close()
    return captured.get()


REPORT = BatchReport(rows=1300, earlier=100, complete=1250, failed=50, review=125, elapsed_s=60.0)
WELL = Model(rows=1300, calls=1300, input_tokens=54_000, output_tokens=9_100)
DOWN = Model(rows=1300, failed=Counter({"Timeout": 1300}))
POOR = Model(rows=1300, failed=Counter({"RateLimited": 12, "Timeout": 3}))


def test_it_shows_rows_rate_time_left_and_reviews() -> None:
    shown = _shown(100, 0.25, REPORT, sim_terse=WELL)

    assert "1,300 rows, 1,250 complete, 50 failed, 125 to review (10 %), 100 from earlier" in shown
    assert "1 min 0 s · 20.0 rows a second · 0 of 64 at once · about 3 min 0 s left" in shown
    assert "25 %" in shown


def test_it_shows_how_each_model_does() -> None:
    shown = _shown(100, 0.25, REPORT, sim_terse=WELL, sim_dead=DOWN, sim_poor=POOR).splitlines()

    line = {row.split()[0]: " ".join(row.split()) for row in shown if row.startswith("sim/")}
    assert line == {
        "sim/dead": "sim/dead 0 1,300 0 0 down: Timeout 1,300",
        "sim/poor": "sim/poor 1,285 15 0 0 RateLimited 12",
        "sim/terse": "sim/terse 1,300 0 54,000 9,100 well",
    }


def test_a_pipe_has_no_end_that_is_known() -> None:
    shown = _shown(100, None, REPORT)

    assert "left" not in shown
    assert "%" not in shown.replace("(10 %)", "")


def test_before_the_first_row_it_says_that_it_starts() -> None:
    assert "starting" in _shown(100, 0.0, None)


def test_a_narrow_terminal_is_never_overrun() -> None:
    shown = _shown(50, 0.25, REPORT, sim_terse=WELL, sim_dead=DOWN)

    assert all(len(line) <= 50 for line in shown.splitlines())
    assert "tokens" not in shown
    assert "sim/terse" in shown
