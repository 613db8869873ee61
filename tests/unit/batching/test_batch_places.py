"""Where rows come from and go to: folders, patterns, pipes and places elsewhere."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fsspec
import pytest

from ditto.batching import places
from ditto.batching.hand import Hand
from ditto.batching.ordering import InOrder
from ditto.errors import ConfigurationError
from tests.fakes import Held


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """A place elsewhere, in memory."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    there = fsspec.filesystem("memory")
    there.store.clear()
    there.pseudo_dirs[:] = [""]
    yield there
    there.store.clear()


def _put(folder: Path, name: str, *ids: str) -> None:
    (folder / name).write_text("".join(json.dumps({"id": id, "prompt": f"{id}?"}) + "\n" for id in ids))


async def test_a_folder_is_all_its_files_of_rows(bench: Any, tmp_path: Path) -> None:
    folder = tmp_path / "rows"
    folder.mkdir()
    _put(folder, "b.jsonl", "3")
    _put(folder, "a.jsonl", "1", "2")
    (folder / "c.csv").write_text("id,prompt\n4,Four?\n")
    (folder / "notes.txt").write_text("not rows")
    bench.input = folder

    report = await bench.run()

    rows = bench.rows()
    assert report.complete == 4
    assert (rows["2"]["file"], rows["2"]["line"]) == (str(folder / "a.jsonl"), 2)
    assert (rows["4"]["file"], rows["4"]["line"]) == (str(folder / "c.csv"), 2)


async def test_an_output_in_the_folder_of_its_input_is_no_input(bench: Any, tmp_path: Path) -> None:
    folder = tmp_path / "rows"
    folder.mkdir()
    _put(folder, "a.jsonl", "1")
    _put(folder, "b.jsonl", "2")
    bench.input, bench.output = folder, folder / "out.jsonl"
    await bench.run()

    report = await bench.run()

    assert (report.rows, report.earlier) == (2, 2)


async def test_a_pattern_is_all_files_that_match_it(bench: Any, tmp_path: Path) -> None:
    for name in ("x-1.jsonl", "x-2.jsonl", "y-1.jsonl"):
        _put(tmp_path, name, name)
    bench.input = tmp_path / "x-*.jsonl"

    await bench.run()

    assert set(bench.rows()) == {"x-1.jsonl", "x-2.jsonl"}


async def test_an_id_twice_in_two_files_says_where_it_was(bench: Any, tmp_path: Path) -> None:
    for name in ("x-1.jsonl", "x-2.jsonl"):
        _put(tmp_path, name, "same")
    bench.input = tmp_path / "x-*.jsonl"

    report = await bench.run()

    wrong = next(row for row in bench.rows().values() if row["state"] == "error")
    assert report.failed == 1
    assert wrong["error"]["details"][0]["message"] == f"'same' is the id of line 1 of {tmp_path / 'x-1.jsonl'} already"


def test_nothing_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no file of rows"):
        places.listed(str(tmp_path), "")
    with pytest.raises(ConfigurationError, match="there is no file of rows"):
        places.listed(str(tmp_path / "*.jsonl"), "")


async def test_rows_come_from_elsewhere_and_go_there(bench: Any, service: Any, bucket: Any) -> None:
    bucket.pipe("/in/a.jsonl", b'{"id": "a", "prompt": "One?"}\n')
    bucket.pipe("/in/b.jsonl", b'{"id": "b", "prompt": "Two?"}\n')
    bench.input, bench.output = "memory://in/*.jsonl", "memory://out/answers.jsonl"

    report = await bench.run()
    again = await bench.run()

    rows = [json.loads(line) for line in bucket.cat("/out/answers.jsonl").splitlines()]
    assert [row["id"] for row in rows] == ["a", "b"]
    assert (report.complete, again.earlier, len(service.asked)) == (2, 2, 2)
    assert bucket.ls("/out", detail=False) == ["/out/answers.jsonl"]


async def test_an_output_elsewhere_that_was_stopped_is_gone_on_with(bench: Any, service: Any, bucket: Any) -> None:
    bench.output = "memory://out/answers.parquet"
    service.replies = {"sim/alpha": Held()}
    bench.write(
        *({"id": id, "prompt": "?", "models": [model]} for id, model in (("a", "sim/beta"), ("b", "sim/alpha")))
    )
    running = asyncio.create_task(bench.run(concurrency=1))
    await service.asked_times(2)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert not bucket.exists("/out/answers.parquet")
    await service.release("sim/alpha", "Done.")

    report = await bench.run()

    assert (report.earlier, report.complete) == (1, 2)
    assert bucket.exists("/out/answers.parquet")


async def test_a_missing_object_is_said(bench: Any, bucket: Any) -> None:
    bench.input = "memory://in/none.jsonl"

    with pytest.raises(ConfigurationError, match=r"memory://in/none\.jsonl: No such file"):
        await bench.run()


@pytest.mark.parametrize(
    ("place", "module", "message"),
    [
        ("nowhere://x/in.jsonl", None, "Protocol not known: nowhere"),
        ("memory://in.jsonl", "fsspec", r"memory://in\.jsonl: other places than files need fsspec: pip install"),
        ("in.parquet", "pyarrow", r"in\.parquet: Parquet needs pyarrow: pip install \"ditto-llm\[batch\]\""),
    ],
)
async def test_what_is_missing_is_named(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, module: str | None, message: str
) -> None:
    for name in [name for name in sys.modules if module is not None and name.split(".")[0] == module]:
        monkeypatch.setitem(sys.modules, name, None)
    (tmp_path / "in.parquet").touch()
    bench.input = place if "://" in place else tmp_path / place

    with pytest.raises(ConfigurationError, match=message):
        await bench.run()


async def test_rows_go_through_pipes(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = io.BytesIO(b"".join(b'{"id": %d, "prompt": "x?"}\n' % n for n in range(9)))
    got = io.BytesIO()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=sent))
    monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=got))
    bench.input = bench.output = "-"

    report = await bench.run(ordered=True)

    assert report.complete == 9
    assert [json.loads(line)["id"] for line in got.getvalue().splitlines()] == [str(n) for n in range(9)]


async def test_a_pipe_that_nobody_writes_to_can_be_left() -> None:
    waits, waited_for = threading.Event(), threading.Event()

    def rows() -> Generator[int]:
        waited_for.set()
        waits.wait(60)
        yield 1

    hand = Hand(rows())
    taking = asyncio.create_task(hand.take())
    await asyncio.to_thread(waited_for.wait, 60)
    taking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await taking
    hand.close()
    waits.set()


async def test_ordered_rows_appear_in_the_order_of_the_input(bench: Any, service: Any) -> None:
    service.replies = {"sim/alpha": Held()}
    slow = {"id": "slow", "prompt": "x", "models": ["sim/alpha"]}
    bench.write(slow, {"id": "b", "prompt": "x"}, {"id": "c", "prompt": "x"})
    running = asyncio.create_task(bench.run(ordered=True))
    await service.asked_times(3)
    assert not bench.output.exists()
    await service.release("sim/alpha", "Done.")

    await running

    assert list(bench.rows()) == ["slow", "b", "c"]


async def test_no_row_is_begun_too_far_ahead_of_the_oldest() -> None:
    written: list[Any] = []
    order = InOrder(written.append, window=2)
    await order.give(1, {"n": 1})
    waiting = asyncio.create_task(order.room(2))
    await asyncio.sleep(0)
    assert not waiting.done()

    await order.give(0, {"n": 0})
    await waiting

    assert written == [{"n": 0}, {"n": 1}]


async def test_a_limit_takes_the_first_rows_and_a_sample_always_the_same(bench: Any) -> None:
    bench.write(*({"id": n, "prompt": "x?"} for n in range(200)))

    first = await bench.run(reading={"limit": 3})
    assert set(bench.rows()) == {"0", "1", "2"}
    sampled = await bench.run(reading={"sample": 0.2})
    again = await bench.run(reading={"sample": 0.2})
    all_of_them = await bench.run()

    assert first.rows == 3
    assert 20 <= sampled.rows <= 60
    assert again.earlier == sampled.rows
    assert (all_of_them.rows, all_of_them.complete) == (200, 200)


async def test_too_many_errors_stop_the_batch_and_it_goes_on_later(bench: Any, service: Any) -> None:
    bench.write(*({"id": n, "prompt": " "} for n in range(5)), {"id": "good", "prompt": "One?"})

    stopped = await bench.run(max_errors=2, concurrency=1)
    report = await bench.run()

    assert (stopped.stopped, stopped.failed) == (True, 3)
    assert (report.stopped, report.failed, report.complete) == (False, 5, 1)
