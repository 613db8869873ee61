"""A batch whose disk is full, or which may not read or write: it says so, keeps whole rows, and goes on later."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ditto.errors import ConfigurationError
from tests.fakes import FakeService
from tests.integration.file_systems import mounted, remount, unprivileged
from tests.unit.batching.conftest import Bench

ROWS = 200


def _bench(folder: Path, disk: Path, name: str) -> Bench:
    bench = Bench(folder, FakeService())
    bench.output = disk / name
    bench.write(*({"id": n, "prompt": f"Say {n}."} for n in range(ROWS)))
    return bench


async def test_on_a_full_disk_it_stops_with_whole_rows_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "-o", "size=64k") as disk:
        bench = _bench(tmp_path, disk, "out.jsonl")

        with pytest.raises(OSError, match="No space left on device"):
            await bench.run()

        rows = [json.loads(line) for line in (disk / "out.jsonl.partial").read_text().splitlines()]
        assert 0 < len(rows) < ROWS
        remount(disk, "size=4m")

        report = await bench.run()

        assert (report.complete, report.earlier) == (ROWS, len(rows))
        assert len(bench.rows()) == ROWS
        assert [path.name for path in disk.iterdir()] == ["out.jsonl"]


async def test_an_output_that_does_not_fit_leaves_the_earlier_one_and_its_rows(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "-o", "size=4m") as disk:
        bench = _bench(tmp_path, disk, "out.parquet")
        await bench.run()
        before = bench.output.read_bytes()
        (disk / "ballast").write_bytes(b"x" * (4 * 2**20 - 2**18 - len(before)))
        bench.write(*({"id": n, "prompt": f"Say {n} again."} for n in range(ROWS)))

        with pytest.raises((OSError, ConfigurationError), match="No space left on device"):
            await bench.run()

        assert bench.output.read_bytes() == before
        assert not [path for path in disk.iterdir() if path.name.endswith(".new")]
        (disk / "ballast").unlink()

        report = await bench.run()

        assert report.complete == ROWS
        assert pq.read_table(bench.output).num_rows == ROWS


async def test_what_may_not_be_read_or_written_is_said() -> None:
    with unprivileged() as folder:
        bench = Bench(folder, FakeService())
        bench.write({"id": "a", "prompt": "One?"})
        folder.chmod(0o500)
        with pytest.raises(ConfigurationError, match=r"out\.jsonl: Permission denied"):
            await bench.run()

        folder.chmod(0o700)
        bench.input.chmod(0)
        with pytest.raises(ConfigurationError, match=r"in\.jsonl: Permission denied"):
            await bench.run()

        bench.input.chmod(0o600)
        assert (await bench.run()).complete == 1
