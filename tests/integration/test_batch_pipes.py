"""`ditto batch - -`: rows in by a pipe, answers out by another, and nothing else there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.fakes import FakeService
from tests.integration.test_batch_kills import LONG_S, serving

COMMAND = (sys.executable, "-P", "-c", "from ditto.cli import main; main()", "batch", "-", "-")


def test_rows_come_and_go_by_pipes_in_order(tmp_path: Path) -> None:
    left_out = ("RAY_ADDRESS", "DITTO_CONFIG", "DITTO_URL", "DITTO_API_KEY")
    environ = {name: value for name, value in os.environ.items() if name not in left_out}
    sent = "".join(f"{json.dumps({'id': n, 'prompt': f'Say {n}.'})}\n" for n in range(40)) + "{broken\n"
    with serving(FakeService()) as url:
        done = subprocess.run(
            [*COMMAND, "--url", url, "--ordered"],
            input=sent,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environ,
            timeout=LONG_S,
            check=False,
        )

    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1, done.stderr  # one row could not be asked
    assert [row["id"] for row in rows[:40]] == [str(n) for n in range(40)]
    assert (rows[40]["state"], rows[40]["line"]) == ("error", 41)
    assert "a pipe cannot be gone on with" in done.stderr
    assert list(tmp_path.iterdir()) == []
