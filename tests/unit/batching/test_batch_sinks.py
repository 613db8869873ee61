"""The output file: whole rows, a torn one cut off, one writer, and nothing harmed that is not a batch's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ditto.batching import Sink
from ditto.errors import ConfigurationError, Conflict


def _record(id: str, state: str = "complete", job_id: str | None = "01JOB") -> dict[str, Any]:
    return {"id": id, "state": state, "jobId": job_id, "needsReview": False, "key": f"k{id}", "attempt": 1}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


def _written(output: Path, *ids: str) -> None:
    with Sink(output) as sink:
        for id in ids:
            sink.write(_record(id))


def test_what_was_written_is_there_at_the_next_start(output: Path) -> None:
    _written(output, "a", "b")

    with Sink(output) as sink:
        assert set(sink.done) == {"a", "b"}
        assert sink.done["a"].key == "ka"


@pytest.mark.parametrize("keep", [1, 5, 20, -1])
def test_a_torn_last_line_is_cut_off(output: Path, keep: int) -> None:
    _written(output, "a")
    whole = output.read_bytes()
    output.write_bytes(whole + whole[:keep])

    with Sink(output) as sink:
        assert set(sink.done) == {"a"}

    assert output.read_bytes() == whole


@pytest.mark.parametrize("keep", [1, 5, 20, -1])
def test_a_torn_only_line_is_cut_off(output: Path, keep: int) -> None:
    _written(output, "a")
    output.write_bytes(output.read_bytes()[:keep])

    with Sink(output) as sink:
        assert sink.done == {}

    assert output.read_bytes() == b""


@pytest.mark.parametrize(
    "content",
    [b"some text", b"some text\n", b'{"id": "a", "prompt": "x"}', b'{"id": "a", "prompt": "x"}\n', b"[1]\n", b"\xff\n"],
)
def test_a_file_of_something_else_is_left_untouched(output: Path, content: bytes) -> None:
    output.write_bytes(content)

    with pytest.raises(ConfigurationError, match="no batch wrote line 1"):
        Sink(output)

    assert output.read_bytes() == content
    assert not output.with_name("out.jsonl.lock").exists()


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        Sink(tmp_path)


def test_a_second_batch_on_one_output_says_so_and_stops(output: Path) -> None:
    script = "import sys; from pathlib import Path; from ditto.batching import Sink; Sink(Path(sys.argv[1]))"

    with Sink(output):
        second = subprocess.run(
            [sys.executable, "-c", script, str(output)], capture_output=True, text=True, check=False
        )

    assert second.returncode == 1
    assert "another batch writes" in second.stderr


def test_the_lock_ends_with_its_holder(output: Path) -> None:
    lock = output.with_name("out.jsonl.lock")
    lock.touch()

    with Sink(output), pytest.raises(Conflict):
        Sink(output)

    assert not lock.exists()
    with Sink(output):
        pass


def test_a_link_to_the_output_is_the_output(output: Path, tmp_path: Path) -> None:
    _written(output, "a")
    link = tmp_path / "link.jsonl"
    link.symlink_to(output)

    with Sink(link) as sink:
        assert set(sink.done) == {"a"}
        with pytest.raises(Conflict):
            Sink(output)


def test_a_replaced_row_is_taken_out_at_the_end_and_the_order_kept(output: Path) -> None:
    _written(output, "a", "b", "c")
    os.chmod(output, 0o640)

    with Sink(output) as sink:
        sink.write(_record("b") | {"key": "new"})
        sink.settle(lambda id: True)

    assert [json.loads(line)["id"] for line in output.read_bytes().splitlines()] == ["a", "c", "b"]
    assert output.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in output.parent.iterdir()) == ["out.jsonl"]


def test_only_rows_that_were_never_asked_go_with_their_input(output: Path) -> None:
    with Sink(output) as sink:
        sink.write(_record("asked"))
        sink.write(_record("bad", "error", None))
        sink.write(_record("still bad", "error", None))
        sink.settle(lambda id: id == "still bad")

    assert {json.loads(line)["id"] for line in output.read_bytes().splitlines()} == {"asked", "still bad"}


def test_an_output_without_permission_is_said(tmp_path: Path) -> None:
    missing = tmp_path / "no" / "such" / "folder" / "out.jsonl"

    with pytest.raises(ConfigurationError, match="No such file or directory"):
        Sink(missing)
