"""Files of every kind in and out: the same rows, whatever they are written in."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ditto.batching import cells
from ditto.batching.formats import Format, format_of
from ditto.errors import ConfigurationError


def _write_csv(path: Path, *rows: list[Any]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def _read_csv(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_ending_says_the_format_whatever_its_case() -> None:
    assert format_of("s3://bucket/Rows.CSV") is Format.CSV
    assert format_of("rows.parquet") is Format.PARQUET
    assert format_of("rows.jsonl.gz") is Format.JSON_LINES
    assert format_of("rows") is Format.JSON_LINES


async def test_the_cells_of_a_table_are_a_request(bench: Any, service: Any, tmp_path: Path) -> None:
    bench.input = tmp_path / "in.csv"
    _write_csv(
        bench.input,
        ["id", "prompt", "models", "temperature", "answer"],
        ["a", 'One?\nIn two lines, "quoted".', "sim/alpha,sim/beta", "0.5", "yes,no"],
        ["", "Two?", "", "", ""],
    )

    report = await bench.run()

    assert (report.complete, report.failed) == (2, 0)
    asked = {request.prompt: request for request in service.asked}
    first = asked['One?\nIn two lines, "quoted".']
    assert (first.models, first.temperature, first.answer) == (["sim/alpha", "sim/beta"], 0.5, ["yes", "no"])
    assert asked["Two?"].models is None
    assert bench.rows()["a"]["line"] == 2


@pytest.mark.parametrize("name", ["in.csv", "in.tsv", "semicolons.csv"])
async def test_columns_of_a_table_fill_a_template(bench: Any, service: Any, tmp_path: Path, name: str) -> None:
    bench.input = tmp_path / name
    delimiter = {"in.csv": ",", "in.tsv": "\t", "semicolons.csv": ";"}[name]
    text = delimiter.join(["text", "n"]) + "\r\n" + delimiter.join(["Well", "1"]) + "\r\n"
    bench.input.write_text(text, encoding="utf-8-sig", newline="")

    await bench.run(template="Say: {text} {n}")

    assert [request.prompt for request in service.asked] == ["Say: Well 1"]


async def test_rows_of_parquet_are_requests_with_their_types(bench: Any, service: Any, tmp_path: Path) -> None:
    bench.input = tmp_path / "in.parquet"
    table = pa.table(
        {
            "id": [1, 2],
            "prompt": ["One?", "Two?"],
            "models": [["sim/alpha"], None],
            "temperature": [0.5, None],
            "metadata": [{"team": "ops", "n": {"deep": [1]}}, None],
        }
    )
    pq.write_table(table, bench.input)

    report = await bench.run()

    assert (report.complete, report.failed) == (2, 0)
    first = next(request for request in service.asked if request.prompt == "One?")
    assert (first.models, first.temperature) == (["sim/alpha"], 0.5)
    assert first.metadata == {"team": "ops", "n": {"deep": [1]}, "batch": "test"}
    assert set(bench.rows()) == {"1", "2"}


async def test_nested_and_dated_columns_of_parquet_fill_a_template(bench: Any, service: Any, tmp_path: Path) -> None:
    bench.input = tmp_path / "in.parquet"
    table = pa.table(
        {
            "when": [date(2026, 3, 1)],
            "price": [Decimal("4.90")],
            "tags": pa.array([[("a", 1)]], type=pa.map_(pa.string(), pa.int64())),
            "unused": [b"\xff"],
        }
    )
    pq.write_table(table, bench.input)

    report = await bench.run(template="{when} {price} {tags}")

    assert report.failed == 0
    assert service.asked[0].prompt == '2026-03-01 4.90 {"a": 1}'


async def test_bytes_that_are_no_text_are_an_error_row(bench: Any, tmp_path: Path) -> None:
    bench.input = tmp_path / "in.parquet"
    pq.write_table(pa.table({"id": ["a", "b"], "prompt": [b"One?", b"\xff"]}), bench.input)

    report = await bench.run()

    assert (report.complete, report.failed) == (1, 1)
    assert next(row for row in bench.rows().values() if row["line"] == 2)["error"]["details"] == [
        {"path": "", "message": "holds bytes that are no text"}
    ]


@pytest.mark.parametrize("name", ["in.csv", "in.parquet"])
async def test_a_table_without_the_templates_column_is_refused_before_anything_is_asked(
    bench: Any, service: Any, tmp_path: Path, name: str
) -> None:
    bench.input = tmp_path / name
    if name.endswith("csv"):
        _write_csv(bench.input, ["id", "body"], ["a", "x"])
    else:
        pq.write_table(pa.table({"id": ["a"], "body": ["x"]}), bench.input)

    with pytest.raises(ConfigurationError, match="has no column text; it has id, body"):
        await bench.run(template="{text}")

    assert service.asked == []


async def test_a_packed_file_is_read_and_written(bench: Any, tmp_path: Path) -> None:
    bench.input, bench.output = tmp_path / "in.jsonl.gz", tmp_path / "out.jsonl.gz"
    bench.input.write_bytes(gzip.compress(b'{"id": "a", "prompt": "One?"}\n'))

    await bench.run()

    assert json.loads(gzip.decompress(bench.output.read_bytes()))["id"] == "a"
    assert _names(tmp_path) == ["in.jsonl.gz", "out.jsonl.gz"]


async def test_a_packed_file_that_is_none_is_said(bench: Any, tmp_path: Path) -> None:
    bench.input = tmp_path / "in.jsonl.gz"
    bench.input.write_bytes(b"not packed")

    with pytest.raises(ConfigurationError, match=r"in\.jsonl\.gz: Not a gzipped file"):
        await bench.run()


async def test_a_table_has_a_row_for_each_with_its_answer(bench: Any, service: Any, tmp_path: Path) -> None:
    service.replies = {"sim/alpha": "Yes.", "sim/beta": "Yes.", "sim/gamma": "No."}
    bench.output = tmp_path / "out.csv"
    bench.write({"id": "a", "prompt": "Is it? Yes or no."}, {"id": "b", "prompt": " "})

    await bench.run()

    rows = _read_csv(bench.output)
    assert (rows["a"]["answer"], rows["a"]["needsReview"], rows["a"]["calls"]) == ("yes", "false", "3")
    assert json.loads(rows["a"]["dissent"])[0]["models"] == ["sim/gamma"]
    assert (rows["b"]["state"], rows["b"]["answer"]) == ("error", "")
    assert json.loads(rows["b"]["error"])["details"] == [{"path": "prompt", "message": "is blank"}]


async def test_parquet_has_typed_columns(bench: Any, tmp_path: Path) -> None:
    bench.output = tmp_path / "out.parquet"
    bench.write(*({"id": n, "prompt": "One?"} for n in range(5)))

    await bench.run(responses=True)

    table = pq.read_table(bench.output)
    assert table.schema.field("confidence").type == pa.float64()
    assert table.schema.field("calls").type == pa.int64()
    rows = table.to_pylist()
    assert [row["id"] for row in rows] == ["0", "1", "2", "3", "4"]
    assert set(json.loads(rows[0]["responses"])) == {"sim/alpha", "sim/beta", "sim/gamma"}


@pytest.mark.parametrize("name", ["out.csv", "out.parquet", "out.tsv", "out.jsonl.gz"])
async def test_a_table_is_gone_on_with(bench: Any, service: Any, tmp_path: Path, name: str) -> None:
    bench.output = tmp_path / name
    bench.write({"id": "a", "prompt": "One?"}, {"id": "b", "prompt": "Two?"})
    await bench.run()
    before = bench.output.read_bytes()
    assert (await bench.run()).earlier == 2
    assert bench.output.read_bytes() == before
    bench.write({"id": "a", "prompt": "One?"}, {"id": "b", "prompt": "Another?"}, {"id": "c", "prompt": "Three?"})

    report = await bench.run()

    assert (report.rows, report.earlier, report.complete) == (3, 1, 3)
    assert len(service.asked) == 4


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
async def test_a_table_that_no_batch_wrote_is_left_untouched(bench: Any, tmp_path: Path, name: str) -> None:
    bench.output = tmp_path / name
    bench.write({"id": "a", "prompt": "One?"})
    if name.endswith("csv"):
        _write_csv(bench.output, ["id", "text"], ["a", "x"])
    else:
        pq.write_table(pa.table({"id": ["a"]}), bench.output)
    before = bench.output.read_bytes()

    with pytest.raises(ConfigurationError, match="no batch wrote line"):
        await bench.run()

    assert bench.output.read_bytes() == before
    assert _names(tmp_path) == ["in.jsonl", name]


def test_a_row_of_cells_says_what_the_row_said() -> None:
    record = {
        "id": "a", "line": 3, "state": "complete", "result": "391", "answer": 391, "confidence": 0.5, "agreement": 1.0,
        "needsReview": False, "supportingModels": ["m"], "dissent": [], "usage": {"calls": 3, "outputTokens": 7},
        "timings": {"total": 1.5}, "metadata": {"batch": "x"}, "jobId": "01J", "key": "k", "attempt": 1,
    }  # fmt: skip

    row = cells.row_of(record)
    again = cells.record_of({name: None if cell is None else str(cell) for name, cell in row.items()})

    assert (row["answer"], row["outputTokens"], row["totalMs"]) == ("391", 7, 1.5)
    assert cells.row_of(again | {"needsReview": False}) == row
    assert {name: again[name] for name in ("usage", "key", "attempt", "line")} == {
        name: record[name] for name in ("usage", "key", "attempt", "line")
    }
