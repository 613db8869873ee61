"""A dashboard for Grafana over what `/metrics` tells: jobs, models, verdicts and the service's own processes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ditto.runtime import measures
from ditto.tally import Kind, Measure

_SCHEMA_VERSION = 39
"""Of Grafana 10 and later, which read every older one."""
_SOURCE = {"type": "prometheus", "uid": "${source}"}
_COLUMNS, _HEIGHT, _GRID = 3, 8, 24


@dataclass(frozen=True, slots=True, kw_only=True)
class _Panel:
    """One graph: what it shows, in which of Grafana's units, and its lines as query and name."""

    title: str
    unit: str
    lines: tuple[tuple[str, str], ...]


def dashboard() -> dict[str, Any]:
    """Returns the dashboard as Grafana imports it; the Prometheus data source is chosen there."""
    return {
        "title": "Ditto",
        "uid": "ditto",
        "tags": ["ditto"],
        "schemaVersion": _SCHEMA_VERSION,
        "time": {"from": "now-1h", "to": "now"},
        "refresh": "30s",
        "templating": {"list": [{"name": "source", "type": "datasource", "query": "prometheus", "label": "Source"}]},
        "panels": [_panel(number, panel) for number, panel in enumerate((*_PANELS, *_others()))],
    }


def _rate(measure: Measure, *labels: str) -> str:
    return f"sum by ({', '.join(labels)}) (rate({measure.name}[$__rate_interval]))"


def _quantile(share: float, measure: Measure, *labels: str) -> str:
    counted = f"sum by ({', '.join(('le', *labels))}) (rate({measure.name}_bucket[$__rate_interval]))"
    return f"histogram_quantile({share}, {counted})"


def _sum(measure: Measure) -> str:
    return f"sum({measure.name})"


_PANELS: Sequence[_Panel] = (
    _Panel(title="Jobs ended", unit="ops", lines=((_rate(measures.JOBS, "state"), "{{state}}"),)),
    _Panel(
        title="Time of a job",
        unit="s",
        lines=((_quantile(0.5, measures.JOB_SECONDS), "half"), (_quantile(0.95, measures.JOB_SECONDS), "95 %")),
    ),
    _Panel(
        title="Open jobs and calls",
        unit="short",
        lines=((_sum(measures.JOBS_OPEN), "jobs"), (_sum(measures.CALLS_RUNNING), "calls")),
    ),
    _Panel(title="Calls by outcome", unit="ops", lines=((_rate(measures.CALLS, "outcome"), "{{outcome}}"),)),
    _Panel(
        title="Time of a call, 95 %", unit="s", lines=((_quantile(0.95, measures.CALL_SECONDS, "model"), "{{model}}"),)
    ),
    _Panel(
        title="Failed calls by model",
        unit="ops",
        lines=(
            (
                f'sum by (model, outcome) (rate({measures.CALLS.name}{{outcome!="reply"}}[$__rate_interval]))',
                "{{model}}: {{outcome}}",
            ),
        ),
    ),
    _Panel(
        title="Tokens", unit="ops", lines=((_rate(measures.TOKENS, "model", "direction"), "{{model}} {{direction}}"),)
    ),
    _Panel(
        title="Tried again, and told to wait (429)",
        unit="ops",
        lines=(
            (_rate(measures.RETRIES, "model"), "{{model}} again"),
            (_rate(measures.RATE_LIMITED, "model"), "{{model}} 429"),
        ),
    ),
    _Panel(
        title="Confidence of verdicts",
        unit="percentunit",
        lines=(
            (_quantile(0.1, measures.CONFIDENCE), "a tenth is below"),
            (_quantile(0.5, measures.CONFIDENCE), "half is below"),
        ),
    ),
    _Panel(
        title="Share of jobs for review",
        unit="percentunit",
        lines=(
            (
                f"sum(rate({measures.REVIEWS.name}[$__rate_interval])) "
                f'/ sum(rate({measures.JOBS.name}{{state="complete"}}[$__rate_interval]))',
                "needs review",
            ),
        ),
    ),
    _Panel(
        title="Spares and actors of jobs",
        unit="short",
        lines=((_sum(measures.SPARES), "spares"), (_sum(measures.JOB_ACTORS), "actors")),
    ),
    _Panel(
        title="Commits, and actors that answer",
        unit="short",
        lines=(
            (f"sum(rate({measures.COMMITS.name}[$__rate_interval]))", "commits a second"),
            ("sum(ditto_up)", "actors"),
        ),
    ),
)


def _others() -> list[_Panel]:
    """Returns a panel for each measure that none of those above shows."""
    shown = " ".join(query for panel in _PANELS for query, _ in panel.lines)
    known = (each for each in vars(measures).values() if isinstance(each, Measure))
    return [_of_measure(measure) for measure in known if not re.search(rf"{measure.name}\b", shown)]


def _of_measure(measure: Measure) -> _Panel:
    named = " ".join(f"{{{{{label}}}}}" for label in measure.labels) or measure.name
    match measure.kind:
        case Kind.COUNTER:
            query = _rate(measure, *measure.labels)
        case Kind.GAUGE:
            query = f"sum by ({', '.join(measure.labels)}) ({measure.name})"
        case Kind.HISTOGRAM:
            query = _quantile(0.95, measure, *measure.labels)
    return _Panel(title=measure.about.rstrip("."), unit="short", lines=((query, named),))


def _panel(number: int, panel: _Panel) -> dict[str, Any]:
    row, column = divmod(number, _COLUMNS)
    width = _GRID // _COLUMNS
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "datasource": _SOURCE,
        "gridPos": {"x": column * width, "y": row * _HEIGHT, "w": width, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(ord("A") + at), "datasource": _SOURCE, "expr": query, "legendFormat": name}
            for at, (query, name) in enumerate(panel.lines)
        ],
    }
