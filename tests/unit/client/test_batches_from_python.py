"""A batch from Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import ditto
from ditto.client.cluster_backend import ClusterBackend
from tests.fakes import FakeService
from tests.unit.client.hasty import Hasty


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> FakeService:
    service = FakeService()

    async def attach(address: str | None) -> ClusterBackend:
        return ClusterBackend(service, Hasty().patience())

    monkeypatch.setattr("ditto.client.cluster_backend.attach", attach)
    return service


def test_every_row_is_answered_and_nothing_asked_twice(service: FakeService, tmp_path: Path) -> None:
    source, output = tmp_path / "in.csv", tmp_path / "out.jsonl"
    source.write_text("id,text\na,One\nb,Two\n")
    seen: list[Any] = []

    report = ditto.batch(source, output, prompt="Say: {text}", request={"models": ["sim/alpha"]}, progress=seen.append)
    again = ditto.batch(source, output, prompt="Say: {text}", request={"models": ["sim/alpha"]})

    assert (report.complete, report.failed, again.earlier) == (2, 0, 2)
    assert len(seen) == len(service.asked) == 2
    assert service.closed
    assert {json.loads(line)["id"] for line in output.read_text().splitlines()} == {"a", "b"}


def test_a_wrong_request_is_refused_before_anything_is_opened(service: FakeService, tmp_path: Path) -> None:
    with pytest.raises(ditto.BadRequest):
        ditto.batch(tmp_path / "in.csv", tmp_path / "out.csv", request={"temperature": 9})

    assert list(tmp_path.iterdir()) == []


def test_a_wrong_template_is_refused(service: FakeService, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="brace"):
        ditto.batch(tmp_path / "in.csv", tmp_path / "out.csv", prompt="{}")
