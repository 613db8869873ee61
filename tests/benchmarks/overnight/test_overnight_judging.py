"""The judge of a killed batch finds what is wrong: each way of losing, doubling and paying twice is one it can see."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks.overnight.judging import Kill, asked, judged, read
from tests.benchmarks.overnight.looks import Look, Process, figures
from tests.benchmarks.overnight.ways import Written

COLUMNS = ("result", "dissent")
WANTED = ("row 0", "row 1", "row 2")


def line(number: int, result: str = "23", **more: object) -> bytes:
    return json.dumps({"id": f"row {number}", "result": result, "jobId": "01M", **more}).encode() + b"\n"


WHOLE = [line(number) for number in range(3)]


def killed(*unrecorded: str, at_models: int = 1) -> Kill:
    return Kill(rows=1, ended=3, begun=3 + at_models, unrecorded=frozenset(unrecorded))


def test_an_output_with_every_row_once_is_right_in_any_order() -> None:
    whole, other = read(WHOLE, COLUMNS), read(reversed(WHOLE), COLUMNS)

    verdict = judged(WANTED, other, COLUMNS, like=whole)

    assert verdict.right
    assert (verdict.rows, verdict.different) == (3, {})


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        (WHOLE[:2], "missing"),
        ([*WHOLE, line(1)], "twice"),
        ([*WHOLE, line(3)], "strange"),
        ([*WHOLE, b'{"id": "row'], "torn"),
        ([*WHOLE, b"[1]\n"], "torn"),
    ],
)
def test_each_thing_that_is_wrong_is_counted_alone(lines: list[bytes], wrong: str) -> None:
    verdict = judged(WANTED, read(lines, COLUMNS), COLUMNS)

    found = {name: getattr(verdict, name) for name in ("missing", "twice", "strange", "torn")}
    assert found == {**dict.fromkeys(found, 0), wrong: 1}
    assert not verdict.right


def test_rows_that_say_something_else_are_counted_by_column_and_other_columns_are_not_looked_at() -> None:
    other = [line(0, "24"), line(1, jobId="other"), line(2, dissent=["x"])]

    verdict = judged(WANTED, read(other, COLUMNS), COLUMNS, like=read(WHOLE, COLUMNS))

    assert verdict.different == {"result": 1, "dissent": 1}
    assert not verdict.right


def test_as_many_calls_may_be_made_again_as_had_no_reply_in_the_journal() -> None:
    kills = (killed("terse a", "wordy a"), killed("terse a"))

    found = asked(9, 12, {"terse a": 3, "wordy a": 2}, kills)

    assert (found.beyond, found.in_flight, found.at_models, found.answered_again) == (3, 3, 2, 0)
    assert found.right


def test_a_call_whose_reply_the_journal_had_must_not_be_made_again_however_few_they_are() -> None:
    kills = (killed("terse a", "wordy a", "wordy b"), killed())

    found = asked(9, 11, {"terse a": 2, "terse b": 2}, kills)

    assert found.beyond < found.in_flight
    assert found.answered_again == 1
    assert not found.right


def test_a_call_lost_at_one_kill_may_be_made_again_once() -> None:
    assert asked(9, 11, {"terse a": 3}, (killed("terse a"), killed())).answered_again == 1


@pytest.mark.parametrize("begun", [8, 11])
def test_too_few_calls_and_too_many_are_wrong(begun: int) -> None:
    assert not asked(9, begun, {}, (killed("terse a"),)).right


def test_without_a_journal_what_the_models_were_at_was_in_flight() -> None:
    found = asked(9, 14, {"terse a": 2}, (Kill(rows=1, ended=3, begun=5), Kill(rows=2, ended=6, begun=8)))

    assert (found.at_models, found.in_flight, found.answered_again) == (4, 4, 1)
    assert not found.right


def test_an_undisturbed_run_is_asked_everything_once() -> None:
    assert asked(9, 9, {}, ()).right
    assert not asked(9, 10, {"terse a": 2}, ()).right


def look(second: int, rows: int, **processes: tuple[float, float]) -> Look:
    found = {
        number: Process(kind=kind, cpu_s=cpu_s, resident_mb=mb)
        for number, (kind, (cpu_s, mb)) in enumerate(processes.items())
    }
    return Look(at_s=second, rows=rows, processes=found)


def test_rate_cpu_and_memory_are_those_of_the_rows_between_start_and_end() -> None:
    starting = look(0, 0, command=(5.0, 10.0))
    steady = [look(n, 10 * n, command=(5.0 + 0.1 * n, 20.0), holder=(0.2 * n, 30.0 + n)) for n in range(1, 10)]
    ending = look(10, 100, command=(9.0, 90.0))

    told = figures([starting, *steady, ending], 100, 20.0)

    assert (told["rows_per_s"], told["rows_per_s_in_all"]) == (10.0, 5.0)
    assert told["cpu_ms_per_row_by_kind"] == {"holder": 20.0, "command": 10.0}
    assert told["memory"]["command"] == {"first_mb": 20.0, "last_mb": 20.0, "kb_per_1000_rows": 0.0}
    assert told["memory"]["holder"] == {"first_mb": 32.0, "last_mb": 38.0, "kb_per_1000_rows": 102400.0}
    assert told["most_mb"] == {"command": 90.0, "holder": 39.0}


def test_lines_are_counted_as_files_grow_and_anew_where_a_torn_one_was_cut_off(tmp_path: Path) -> None:
    written, one, other = Written(), tmp_path / "one", tmp_path / "other"

    one.write_bytes(b"a\nb\nto")
    assert written.count([one, other]) == 2
    other.write_bytes(b"c\n")
    assert written.count([one, other]) == 3
    one.write_bytes(b"a\nb\n")
    assert written.count([one]) == 2
    one.write_bytes(b"a\nb\nc\n")
    assert written.count([one]) == 3
