"""One way begun as its user begins it, watched to its end, or killed at random moments and begun again.

A kill is a kill of everything: the command and all that it has begun, Ray's daemons and workers among them, found by a
mark in their environment.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.benchmarks.overnight import judging, looks
from tests.benchmarks.overnight.judging import Asked, Kill, Output
from tests.benchmarks.overnight.models import call_of
from tests.benchmarks.overnight.watching import Watch
from tests.benchmarks.overnight.ways import BATCH, Way, Written
from tests.benchmarks.recovery.ditto_side import marked
from tests.chaos.journal import Store

_LOOK_S = 0.02
_START_S = 300.0
_SLOWEST_ROWS_PER_S = 2.0
_GONE_S = 30.0
_STOP_S = 60.0
_DELAY_S = 0.5
"""A kill comes up to so long after the row that it waits for."""


class Running:
    """The processes of one way, and what its models were asked."""

    def __init__(self, way: Way, ray: Path) -> None:
        self.way = way
        self.mark = str(way.folder)
        self.store = way.folder / "journal.db"
        self._log = way.folder / "log"
        self._written = Written()
        self._patience_s = _START_S + way.given.rows / _SLOWEST_ROWS_PER_S
        left_out = ("RAY_", "DITTO_")
        self._environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith(left_out)},
            "DITTO_MARK": self.mark,
            "DITTO_STORE": str(self.store),
            "DITTO_SIM_URL": way.given.sim,
            "RAY_TMPDIR": str(ray),
            "PYTHONPATH": os.getcwd(),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self.way.command(),
                env=self._environ,
                cwd=self.way.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def rows(self) -> int:
        """Returns how many rows are in the output."""
        return self._written.count(self.way.growing()) // self.way.per_row

    def until(self, rows: int) -> bool:
        """Returns True once so many rows are there, False when the command has ended before."""
        until_s = time.monotonic() + self._patience_s
        while self.rows() < rows:
            if not self._runs():
                return False
            if time.monotonic() > until_s:
                raise TimeoutError(f"{self.way.name} has not written {rows} rows in {self._patience_s:.0f} s")
            time.sleep(_LOOK_S)
        return self._runs()

    def wait(self) -> None:
        """Returns when the command has ended well.

        Raises:
            RuntimeError: It has not.
        """
        assert self._process is not None
        if (code := self._process.wait(self._patience_s)) != 0:
            raise RuntimeError(f"{self.way.name} ended with {code}:\n{self._log.read_text()[-3000:]}")

    def kill(self) -> Kill:
        """Kills everything, and returns when no process is left."""
        victims = marked(self.mark)
        before, rows = self.counts(), self.rows()
        while victims:
            for pid in victims:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            victims = marked(self.mark)
        assert self._process is not None
        self._process.wait(_STOP_S)
        after = self._after()
        return Kill(
            rows=rows,
            ended=before["finished"] + before["aborted"],
            begun=after["started"],
            unrecorded=self._unrecorded(),
        )

    def stop(self) -> None:
        """Ends what is left, after a failure."""
        if self._runs():
            self.kill()

    def counts(self) -> dict[str, Any]:
        """Returns what the models were asked so far."""
        said: dict[str, Any] = httpx.get(f"{self.way.given.sim}/sim/counts").raise_for_status().json()
        return said

    def asked(self, kills: Sequence[Kill]) -> Asked:
        """Returns what the models were asked until now, held against what had to be."""
        counts = self.counts()
        return judging.asked(self.way.given.calls, counts["started"], counts["again"], kills)

    def _after(self) -> dict[str, Any]:
        """Returns the counts when the models have seen that nobody is there any more."""
        until_s = time.monotonic() + _GONE_S
        while (counts := self.counts())["running"]:
            if time.monotonic() > until_s:
                raise TimeoutError("the models still answer somebody")
            time.sleep(_LOOK_S)
        return counts

    def _unrecorded(self) -> frozenset[str] | None:
        """Returns the calls of which the journal has the beginning and no reply; None: nothing has a journal here."""
        if self.way.name != BATCH:
            return None
        store = Store(str(self.store))
        opened = [job.job_id for job in store.open_jobs()]
        prompts = store.prompts(opened)
        calls = store.running_calls(opened)
        return frozenset(call_of(call.removeprefix("sim/"), prompts[job_id]) for job_id, call, _ in calls)

    def _runs(self) -> bool:
        return self._process is not None and self._process.poll() is None


@contextlib.contextmanager
def running(way: Way) -> Iterator[Running]:
    """Yields a way that can be begun; its models are asked by nobody else, and have forgotten what was before."""
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as name:  # Ray's sockets: a short path
        found = Running(way, Path(name))
        httpx.post(f"{way.given.sim}/sim/reset").raise_for_status()
        try:
            yield found
        finally:
            found.stop()


def undisturbed(way: Way) -> dict[str, Any]:
    """Returns the figures of a run that nobody kills."""
    with running(way) as found:
        began_s = time.monotonic()
        with Watch(found.mark, found.rows) as watch:
            found.begin()
            found.wait()
        elapsed_s = time.monotonic() - began_s
        asked = found.asked(())
    told = looks.figures(watch.looks, way.given.rows, elapsed_s) | _sizes(way)
    return told | _told(way, way.read(), None, asked)


def killed(way: Way, kills: int, luck: random.Random, like: Output | None) -> dict[str, Any]:
    """Returns what came of a run that is killed at so many random moments, and begun again each time.

    Args:
        like: The output of a run that nobody killed.
    """
    moments = sorted(luck.uniform(0.02, 0.98) * way.given.rows for _ in range(kills))
    done: list[Kill] = []
    began_s = time.monotonic()
    with running(way) as found:
        for moment in moments:
            found.begin()
            if not found.until(int(moment)):
                break
            time.sleep(luck.uniform(0.0, _DELAY_S))
            done.append(found.kill())
        else:
            found.begin()
        found.wait()
        asked = found.asked(done)
    told = {"rows": way.given.rows, "elapsed_s": round(time.monotonic() - began_s, 1), "kills": len(done)}
    each = [
        {
            "rows": kill.rows,
            "at_models": kill.at_models,
            "unrecorded": None if kill.unrecorded is None else len(kill.unrecorded),
        }
        for kill in done
    ]
    return told | {"each_kill": each} | _told(way, way.read(), like, asked)


def _sizes(way: Way) -> dict[str, Any]:
    """Returns how many bytes a row is in the output, and in the store where there is one."""
    stored = sum(file.stat().st_size for file in way.folder.glob("journal.db*"))
    written = sum(file.stat().st_size for file in way.growing())
    return {
        "output_bytes_per_row": round(written / way.given.rows),
        "store_bytes_per_row": round(stored / way.given.rows) if stored else None,
    }


def _told(way: Way, output: Output, like: Output | None, asked: Asked) -> dict[str, Any]:
    verdict = judging.judged(way.wanted(), output, way.columns, like)
    return {
        "missing": verdict.missing,
        "twice": verdict.twice,
        "strange": verdict.strange,
        "torn": verdict.torn,
        "different": verdict.different,
        "calls": asked.calls,
        "calls_begun": asked.begun,
        "calls_beyond": asked.beyond,
        "at_models_at_kills": asked.at_models,
        "in_flight_at_kills": asked.in_flight,
        "answered_again": asked.answered_again,
        "right": verdict.right and asked.right,
    }
