"""The systems that are measured, each started as its user starts it, and what their processes have used."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.acceptance.conftest import service
from tests.acceptance.processes import process, said
from tests.benchmarks.recovery.ditto_side import marked

PROMPT = "What is 17 * 23?"
PROVIDER = "mock"
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A system that takes requests.

    Attributes:
        mark: Stands in the environment of its processes, and of no others.
        body: Returns the body of a request to models of these names.
    """

    url: str
    path: str
    mark: str
    body: Callable[[list[str], str], dict[str, Any]]

    def asked(self, models: list[str], placement: str = "shared") -> bytes:
        """Returns the body that asks these models."""
        return json.dumps(self.body(models, placement)).encode()


def names(count: int, ms: int) -> list[str]:
    """Returns the names of so many models that take so long."""
    return [f"m{number}-{ms}" for number in range(count)]


@contextlib.contextmanager
def started_mock(folder: Path) -> Iterator[Running]:
    """Yields the model server, which answers for one model."""
    log = folder / "mock.log"
    command = (sys.executable, "-m", "tests.benchmarks.speed.mock")
    mark = str(folder / "mock")
    with _ours(*command, mark=mark, log=log) as url:
        yield Running(
            url=url,
            path="/v1/chat/completions",
            mark=mark,
            body=lambda models, _: {"model": models[0], "messages": [{"role": "user", "content": PROMPT}]},
        )


@contextlib.contextmanager
def started_rival(name: str, folder: Path, models: str) -> Iterator[Running]:
    """Yields one of `rivals`."""
    own = folder / name
    own.mkdir()
    command = (sys.executable, "-m", "tests.benchmarks.speed.rivals", name, models, str(own))
    with _ours(*command, mark=str(own), log=own / "log") as url:
        yield Running(url=url, path="/llm", mark=str(own), body=lambda asked, _: {"prompt": PROMPT, "models": asked})


@contextlib.contextmanager
def started_ditto(folder: Path, models: str) -> Iterator[Running]:
    """Yields `ditto serve` with its defaults, the model server being a provider of it."""
    own = folder / "d"  # Ray's sockets come to lie below it, so its name is short
    own.mkdir(exist_ok=True)
    providers = json.dumps({PROVIDER: {"base_url": f"{models}/v1"}})
    with service(own, models, DITTO_PROVIDERS=providers, DITTO_MARK=str(own), RAY_TMPDIR=str(own)) as serving:
        yield Running(
            url=serving.url,
            path="/llm",
            mark=str(own),
            body=lambda asked, placement: {
                "prompt": PROMPT,
                "models": [f"{PROVIDER}/{model}" for model in asked],
                "placement": placement,
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What each process of a system has used since it began, in seconds of CPU, and what kind of process it is."""

    cpu_s: dict[int, float]
    kinds: dict[int, str]

    def since(self, before: Used) -> dict[str, float]:
        """Returns what was used between the two by kind, the largest first; what ended in between is not in it."""
        spent: dict[str, float] = {}
        for pid, cpu_s in self.cpu_s.items():
            kind = self.kinds[pid]
            spent[kind] = spent.get(kind, 0.0) + cpu_s - before.cpu_s.get(pid, 0.0)
        return dict(sorted(spent.items(), key=lambda each: -each[1]))


def used(mark: str) -> Used:
    """Returns what the processes with this mark have used."""
    cpu_s: dict[int, float] = {}
    kinds: dict[int, str] = {}
    for pid in marked(mark):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            kinds[pid] = kind_of(pid)  # a worker of Ray's is called what it has become
            cpu_s[pid] = cpu_s_of(pid)
    return Used(cpu_s=cpu_s, kinds=kinds)


def cpu_s_of(pid: int, *, ended_children: bool = False) -> float:
    """Returns the CPU that a process has used since it began, in seconds; with that of its ended children if wanted."""
    fields = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if ended_children else 13])) / _TICKS_PER_S


def resident_mb_of(pid: int) -> float:
    """Returns what a process has in memory, shared or not."""
    pages = int(Path("/proc", str(pid), "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def resident_mb(mark: str) -> dict[str, float]:
    """Returns what each kind of the processes with this mark has in memory, pages that several share by part."""
    found: dict[str, float] = {}
    for pid in marked(mark):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            kind, rollup = kind_of(pid), Path("/proc", str(pid), "smaps_rollup").read_text()
            kb = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
            found[kind] = found.get(kind, 0.0) + kb / 1024
    return found


_KINDS = {
    b"ServeReplica": "replica",
    b"ServeController": "Serve",
    b"ProxyActor": "Serve",
    b"HAProxyManager": "Serve",
    b"haproxy": "HAProxy",
    b"_JobActor": "holder",
    b"_CallerActor": "caller",
    b"_KeeperActor": "keeper",
    b"gcs_server": "Ray's GCS",
    b"raylet": "raylet",
    b"ray::": "Ray",
    b"/ray/": "Ray",
}


def kind_of(pid: int) -> str:
    """Returns what kind of process it is."""
    command = Path("/proc", str(pid), "cmdline").read_bytes()
    return next((kind for word, kind in _KINDS.items() if word in command), "command")


@contextlib.contextmanager
def _ours(*command: str, mark: str, log: Path) -> Iterator[str]:
    environ = {**os.environ, "DITTO_MARK": mark, "PYTHONPATH": os.getcwd()}
    with process(*command, environ=environ, log=log) as running:
        yield said(r"at (http://[\d.:]+)", log, running)[1]
