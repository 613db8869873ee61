"""The dashboard is one that Grafana can read, and asks for nothing that `/metrics` does not have."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ditto.cli import main
from ditto.http.dashboard import dashboard
from ditto.http.prometheus import exposition
from ditto.runtime import measures
from ditto.tally import Counted, Kind, Measure, Tally

_NAME = re.compile(r"ditto_\w+")
_BY = re.compile(r"sum by \(([^)]*)\) \(rate\((ditto_\w+)")


def every_measure() -> list[Measure]:
    return [each for each in vars(measures).values() if isinstance(each, Measure)]


def page() -> str:
    """Returns a metrics page on which everything was counted once."""
    tally = Tally()
    for measure in every_measure():
        labels = tuple("x" for _ in measure.labels)
        if measure.kind is Kind.HISTOGRAM:
            tally.observe(measure, labels, 0.5)
        else:
            tally.count(measure, labels)
    return exposition([Counted(actor="keeper", tally=tally)])


def test_every_query_asks_for_what_the_metrics_page_has_by_labels_that_it_has() -> None:
    samples = {
        sample.name: set(sample.labels)
        for family in text_string_to_metric_families(page())
        for sample in family.samples
    }
    queries = [target["expr"] for panel in dashboard()["panels"] for target in panel["targets"]]

    assert {name for query in queries for name in _NAME.findall(query)} <= set(samples)
    for query in queries:
        for labels, name in _BY.findall(query):
            assert {label.strip() for label in labels.split(",") if label.strip()} <= samples[name], query
        assert query.count("(") == query.count(")")


def test_everything_that_is_measured_is_shown() -> None:
    told = json.dumps(dashboard())

    assert [measure.name for measure in every_measure() if measure.name not in told] == []


def test_its_panels_lie_side_by_side() -> None:
    panels: list[dict[str, Any]] = dashboard()["panels"]
    cells = {
        (x, y)
        for panel in panels
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    }

    assert len(cells) == sum(panel["gridPos"]["w"] * panel["gridPos"]["h"] for panel in panels)
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_a_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["dashboard"])

    assert ended.value.code in (0, None)
    assert json.loads(capsys.readouterr().out) == dashboard()
