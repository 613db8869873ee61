"""The second pass: what a batch teaches of its models, and what its labels say."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest

from ditto.batching import Merging
from ditto.batching.labelling import Labels, calibration_error, is_right
from ditto.batching.second_pass import Lessons, merged, model_of, seconded
from ditto.batching.source import Row
from ditto.domain.request import parse
from ditto.domain.skills.sheet import NOTHING
from ditto.domain.verdict_view import render_verdict
from ditto.errors import ConfigurationError
from tests.fakes import FakeService, Held

CHOICES = ["red", "green", "blue", "grey"]
RIGHT = {"m/worst": 0.4, "m/poor": 0.5, "m/fair": 0.65, "m/good": 0.75, "m/best": 0.9}


def _row(number: int, **more: Any) -> Row:
    request = parse({"prompt": f"Which colour is number {number}?", "answer": CHOICES, "models": list(RIGHT), **more})
    return Row(id=str(number), line=number, request=request)


def _record(row: Row, replies: dict[str, str]) -> dict[str, Any]:
    record: dict[str, Any] = {"id": row.id, "state": "complete", "responses": replies, "dissent": []}
    record |= {"supportingModels": list(replies), "usage": {"models": dict.fromkeys(replies)}}
    verdict = merged(row.request, record, NOTHING.sheet(()), 0.7)
    return record | render_verdict(verdict, replies) | {"result": verdict.result, "responses": replies}


def _batch(number: int) -> list[tuple[Row, dict[str, Any], str]]:
    """Returns rows, what came of them in the first pass, and what is right."""
    luck = random.Random(7)
    rows = []
    for at in range(number):
        truth = luck.choice(CHOICES)
        wrong = [each for each in CHOICES if each != truth]
        said = {model: truth if luck.random() < share else luck.choice(wrong) for model, share in RIGHT.items()}
        row = _row(at)
        rows.append((row, _record(row, said), truth))
    return rows


def test_who_is_often_right_counts_more_in_the_second_pass() -> None:
    batch = _batch(200)
    lessons = Lessons(len(batch), 0.7)
    for row, record, _ in batch:
        lessons.add(row, record)
    lesson = lessons.lesson(wanted=False)
    assert lesson is not None

    first = sum(record["answer"] == truth for _, record, truth in batch)
    again = [(seconded(row, record, lesson), truth) for row, record, truth in batch]
    second = sum(record["answer"] == truth for record, truth in again)

    assert second > first
    assert again[0][0]["firstPass"]["answer"] == batch[0][1]["answer"]
    assert again[0][0]["basis"] == {"kind": "batch", "questions": 200}


def test_the_order_of_the_rows_decides_nothing() -> None:
    batch = _batch(60)

    def verdicts(rows: list[tuple[Row, dict[str, Any], str]]) -> dict[str, Any]:
        lessons = Lessons(len(rows), 0.7)
        for row, record, _ in rows:
            lessons.add(row, record)
        lesson = lessons.lesson(wanted=False)
        assert lesson is not None
        return {row.id: (r := seconded(row, record, lesson))["answer"] and r["answer"] for row, record, _ in rows}

    assert verdicts(batch) == verdicts(batch[::-1])


def test_a_few_rows_or_several_panels_teach_nothing_unless_that_is_wanted() -> None:
    few, several = Lessons(29, 0.7), Lessons(60, 0.7)
    for row, record, _ in _batch(29):
        few.add(row, record)
    for at, (row, record, _) in enumerate(_batch(60)):
        replies = dict(list(record["responses"].items())[at % 2 :])
        several.add(row, _record(row, replies))

    assert few.lesson(wanted=False) is None
    assert several.lesson(wanted=False) is None
    assert few.lesson(wanted=True) is not None


def test_a_reply_that_was_no_vote_is_none_again() -> None:
    row = _row(1)
    record = _record(row, dict.fromkeys(RIGHT, "red"))
    lesson = _lesson()
    cut_off = {**record, "supportingModels": [name for name in RIGHT if name != "m/best"]}

    assert "m/best" not in seconded(row, cut_off, lesson)["supportingModels"]
    assert "m/best" in seconded(row, record, lesson)["supportingModels"]


def test_what_a_judge_has_decided_stays() -> None:
    row = _row(1)
    record = _record(row, dict.fromkeys(RIGHT, "red")) | {"basis": {"kind": "judge", "skills": None}}

    assert seconded(row, record, _lesson()) == record


def _lesson() -> Any:
    lessons = Lessons(40, 0.7)
    for row, record, _ in _batch(40):
        lessons.add(row, record)
    return lessons.lesson(wanted=True)


def test_a_second_call_is_of_the_same_model() -> None:
    assert (model_of("a/b"), model_of("a/b#2"), model_of("a#b")) == ("a/b", "a/b", "a#b")


@pytest.mark.parametrize(
    ("fields", "result", "answer", "label", "right"),
    [
        ({}, "It is 391.", 391, "391", True),
        ({}, "It is 391.", 391, 391, True),
        ({}, "It is 391.", 391, "390", False),
        ({"answer": "boolean"}, "Yes.", "yes", "yes", True),
        ({"schema": {"type": "object"}}, {"total": 5}, None, {"total": 5.0}, True),
        ({"schema": {"type": "number"}}, 5, None, "5", True),
        ({"schema": {"type": "number"}}, 5, None, "6", False),
    ],
)
def test_an_answer_is_right_by_its_meaning(
    fields: dict[str, Any], result: Any, answer: Any, label: Any, right: bool
) -> None:
    row = Row(id="a", line=1, request=parse({"prompt": "What is 17 * 23?", **fields}))
    record = {"state": "complete", "result": result, "answer": answer}

    assert is_right(row, record, label) is right


def test_labels_correct_confidences_and_never_that_of_their_own_row() -> None:
    luck = random.Random(3)
    said = [
        {"id": str(n), "confidence": 0.9, "correct": luck.random() < 0.6, "basis": {"kind": "cold", "skills": None}}
        for n in range(400)
    ]
    labels = Labels()
    for record in said:
        labels.add(record)
    corrections = labels.corrections()

    corrected = [corrections.corrected(record, 0.7) for record in said]
    error_before = calibration_error([(record["confidence"], record["correct"]) for record in said])
    error_after = calibration_error([(record["confidence"], record["correct"]) for record in corrected])

    assert error_before is not None
    assert error_after is not None
    assert error_before > 0.25
    assert error_after < 0.1
    assert corrected[0]["needsReview"]
    assert corrected[0]["basis"]["labels"] < 400  # those of the other folds
    unlabelled = {"id": "x", "confidence": 0.9, "basis": {"kind": "cold", "skills": None}}
    assert corrections.corrected(unlabelled, 0.7)["basis"]["labels"] == 400


def test_a_few_labels_correct_nothing() -> None:
    labels = Labels()
    record = {"id": "a", "confidence": 0.9, "correct": True, "basis": {"kind": "cold", "skills": None}}
    labels.add(record)

    assert labels.corrections().corrected(record, 0.7) == record


def _dissenting(service: FakeService, bench: Any, rows: int = 40) -> None:
    service.replies = {"sim/alpha": "Yes.", "sim/beta": "Yes.", "sim/gamma": "No."}
    bench.write(*({"id": n, "prompt": f"Is {n} even? Yes or no.", "truth": "yes"} for n in range(rows)))


async def test_an_output_of_enough_rows_appears_at_the_end_with_both_verdicts(bench: Any, service: FakeService) -> None:
    _dissenting(service, bench)
    service.replies["sim/beta"] = Held()
    running = asyncio.create_task(bench.run(template="{prompt}"))
    await service.asked_times(16)
    assert not bench.output.exists()
    assert bench.output.with_name("out.jsonl.partial").exists()
    await service.release("sim/beta", "Yes.")

    await running

    row = bench.rows()["7"]
    assert not bench.output.with_name("out.jsonl.partial").exists()
    assert row["basis"] == {"kind": "batch", "questions": 40}
    assert row["answer"] == row["firstPass"]["answer"] == "yes"
    assert row["confidence"] != row["firstPass"]["confidence"]
    assert "responses" not in row
    assert list(bench.rows()) == [str(n) for n in range(40)]


async def test_run_again_after_two_passes_nothing_changes(bench: Any, service: FakeService) -> None:
    _dissenting(service, bench)
    await bench.run(template="{prompt}")
    before = bench.output.read_bytes()

    report = await bench.run(template="{prompt}")

    assert report.earlier == 40
    assert len(service.asked) == 40
    assert bench.output.read_bytes() == before


async def test_rows_that_come_later_teach_too_and_all_are_merged_anew(bench: Any, service: FakeService) -> None:
    _dissenting(service, bench)
    await bench.run(template="{prompt}")
    _dissenting(service, bench, 50)

    await bench.run(template="{prompt}")

    assert {row["basis"]["questions"] for row in bench.rows().values()} == {50}
    assert len(service.asked) == 50


async def test_one_pass_writes_rows_as_they_come(bench: Any, service: FakeService) -> None:
    _dissenting(service, bench)

    await bench.run(template="{prompt}", merging=Merging.ONE_PASS)

    row = bench.rows()["7"]
    assert row["basis"]["kind"] == "cold"
    assert "firstPass" not in row


async def test_answers_that_cannot_be_voted_on_stay_as_they_are(bench: Any) -> None:
    bench.write(*({"id": n, "prompt": f"Write on {n}."} for n in range(40)))

    await bench.run(given={"strategy": "cooperative"}, merging=Merging.TWO_PASS)

    assert all("firstPass" not in row and "responses" not in row for row in bench.rows().values())


async def test_labels_are_not_asked_and_stand_beside_the_answers(bench: Any, service: FakeService) -> None:
    _dissenting(service, bench, 5)

    report = await bench.run(reading={"label": "truth"})

    assert report.failed == 0
    assert {(row["label"], row["correct"]) for row in bench.rows().values()} == {("yes", True)}
    assert "truth" not in json.dumps([request.to_wire() for request in service.asked])


async def test_a_pipe_has_neither_two_passes_nor_labels(bench: Any) -> None:
    bench.write({"id": "a", "prompt": "x"})
    bench.output = "-"

    with pytest.raises(ConfigurationError, match="two passes and labels need files"):
        await bench.run(merging=Merging.TWO_PASS)
    with pytest.raises(ConfigurationError, match="two passes and labels need files"):
        await bench.run(reading={"label": "truth"})
