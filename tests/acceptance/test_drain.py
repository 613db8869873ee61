"""The service is told to stop: it takes nothing new, what runs may end, and the rest goes on after the next start."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from ditto.runtime.ports import usable_port
from tests.acceptance.conftest import DITTO, said

STOP_S = 60
AGENTS_S = 150
"""Ray's agents find out by themselves that what they serve was killed, and take their time."""


class Stoppable:
    """A `ditto serve` that the test ends itself."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        folder.mkdir()
        self.log = folder / "serve.log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [DITTO, "serve", "--port", "0"],
                env=environ,
                stdout=output,
                stderr=output,
                cwd=folder,
                start_new_session=True,
            )
        self.url = said(r"Ditto at (http://[\d.:]+)", self.log, self.process)[1]

    def told_to_stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def everything_is_told_to_stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)

    def stopped(self) -> str:
        """Returns what it said, once it has ended."""
        assert self.process.wait(STOP_S) == 0
        return self.log.read_text()


def nothing_is_left_of(service: Stoppable, environ: dict[str, str], within_s: float = STOP_S) -> None:
    mark = f"DITTO_STORE={environ['DITTO_STORE']}".encode()
    until = time.monotonic() + within_s  # a worker that Ray was just beginning finds out by itself
    while left := marked(mark):
        assert time.monotonic() < until, left
        time.sleep(0.2)
    assert usable_port("127.0.0.1", httpx.URL(service.url).port) > 0


def marked(mark: bytes) -> list[str]:
    """Returns the titles of the processes that have this in their environment."""
    titles = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                titles.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return titles


@pytest.mark.skipif(sys.platform != "linux", reason="it looks for processes as Linux shows them")
def test_a_whole_process_group_that_is_told_to_stop_drains_first_and_leaves_nothing(tmp_path, sim, own_environ):
    service = Stoppable(tmp_path / "one", own_environ)
    body = {"prompt": "What is 9 * 9?", "models": ["sim/terse+slow=3s"]}
    job = httpx.post(f"{service.url}/jobs", json=body).json()
    service.everything_is_told_to_stop()
    ended = httpx.get(f"{service.url}/jobs/{job['jobId']}", params={"wait": 20_000}, timeout=30).json()
    assert (ended["state"], ended["result"]) == ("complete", "81")
    assert "have not ended" not in service.stopped()
    nothing_is_left_of(service, own_environ)


@pytest.mark.skipif(sys.platform != "linux", reason="it looks for processes as Linux shows them")
def test_a_service_that_is_killed_takes_everything_with_it_and_its_port_is_free(tmp_path, own_environ):
    service = Stoppable(tmp_path / "one", own_environ)
    service.process.kill()
    service.process.wait()
    nothing_is_left_of(service, own_environ, AGENTS_S)


def test_a_job_that_runs_may_end_and_a_new_one_is_refused(tmp_path, sim, own_environ):
    service = Stoppable(tmp_path / "one", own_environ)
    body = {"prompt": "What is 9 * 9?", "models": ["sim/terse+slow=4s"]}
    job = httpx.post(f"{service.url}/jobs", json=body).json()
    service.told_to_stop()
    until = time.monotonic() + 10
    while (refused := httpx.post(f"{service.url}/jobs", json=body, timeout=10)).status_code == 202:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert refused.status_code == 503
    assert "draining" in refused.json()["error"]["message"]
    assert refused.headers["retry-after"]
    assert httpx.get(f"{service.url}/readyz").status_code == 503
    ended = httpx.get(f"{service.url}/jobs/{job['jobId']}", params={"wait": 20_000}, timeout=30).json()
    assert (ended["state"], ended["result"]) == ("complete", "81")
    assert "Traceback" not in service.stopped()


def test_what_has_not_ended_goes_on_after_the_next_start(tmp_path, sim, own_environ):
    environ = {**own_environ, "DITTO_RUNTIME__DRAIN_S": "0.5"}
    httpx.post(f"{sim}/sim/reset")
    first = Stoppable(tmp_path / "one", environ)
    body = {"prompt": "What is 9 * 9?", "models": ["sim/terse", "sim/wordy+slow=8s"], "placement": "shared"}
    job = httpx.post(f"{first.url}/jobs", json=body).json()
    until = time.monotonic() + 20
    while httpx.get(f"{first.url}/jobs/{job['jobId']}").json()["progress"]["sim/terse"] != "answered":
        assert time.monotonic() < until
        time.sleep(0.1)
    first.told_to_stop()
    assert "1 jobs have not ended; they go on after the next start" in first.stopped()
    second = Stoppable(tmp_path / "two", environ)
    ended = httpx.get(f"{second.url}/jobs/{job['jobId']}", params={"wait": 60_000}, timeout=90).json()
    second.told_to_stop()
    second.stopped()
    assert (ended["state"], ended["structured"]["answer"]) == ("complete", 81)
    assert httpx.get(f"{sim}/sim/counts").json()["models"]["terse"]["started"] == 1
