"""DBOS's rounds: its process is killed, started again, and recovers its pending workflow as it launches."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.acceptance.processes import said
from tests.benchmarks.recovery.counting import reset, started
from tests.benchmarks.recovery.dbos_app import DATABASE, WORKFLOW
from tests.benchmarks.recovery.shape import LENGTH_S, Lived, Round, Shape, judged, models

_TIME = r" (\d+\.\d+)"


def undisturbed(folder: Path, sim: str, shape: Shape) -> float:
    """Returns how long the job takes when nothing is killed."""
    with _app(folder, sim, shape, "--start") as (running, log):
        accepted_at = float(said(f"accepted{_TIME}", log, running)[1])
        return float(said(f"finished{_TIME}", log, running)[1]) - accepted_at


def killed(folder: Path, sim: str, shape: Shape, moment: float, undisturbed_s: float) -> Round:
    """Returns what came of one kill; `folder` is the round's own."""
    reset(sim)
    with _app(folder, sim, shape, "--start") as (running, log):
        accepted_at = float(said(f"accepted{_TIME}", log, running)[1])
        time.sleep(max(0.0, accepted_at + moment * LENGTH_S - time.time()))
        killed_at = time.time()
        running.send_signal(signal.SIGKILL)
    from_at = time.time()
    with _app(folder, sim, shape) as (running, log):
        resumed_at = float(said(f"running{_TIME}", log, running)[1])
        ended_at = float(said(f"finished{_TIME}", log, running)[1])
        running.wait()
        launched_at = float(said(f"launched{_TIME}", log, running)[1])
    lived = Lived(
        accepted_at=accepted_at,
        resumed_at=resumed_at,
        replies=_replies(folder, shape),
        ended_at=ended_at,
    )
    return judged(
        lived,
        moment=moment,
        killed_at=killed_at,
        from_at=from_at,
        ready_s=launched_at - from_at,
        undisturbed_s=undisturbed_s,
        started=started(sim, models(shape)),
    )


@contextmanager
def _app(folder: Path, sim: str, shape: Shape, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    log = folder / "dbos.log"
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(os.path.abspath(entry) for entry in sys.path)}
    command = [sys.executable, str(Path(__file__).with_name("dbos_app.py")), str(folder), sim, shape, *options]
    with log.open("wb") as output:
        running = subprocess.Popen(command, env=environ, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield running, log
    finally:
        running.kill()
        running.wait()


def _replies(folder: Path, shape: Shape) -> dict[str, float]:
    """Returns when DBOS recorded each step; a step's number is its place in the workflow, from 1."""
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        steps = connection.execute(
            "SELECT function_id, completed_at_epoch_ms FROM operation_outputs WHERE workflow_uuid = ? AND output"
            " IS NOT NULL",
            (WORKFLOW,),
        ).fetchall()
    names = models(shape)
    return {names[number - 1]: at / 1000 for number, at in steps}
