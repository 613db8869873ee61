"""Looks at the processes of a command while rows are written, one every second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.benchmarks.overnight.looks import Look, Process
from tests.benchmarks.recovery.ditto_side import marked
from tests.benchmarks.speed.systems import cpu_s_of, kind_of, resident_mb_of

EVERY_S = 1.0


class Watch:
    """Looks at the processes with a mark as long as the block runs.

    Args:
        written: Returns how many rows are in the output.
    """

    def __init__(self, mark: str, written: Callable[[], int]) -> None:
        self.looks: list[Look] = []
        self._mark = mark
        self._written = written
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(EVERY_S):
            self.looks.append(look(self._mark, self._written()))


def look(mark: str, rows: int) -> Look:
    """Returns what the processes with this mark have used by now."""
    found = {}
    for pid in marked(mark):
        try:
            found[pid] = Process(kind=kind_of(pid), cpu_s=cpu_s_of(pid), resident_mb=resident_mb_of(pid))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
    return Look(at_s=time.monotonic(), rows=rows, processes=found)
