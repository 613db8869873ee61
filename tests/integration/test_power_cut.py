"""The power goes at any moment: what was not synced may be gone, in part or torn, and no promised append is lost.

Killing a process proves nothing about that, since the kernel still writes what the process had written. So each write
and sync is recorded, and the disk is built as the cut could leave it. `python -m tests.powercut` cuts more often.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.powercut.checking import Promised, faults
from tests.powercut.cutting import cut
from tests.powercut.disk import Disk, Left
from tests.powercut.plan import planned
from tests.powercut.recording import SESSIONS, Recording, record, why_not
from tests.powercut.tape import operations
from tests.powercut.writer import STORE

SEED, TOGETHER, CUTS = 1, 40, 60
FEW, CARELESS_CUTS = 15, 12
JOBS = planned(SEED, TOGETHER)


@pytest.fixture(scope="module", autouse=True)
def recorder() -> None:
    if (missing := why_not()) is not None:
        assert "CI" not in os.environ, f"CI needs {missing}"
        pytest.skip(f"waits for {missing}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("powercut")


@pytest.fixture(scope="module")
def recording(folder: Path) -> Recording:
    return record(folder, SEED, TOGETHER)


def test_the_recorder_misses_nothing(recording: Recording, folder: Path, tmp_path: Path) -> None:
    disk = Disk(recording.root)
    for operation in operations(recording.tape):
        disk.do(operation)

    disk.after_a_cut(Left.EVERYTHING, random.Random(0), tmp_path / "image")

    assert contents(tmp_path / "image") == contents(folder / "disk")


def test_no_promised_append_is_lost_and_no_half_one_is_seen(recording: Recording, tmp_path: Path) -> None:
    figures = asyncio.run(cut(recording, JOBS, CUTS, SEED, tmp_path))

    assert figures.images == 2 * CUTS
    assert figures.logs > len(SESSIONS), "no checkpoint has let the log begin anew while two processes wrote"
    assert figures.faults == []


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_a_journal_that_does_not_sync_each_commit_is_found_out(synchronous: str, tmp_path: Path) -> None:
    careless = record(tmp_path, SEED, FEW, synchronous)

    figures = asyncio.run(cut(careless, planned(SEED, FEW), CARELESS_CUTS, SEED, tmp_path))

    assert any("was promised with" in what for fault in figures.faults for what in fault.what)


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        ("DELETE FROM events WHERE job_id = 'alone-000' AND seq > 3", "alone-000 shows half an append: 3 events"),
        ("DELETE FROM events WHERE job_id = 'alone-000'", "alone-000 is in one table and not in another"),
        ("UPDATE jobs SET state = 'running' WHERE job_id = 'alone-000'", "alone-000 is complete by its events"),
        ("SELECT 1", "alone-000 was forgotten and is there again"),
        ("SELECT 1", "alone-000 was purged, and journal.db has bytes of it"),
        ("UPDATE holders SET epoch = 0 WHERE name = 'left'", "left began epoch 1, and after the cut epoch 1"),
    ],
)
def test_the_check_sees_what_a_cut_could_do(recording, folder, tmp_path, damage, expected) -> None:
    shutil.copytree(folder / "disk", tmp_path / "image")
    with closing(sqlite3.connect(tmp_path / "image" / STORE)) as connection, connection:
        connection.execute(damage)

    found = asyncio.run(
        faults(tmp_path / "image", JOBS, Promised(epochs={"left": 1}, forgotten={"alone-000"}, purged={"alone-000"}))
    )

    assert expected in " ".join(found)


def contents(folder: Path) -> dict[str, bytes]:
    """Returns the bytes of every file below."""

    def files() -> Iterator[tuple[str, bytes]]:
        for path in folder.rglob("*"):
            if path.is_file():
                yield str(path.relative_to(folder)), path.read_bytes()

    return dict(files())
