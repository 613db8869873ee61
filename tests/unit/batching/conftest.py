from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ditto.batching import BatchOptions, BatchReport, JobsPort, Merging, Plan, Reading, Template, Work
from ditto.client.cluster_backend import ClusterBackend
from tests.fakes import FakeService
from tests.unit.client.hasty import Hasty


class Bench:
    """A batch on files in a folder of its own, over a service in memory."""

    def __init__(self, folder: Path, service: FakeService) -> None:
        self.service = service
        self.input = folder / "in.jsonl"
        self.output = folder / "out.jsonl"

    def write(self, *rows: object) -> None:
        """Writes the input: objects as JSON, texts as they are."""
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        self.input.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def rows(self) -> dict[str, dict[str, Any]]:
        """Returns the output by id."""
        records = [json.loads(line) for line in self.output.read_text(encoding="utf-8").splitlines()]
        by_id = {record["id"]: record for record in records}
        assert len(by_id) == len(records), "an id stands twice in the output"
        return by_id

    async def run(
        self,
        given: dict[str, Any] | None = None,
        template: str | None = None,
        *,
        reading: dict[str, Any] | None = None,
        merging: Merging = Merging.AUTO,
        report: bool = False,
        progress: Callable[[BatchReport], None] = lambda report: None,
        over: JobsPort | None = None,
        **options: Any,
    ) -> BatchReport:
        """Returns the report of a run of the batch `test`."""
        filled = None if template is None else Template(template)
        plan = Plan(
            source=str(self.input),
            output=str(self.output),
            reading=Reading(given=given or {}, template=filled, **(reading or {})),
            merging=merging,
            report=report,
            options=BatchOptions(**{"name": "test", "patience_s": 0.0, **options}),
        )
        with Work(plan) as work:
            jobs = over or ClusterBackend(self.service, Hasty().patience())
            return await work.run(jobs, progress)


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def bench(tmp_path: Path, service: FakeService) -> Bench:
    return Bench(tmp_path, service)
