"""Ditto's rounds: the whole service killed and started again as a user does, or the one process that holds the job.

A whole service is the command, Ray, Serve and every actor; they are found by a mark in their environment and all get
SIGKILL. Restarting it is `ditto serve` again on the same journal, Ray's start included. Where only the job's holder is
killed, nobody restarts anything: Ray does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import ray

from ditto.domain import events as ev
from ditto.domain.events import Recorded
from ditto.runtime import cluster
from ditto.store.sqlite import SqliteJournal
from tests.acceptance.conftest import Serving, service
from tests.benchmarks.recovery.counting import reset, started
from tests.benchmarks.recovery.shape import LENGTH_S, PROMPT, Lived, Round, Shape, judged, models

WAIT_S = 90
QUIET_S = 3.0
"""Between rounds: new spares are made in it, which would take the machine from the job."""
_STRATEGIES = {Shape.SEQUENCE: "cooperative", Shape.TOGETHER: "consensus"}
_ENDS = (ev.JobCompleted, ev.JobFailed, ev.JobCancelled)


class Marked:
    """A `ditto serve` whose processes can all be found."""

    def __init__(self, folder: Path, sim: str) -> None:
        self._folder = folder
        self._sim = sim
        self._stack = contextlib.ExitStack()
        self.serving: Serving

    def start(self) -> float:
        """Starts it; returns the seconds until it took jobs."""
        begun = time.time()
        variables = {"DITTO_MARK": str(self._folder), "RAY_TMPDIR": str(self._folder)}
        self.serving = self._stack.enter_context(service(self._folder, self._sim, **variables))
        return time.time() - begun

    def kill(self) -> None:
        """Kills every process of it, and returns when none is left."""
        while found := marked(str(self._folder)):
            for pid in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self._stack.close()

    def stop(self) -> None:
        self._stack.close()


def marked(mark: str) -> list[int]:
    """Returns the processes that were started with this mark in their environment; the dead are left out."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            if f"DITTO_MARK={mark}".encode() in Path("/proc", pid, "environ").read_bytes():
                found.append(int(pid))
    return found


def undisturbed(serving: Serving, shape: Shape, placement: str) -> float:
    """Returns how long the job takes when nothing is killed."""
    time.sleep(QUIET_S)
    job = _submitted(serving, shape, placement)
    _wait(serving, job["jobId"])
    lived = _lived(serving, job["jobId"], shape)
    assert lived.ended_at is not None
    return lived.ended_at - lived.accepted_at


def whole_service_killed(folder: Path, sim: str, shape: Shape, moments: Sequence[float]) -> Iterator[Round]:
    """Yields what came of each kill; the service that each restart begins is the next one's victim."""
    running = Marked(folder, sim)
    running.start()
    try:
        undisturbed_s = undisturbed(running.serving, shape, "auto")
        for moment in moments:
            time.sleep(QUIET_S)
            reset(sim)
            job = _submitted(running.serving, shape, "auto")
            time.sleep(moment * LENGTH_S)
            killed_at = time.time()
            running.kill()
            from_at = time.time()
            ready_s = running.start()
            _wait(running.serving, job["jobId"])
            yield judged(
                _lived(running.serving, job["jobId"], shape),
                moment=moment,
                killed_at=killed_at,
                from_at=from_at,
                ready_s=ready_s,
                undisturbed_s=undisturbed_s,
                started=started(sim, models(shape)),
            )
    finally:
        running.stop()


def holder_killed(folder: Path, sim: str, shape: Shape, moments: Sequence[float], *, placement: str) -> Iterator[Round]:
    """Yields what came of each kill of a job's own actor (`dedicated`) or of its host (`shared`)."""
    with service(folder, sim, RAY_TMPDIR=str(folder)) as serving:
        cluster.join(serving.ray)
        try:
            undisturbed_s = undisturbed(serving, shape, placement)
            for moment in moments:
                time.sleep(QUIET_S)
                reset(sim)
                job = _submitted(serving, shape, placement)
                accepted_at = time.monotonic()
                holder = ray.get_actor(job["host"], namespace="ditto")
                pid = int(ray.get(holder.status.remote()).pid)
                time.sleep(max(0.0, accepted_at + moment * LENGTH_S - time.monotonic()))
                killed_at = time.time()
                os.kill(pid, signal.SIGKILL)
                _wait(serving, job["jobId"])
                yield judged(
                    _lived(serving, job["jobId"], shape),
                    moment=moment,
                    killed_at=killed_at,
                    from_at=killed_at,
                    ready_s=None,
                    undisturbed_s=undisturbed_s,
                    started=started(sim, models(shape)),
                )
        finally:
            cluster.leave()


def _submitted(serving: Serving, shape: Shape, placement: str) -> dict[str, str]:
    body = {
        "prompt": PROMPT,
        "models": [f"sim/{model}" for model in models(shape)],
        "strategy": _STRATEGIES[shape],
        "placement": placement,
    }
    answer: dict[str, str] = httpx.post(f"{serving.url}/jobs", json=body, timeout=WAIT_S).raise_for_status().json()
    return answer


def _wait(serving: Serving, job_id: str) -> None:
    """Returns when the job has ended, or after a while: the journal is asked what came of it."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        answer = httpx.get(f"{serving.url}/jobs/{job_id}", params={"wait": 10_000}, timeout=WAIT_S)
        if answer.is_success and answer.json()["state"] not in ("pending", "running"):
            return
        time.sleep(0.05)


def _lived(serving: Serving, job_id: str, shape: Shape) -> Lived:
    records = asyncio.run(_read(serving.store, job_id))
    kinds = {type(record.event): record.at.timestamp() for record in reversed(records)}
    names = {f"sim/{model}": model for model in models(shape)}
    return Lived(
        accepted_at=kinds[ev.JobAccepted],
        resumed_at=kinds.get(ev.JobAdopted),
        replies={
            names[record.event.call]: record.at.timestamp()
            for record in records
            if isinstance(record.event, ev.CallCompleted)
        },
        ended_at=next((record.at.timestamp() for record in records if isinstance(record.event, _ENDS)), None),
    )


async def _read(store: Path, job_id: str) -> list[Recorded]:
    journal = SqliteJournal(store)
    try:
        return await journal.read(job_id)
    finally:
        await journal.close()
