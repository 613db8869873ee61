"""The ways to have a file of prompts answered that are measured here: what is begun, and what it leaves behind."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.conftest import DITTO
from tests.benchmarks.overnight.judging import Output, read

BATCH, SCRIPT, RAY_DATA = "ditto batch", "asyncio + httpx", "Ray Data"
_VERDICT = ("result", "answer", "confidence", "agreement", "needsReview", "supportingModels", "dissent", "basis")
_RIVALS = {SCRIPT: "script", RAY_DATA: "ray_data"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What is to be answered.

    Attributes:
        source: A row a line.
        sim: Where the simulated models are.
        at_once: So many rows (Ray Data: calls) at a time, of rivals; `ditto batch` finds it by itself.
    """

    source: Path
    rows: int
    models: tuple[str, ...]
    sim: str
    at_once: int

    @property
    def calls(self) -> int:
        return self.rows * len(self.models)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One of the ways, in a folder of its own.

    Attributes:
        columns: What is to be the same in every run.
        per_row: So many lines of the output are a row.
    """

    name: str
    folder: Path
    given: Given
    columns: tuple[str, ...]
    per_row: int = 1

    def command(self) -> list[str]:
        """Returns what a user gives."""
        given, output = self.given, str(self.output)
        if self.name == BATCH:
            panel = [part for model in given.models for part in ("--model", f"sim/{model}")]
            return [DITTO, "batch", str(given.source), output, *panel]
        module = f"tests.benchmarks.overnight.{_RIVALS[self.name]}"
        options = (str(given.source), output, given.sim, str(given.at_once), *given.models)
        return [sys.executable, "-m", module, *options]

    @property
    def output(self) -> Path:
        return self.folder / ("out" if self.name == RAY_DATA else "out.jsonl")

    def growing(self) -> list[Path]:
        """Returns the files that grow while rows are written, as they are now."""
        if self.name == RAY_DATA:
            return sorted(self.output.glob("*.json"))
        working = self.output.with_name(f"{self.output.name}.partial")
        return [working if working.exists() else self.output]

    def wanted(self) -> list[str]:
        """Returns the ids that should stand in the output once."""
        ids = [f"row {number}" for number in range(self.given.rows)]
        return ids if self.per_row == 1 else [f"{id} {model}" for id in ids for model in self.given.models]

    def read(self) -> Output:
        """Returns the output as it is."""
        return read(self._lines(), self.columns)

    def _lines(self) -> Iterator[bytes]:
        for path in sorted(self.output.glob("*.json")) if self.output.is_dir() else [self.output]:
            if path.exists():
                with path.open("rb") as file:
                    yield from file


def way(name: str, folder: Path, given: Given) -> Way:
    """Returns a way in a new folder, or in that of an earlier run."""
    folder.mkdir(parents=True, exist_ok=True)
    match name:
        case "ditto batch":
            return Way(name=name, folder=folder, given=given, columns=("line", "state", "errors", *_VERDICT))
        case "asyncio + httpx":
            return Way(name=name, folder=folder, given=given, columns=("responses",))
    return Way(name=name, folder=folder, given=given, columns=("text",), per_row=len(given.models))


def write_input(path: Path, rows: int) -> None:
    """Writes a file of so many questions, no two alike."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            file.write(json.dumps({"id": f"row {number}", "prompt": f"What is {number} + 23?"}) + "\n")


class Written:
    """Counts the lines of files that grow, each byte read once."""

    def __init__(self) -> None:
        self._seen: dict[Path, tuple[int, int]] = {}

    def count(self, paths: Sequence[Path]) -> int:
        """Returns how many lines these files have."""
        total = 0
        for path in paths:
            read_bytes, lines = self._seen.get(path, (0, 0))
            size = path.stat().st_size if path.exists() else 0
            if size < read_bytes:
                read_bytes = lines = 0  # a torn line was cut off
            if size > read_bytes:
                with path.open("rb") as file:
                    file.seek(read_bytes)
                    data = file.read(size - read_bytes)
                read_bytes, lines = read_bytes + len(data), lines + data.count(b"\n")
            self._seen[path] = (read_bytes, lines)
            total += lines
        return total
