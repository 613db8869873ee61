"""The report of a batch: what it counts, and that a page shows whatever it is given as text."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from ditto.batching.page import page
from ditto.batching.report import report_places, write_report
from ditto.batching.summary import MOST_REVIEWED, Reliability, Summary
from ditto.domain.events import Failure
from tests.fakes import FakeService

NASTY = "</title><script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


class Tags(HTMLParser):
    """The elements of a page, its text, and whether every one that was opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


async def _told(bench: Any, rows: int = 40, **more: Any) -> dict[str, Any]:
    bench.write(*({"id": n, "prompt": f"Is {n} even? Yes or no.", "truth": "yes"} for n in range(rows)))
    await bench.run(template="{prompt}", report=True, **more)
    told: dict[str, Any] = json.loads(bench.output.with_name("out.report.json").read_text())
    return told


async def test_it_says_what_the_rows_came_to(bench: Any, service: FakeService) -> None:
    service.replies = {"sim/alpha": "Yes.", "sim/beta": "No.", "sim/gamma": Failure(type="Timeout", message="late")}

    told = await _told(bench, 5)

    assert (told["rows"], told["complete"], told["failed"]) == (5, 5, 0)
    assert sum(told["confidence"]["bins"]) + told["confidence"]["none"] == 5
    assert told["models"]["sim/gamma"]["failed"] == {"Timeout": 5}
    assert told["models"]["sim/alpha"]["outputTokens"] == 45
    assert told["agreement"] == [{"models": ["sim/alpha", "sim/beta"], "rows": 5, "same": 0}]
    assert told["latencyMs"]["p50"] > 0
    assert told["review"][0]["question"].startswith("Is 0 even?")
    assert {(each["model"], each["answer"], each["won"]) for each in told["review"][0]["answers"]} == {
        ("sim/alpha", "yes", True),
        ("sim/beta", "no", False),
    }


async def test_it_says_what_two_passes_and_labels_taught(bench: Any, service: FakeService) -> None:
    service.replies = {"sim/alpha": "Yes.", "sim/beta": "Yes.", "sim/gamma": "No."}

    told = await _told(bench, reading={"label": "truth"})

    assert told["passes"] == {"questions": 40}
    assert set(told["models"]["sim/alpha"]["skills"]) == {"boolean"}
    assert (told["labels"]["rows"], told["labels"]["accuracy"]) == (40, 1.0)
    assert told["labels"]["firstPass"]["accuracy"] == 1.0
    shown = Tags(bench.output.with_name("out.report.html").read_text()).text
    assert "second pass" in shown
    assert "skill: boolean" in shown


async def test_a_second_run_reports_on_all_rows(bench: Any, service: FakeService) -> None:
    first = await _told(bench, 5)

    second = await _told(bench, 5)

    assert second == first


async def test_wrong_rows_are_named_with_their_lines(bench: Any) -> None:
    bench.write("{broken", {"id": "b", "prompt": " "})

    await bench.run(report=True)

    told = json.loads(bench.output.with_name("out.report.json").read_text())
    assert told["errors"] == {"BadRequest": 2}
    assert [(row["line"], row["message"][:10]) for row in told["wrongRows"]] == [(1, "is no JSON"), (2, "prompt: is")]


def test_whatever_was_asked_and_answered_is_shown_as_text() -> None:
    summary = Summary()
    for number in range(3):
        summary.add(None, _record(number, NASTY))
    summary.add(None, {**_record(9, NASTY), "state": "error", "error": {"type": NASTY, "message": NASTY}})

    shown = Tags(page(NASTY, summary.told(None)))

    assert not shown.names & {"script", "img", "link", "iframe", "a"}
    assert not {name for name in shown.attributes if name.startswith(("on", "src", "href"))}
    assert shown.open == []
    assert shown.text.count(NASTY) >= 5


def test_memory_does_not_grow_with_the_rows() -> None:
    summary = Summary()

    for number in range(5000):
        summary.add(None, {**_record(number, "x" * 5000), "confidence": (number * 7919 % 5000) / 5000})

    told = summary.told(None)
    assert len(told["review"]) == MOST_REVIEWED
    assert [row["confidence"] for row in told["review"]] == sorted(row["confidence"] for row in told["review"])
    assert told["review"][0]["confidence"] == 0.0
    assert len(json.dumps(told)) < 1_000_000


def test_a_report_stands_beside_its_output(tmp_path: Path) -> None:
    assert report_places("s3://b/answers.jsonl.gz") == ("s3://b/answers.report.html", "s3://b/answers.report.json")
    assert report_places("answers")[0] == "answers.report.html"

    at = write_report(str(tmp_path / "a.parquet"), Summary().told(None))

    assert at == str(tmp_path / "a.report.html")
    assert Tags(Path(at).read_text()).open == []


def test_reliability_is_that_of_the_bins() -> None:
    said = Reliability()
    for stated, right in [(0.95, True), (0.95, True), (0.95, False), (0.95, False), (0.1, False), (None, True)]:
        said.add(stated, right=right)

    assert (said.told()["accuracy"], said.told()["ece"]) == (0.5, 0.38)


def _record(number: int, text: str) -> dict[str, Any]:
    return {
        "id": f"{number}{text[:50]}",
        "line": number,
        "state": "complete",
        "result": text,
        "answer": text,
        "confidence": 0.2,
        "agreement": 0.5,
        "needsReview": True,
        "supportingModels": [f"a{text[:50]}"],
        "dissent": [{"answer": text, "models": ["b"], "share": 0.5}],
        "responses": {f"a{text[:50]}": text, "c": text},
        "usage": {"models": {"b": {"calls": 1, "inputTokens": None, "outputTokens": 2}}},
        "timings": {"total": 12.0 + number},
        "errors": {"c": {"type": "Timeout"}},
    }
