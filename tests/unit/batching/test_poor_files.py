"""Files that are not what they say: every row that can be asked is asked, the others are named with their lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ditto.domain.request import Request
from ditto.domain.view import JobView
from ditto.errors import ConfigurationError, TooLarge
from tests.fakes import FakeService
from tests.unit.batching.test_batches_run import Busy


def _problems(bench: Any) -> dict[int, str]:
    rows = [row for row in bench.rows().values() if row["state"] == "error"]
    return {row["line"]: row["error"]["details"][0]["message"] for row in rows}


@pytest.fixture
def table(bench: Any, tmp_path: Path) -> Any:
    bench.input = tmp_path / "in.csv"
    return bench


async def test_rows_of_a_table_with_other_columns_than_its_header(table: Any) -> None:
    table.input.write_text("id,prompt\na,One?\nb\nc,Three?,more\n\nd,Four?\n")

    report = await table.run()

    assert (report.complete, report.failed) == (2, 2)
    assert _problems(table) == {
        3: "has 1 of the 2 cells that the header names",
        4: "has 3 cells, the header names 2",
    }


async def test_a_quote_that_is_never_closed(table: Any) -> None:
    table.input.write_text('id,prompt\na,One?\nb,"Two\nc,Three?\n')

    report = await table.run()

    assert (report.complete, report.failed) == (1, 1)
    assert _problems(table)[3].startswith("is no CSV: ")


async def test_a_quote_in_the_middle_of_a_cell(table: Any) -> None:
    table.input.write_text('id,prompt\na,"One" two\nb,Two?\n')

    report = await table.run()

    assert (report.complete, report.failed) == (1, 1)
    assert _problems(table)[2].startswith("is no CSV: ")


async def test_lines_of_windows_a_mark_at_the_start_and_cells_over_several_lines(table: Any, service: Any) -> None:
    table.input.write_bytes(b'\xef\xbb\xbfid,prompt\r\na,"One,\r\ntwo?"\r\n\r\nb,Two?\r\n')

    report = await table.run()

    assert report.complete == 2
    assert {request.prompt for request in service.asked} == {"One,\r\ntwo?", "Two?"}
    assert table.rows()["b"]["line"] == 5


async def test_cells_of_another_encoding(table: Any) -> None:
    table.input.write_bytes("id,prompt\na,Schön?\n".encode("latin-1") + b"b,Two?\n")

    report = await table.run()

    assert (report.complete, report.failed) == (1, 1)
    assert _problems(table) == {2: "is no UTF-8"}


async def test_a_header_that_names_a_column_twice(table: Any) -> None:
    table.input.write_text("id,prompt,prompt\na,One?,Two?\n")

    with pytest.raises(ConfigurationError, match=r"in\.csv: two columns have one name"):
        await table.run()


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"id,prompt\n"])
async def test_a_table_of_nothing(table: Any, content: bytes) -> None:
    table.input.write_bytes(content)

    assert (await table.run()).rows == 0


async def test_a_file_of_nothing(bench: Any) -> None:
    bench.input.write_bytes(b"")

    assert (await bench.run()).rows == 0
    assert bench.output.read_bytes() == b""


async def test_no_parquet_file(bench: Any, tmp_path: Path) -> None:
    bench.input = tmp_path / "in.parquet"
    pq.write_table(pa.table({"id": ["a"], "prompt": ["One?"]}), bench.input)
    bench.input.write_bytes(bench.input.read_bytes()[:-20])

    with pytest.raises(ConfigurationError, match=r"in\.parquet: "):
        await bench.run()


async def test_a_row_of_twenty_megabytes_is_asked_or_says_what_was_too_large(bench: Any, service: FakeService) -> None:
    class Small(Busy):
        async def begin(self, request: Request) -> JobView[Any]:
            if len(request.prompt or "") > 16 * 2**20:
                raise TooLarge("the body is above 16 MiB")
            return await super().begin(request)

    bench.write({"id": "large", "prompt": "x" * 20 * 2**20}, {"id": "b", "prompt": "Two?"})

    refused = await bench.run(over=Small(service))
    asked = await bench.run(retry_failed=True)

    assert (refused.complete, refused.failed) == (1, 1)
    assert (asked.complete, asked.failed) == (2, 0)


async def test_text_with_what_no_text_holds(bench: Any) -> None:
    bench.write('{"id": "a", "prompt": "half \\ud800"}', '{"id": "b", "prompt": "nul \\u0000"}', '{"id": "\\ud800"}')

    report = await bench.run()

    assert report.rows == 3
    assert set(_problems(bench)) >= {1, 3}


async def test_numbers_that_are_none(bench: Any) -> None:
    bench.write('{"id": "a", "prompt": "x", "temperature": NaN}', '{"id": "b", "prompt": "x", "temperature": 1e999}')

    assert (await bench.run()).failed == 2
