"""A batch's second pass on recorded answers: is it right more often, and are its confidences truer?

`python -m tests.benchmarks.two_pass --data ../shared/data [--json FILE] [--quick]` takes panels of five by fixed seeds,
makes of every question the row that a batch would have written, and does with all of them what a batch does at its end:
learns without labels, merges each row anew, and corrects confidences by labels of other rows. Beside it the first pass,
and the plurality of its groups. The calibration error is over ten bins; rows without a confidence are left out of it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ditto.batching.labelling import Labels, calibration_error
from ditto.batching.second_pass import Lessons, merged, seconded
from ditto.batching.source import Row
from ditto.domain.request import parse
from ditto.domain.skills.sheet import NOTHING
from ditto.domain.verdict_view import render_verdict
from tests.benchmarks.quality import draws, functions, rivals
from tests.benchmarks.quality.questions import CHECKABLE, Question, load

PANEL, DRAWS, QUICK_DRAWS, QUICK_ROWS = 5, 4, 1, 200
THRESHOLD = 0.7
WAYS = ("plurality", "one pass", "two passes", "two passes, labels")

Said = dict[str, list[tuple[float | None, bool]]]


def first_pass(question: Question, panel: tuple[str, ...]) -> tuple[Row, dict[str, Any], float, bool] | None:
    """Returns a row, its record, and the share and truth of its plurality; None where no reply was usable."""
    ballots = question.panel(panel)
    if not ballots:
        return None
    body = {"prompt": question.prompt} | ({} if question.schema is None else {"schema": question.schema})
    row = Row(id=question.id, line=1, request=parse(body))
    replies = {ballot.call: ballot.text for ballot in ballots}
    record: dict[str, Any] = {"id": row.id, "state": "complete", "responses": replies, "dissent": []}
    record |= {"supportingModels": list(replies), "usage": {"models": dict.fromkeys(panel)}}
    verdict = merged(row.request, record, NOTHING.sheet(()), THRESHOLD)
    groups = rivals.Groups.of(verdict)
    best, share = rivals.plurality(groups, panel)
    truth = best is not None and question.right[groups.members[best][0]]
    shown = render_verdict(verdict, replies)
    return row, {**record, **shown, "result": verdict.result, "responses": replies}, share, truth


def is_right(question: Question, record: Mapping[str, Any], data: Path) -> bool:
    """Tells whether a row's result is right, as the recorded answers say."""
    if record["agreement"] is None:
        return False
    if record["chosenModel"] is not None:
        return question.right[record["chosenModel"]]
    return functions.all_right(data, record["result"], dict(question.row))


def one_batch(data: Path, questions: list[Question], panel: tuple[str, ...]) -> Said:
    """Returns the confidence and truth of every row by each way."""
    made = [(question, row) for question in questions if (row := first_pass(question, panel)) is not None]
    lessons, labels, said = Lessons(len(made), THRESHOLD), Labels(), {way: [] for way in WAYS}
    for _, (row, record, _, _) in made:
        lessons.add(row, record)
    lesson = lessons.lesson(wanted=True)
    assert lesson is not None
    second = []
    for question, (row, record, share, truth) in made:
        again = seconded(row, record, lesson)
        again["correct"] = is_right(question, again, data)
        labels.add(again)
        second.append(again)
        said["plurality"].append((share, truth))
        said["one pass"].append((record["confidence"], is_right(question, record, data)))
        said["two passes"].append((again["confidence"], again["correct"]))
    corrections = labels.corrections()
    for again in second:
        corrected = corrections.corrected(again, THRESHOLD)
        said["two passes, labels"].append((corrected["confidence"], again["correct"]))
    return said


def measure(data: Path, *, quick: bool) -> dict[str, Any]:
    """Returns accuracy and calibration error by set and way."""
    figures: dict[str, Any] = {}
    for name in CHECKABLE:
        questions = load(data, name)
        models = sorted(questions[0].right)
        pooled: Said = {way: [] for way in WAYS}
        count = QUICK_DRAWS if quick else DRAWS
        for drawn in draws.draws(models, len(questions), PANEL, name=f"two-pass/{name}", count=count):
            rows = questions[:QUICK_ROWS] if quick else questions
            for way, told in one_batch(data, rows, drawn.panel).items():
                pooled[way] += told
        figures[name] = {way: _figures(told) for way, told in pooled.items()}
    return figures


def _figures(said: list[tuple[float | None, bool]]) -> dict[str, float | int | None]:
    stated = [(confidence, right) for confidence, right in said if confidence is not None]
    error = calibration_error(stated)
    return {
        "rows": len(said),
        "accuracy": round(sum(right for _, right in said) / len(said), 4),
        "ece": None if error is None else round(error, 4),
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.two_pass", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of recorded answers")
    parser.add_argument("--json", type=Path, help="write every figure there")
    parser.add_argument("--quick", action="store_true", help="one draw of each set, 200 questions")
    options = parser.parse_args()
    if not options.data.is_dir():
        parser.exit(0, f"skipped: there are no recorded answers in {options.data}\n")
    figures = measure(options.data, quick=options.quick)
    table = Table("set", "way", "rows", "accuracy", "ECE")
    for name, ways in figures.items():
        for way, each in ways.items():
            table.add_row(name, way, str(each["rows"]), f"{each['accuracy']:.3f}", f"{each['ece']:.3f}")
    Console(width=100).print(table)
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
