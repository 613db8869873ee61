"""Runs the sessions under the recorder and gives back the tape."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.powercut.plan import Session

SESSIONS = ((Session.ALONE,), (Session.LEFT, Session.RIGHT), (Session.LAST,))
"""One after the other; those in one row together."""
LIMIT_S = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Attributes:
    root: The inode of the folder that was recorded.
    """

    tape: Path
    root: int


def why_not() -> str | None:
    """Returns what is missing for a recording here, None where nothing is."""
    if not sys.platform.startswith("linux"):
        return "Linux, whose calls the recorder knows"
    return None if shutil.which("gcc") else "gcc, which compiles the recorder"


def record(folder: Path, seed: int, together: int, synchronous: str | None = None) -> Recording:
    """Returns the tape of all sessions; `folder` is where it and the journal come to lie.

    Raises:
        RuntimeError: A session failed; the message has its output.
    """
    recorder = _compiled(folder)
    root = (folder / "disk").resolve()
    root.mkdir()
    tape = folder / "tape"
    environ = {
        **os.environ,
        "LD_PRELOAD": str(recorder),
        "POWERCUT_ROOT": str(root),
        "POWERCUT_LOG": str(tape),
        "PYTHONPATH": os.pathsep.join(os.path.abspath(entry) for entry in sys.path),
    }
    command = [sys.executable, "-m", "tests.powercut.writer", "--folder", str(root)]
    command += ["--seed", str(seed), "--together", str(together)]
    if synchronous is not None:
        command += ["--synchronous", synchronous]
    for row in SESSIONS:
        running = [
            subprocess.Popen([*command, session], env=environ, cwd=folder, stderr=subprocess.PIPE, text=True)
            for session in row
        ]
        for process in running:
            try:
                _, said = process.communicate(timeout=LIMIT_S)
            finally:
                process.kill()
            if process.returncode != 0:
                raise RuntimeError(f"a session failed:\n{said}")
    return Recording(tape=tape, root=root.stat().st_ino)


def _compiled(folder: Path) -> Path:
    recorder = folder / "recorder.so"
    source = Path(__file__).with_name("recorder.c")
    command = ["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", str(recorder), str(source)]
    subprocess.run([*command, "-ldl", "-lpthread"], check=True)
    return recorder
