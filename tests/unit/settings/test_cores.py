"""As many processes are begun as there are cores to use, which in a container are fewer than the machine has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ditto.settings.cores import usable_cores


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)


def of(tmp_path: Path, own: str, **files: str) -> int:
    (tmp_path / "own").write_text(own)
    for name, text in files.items():
        path = tmp_path / name.replace("__", "/").replace("_max", ".max")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return usable_cores(tmp_path, tmp_path / "own")


def test_without_a_quota_they_are_those_that_the_process_is_bound_to(tmp_path: Path) -> None:
    assert usable_cores(tmp_path, tmp_path / "own") == 64
    assert of(tmp_path, "0::/\n", cpu_max="max 100000\n") == 64


def test_a_containers_quota_counts_in_whole_cores(tmp_path: Path) -> None:
    assert of(tmp_path, "0::/\n", cpu_max="250000 100000\n") == 3
    assert of(tmp_path, "0::/\n", cpu_max="10000 100000\n") == 1


def test_the_tightest_quota_around_a_service_counts(tmp_path: Path) -> None:
    assert of(tmp_path, "0::/a/b\n", a__b__cpu_max="400000 100000\n", a__cpu_max="200000 100000\n") == 2


def test_older_systems_say_it_elsewhere(tmp_path: Path) -> None:
    older = tmp_path / "cpu"
    older.mkdir()
    (older / "cpu.cfs_quota_us").write_text("400000\n")
    (older / "cpu.cfs_period_us").write_text("100000\n")
    assert of(tmp_path, "9:cpu:/\n") == 4
    (older / "cpu.cfs_quota_us").write_text("-1\n")
    assert of(tmp_path, "9:cpu:/\n") == 64
