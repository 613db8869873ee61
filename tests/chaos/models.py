"""The simulated models of a chaos run: a process of their own, which writes down every request and how it ended.

The log is what decides whether an answer was paid for twice, so it is kept here, at the model's end.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from ditto.sim import server
from ditto.sim.counts import Counts, Ending, Seen


@dataclass(slots=True)
class Logged(Counts):
    """Counts that also write each request to a file, one line when it begins and one when it ends."""

    log: TextIO = field(default_factory=lambda: sys.stderr)

    def begin(self, model: str, prompt: str, *, call: str, variant: str) -> Seen:
        seen = Counts.begin(self, model, prompt, call=call, variant=variant)
        self._write(seen, {})
        return seen

    def end(self, seen: Seen, ending: Ending, status: int) -> None:
        Counts.end(self, seen, ending, status)
        self._write(seen, {"ending": str(ending)})

    def _write(self, seen: Seen, more: dict[str, str]) -> None:
        line = {"at": time.time(), "model": seen.model, "prompt": seen.prompt, "attempt": seen.attempt, **more}
        print(json.dumps(line), file=self.log, flush=True)


@dataclass(slots=True, kw_only=True)
class Request:
    """One request to a model; `began_at` and `ended_at` are Unix times, `ended_at` None while it runs.

    Attributes:
        prompt: Its digest.
        attempt: The how-manieth it is for this model and prompt, from 1.
        ending: `answered`, `failed` or `aborted`; blank while it runs.
    """

    model: str
    prompt: str
    attempt: int
    began_at: float
    ended_at: float | None = None
    ending: str = ""


class RequestLog:
    """Reads what the models have written down, as it comes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._requests: dict[tuple[str, str, int], Request] = {}

    def requests(self) -> list[Request]:
        """Returns all requests so far, in the order in which they began."""
        with self._path.open(encoding="utf-8") as log:
            log.seek(self._offset)
            while (line := log.readline()).endswith("\n"):
                self._take(json.loads(line))
                self._offset = log.tell()
        return list(self._requests.values())

    def _take(self, line: dict[str, object]) -> None:
        model, prompt, attempt, at = str(line["model"]), str(line["prompt"]), int(str(line["attempt"])), line["at"]
        assert isinstance(at, float)
        known = self._requests.get((model, prompt, attempt))
        if known is None:
            self._requests[model, prompt, attempt] = Request(model=model, prompt=prompt, attempt=attempt, began_at=at)
        else:
            known.ended_at, known.ending = at, str(line["ending"])


async def _serve(path: Path) -> None:
    with path.open("w", encoding="utf-8") as log:
        running = await server.start(counts=Logged(log=log, limit=1_000_000))
        print(f"Simulated models, at {running.url}", flush=True)
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        await stopped.wait()
        await running.stop()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
