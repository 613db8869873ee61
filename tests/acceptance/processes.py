"""Processes that a test starts, listens to and ends."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

START_S = 90
STOP_S = 60


@contextlib.contextmanager
def process(*command: str, environ: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a command while the block runs; ends it, and it alone, by SIGINT."""
    with log.open("wb") as output:
        started = subprocess.Popen(command, env=environ, stdout=output, stderr=subprocess.STDOUT, cwd=log.parent)
        try:
            yield started
        finally:
            if started.poll() is None:
                started.send_signal(signal.SIGINT)
            try:
                started.wait(STOP_S)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()
                raise


def said(pattern: str, log: Path, running: subprocess.Popen[bytes]) -> re.Match[str]:
    """Returns the match once the process has said it."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        text = log.read_text(errors="replace")
        if (match := re.search(pattern, text)) is not None:
            return match
        assert running.poll() is None, f"the process ended:\n{text}"
        time.sleep(0.1)
    raise AssertionError(f"not said in {START_S} s: {pattern}\n{log.read_text(errors='replace')}")
