"""What the actors have counted, as Prometheus reads it: its text format 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate

from ditto.tally import Counted, Kind, Measure

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_UP = Measure(name="ditto_up", kind=Kind.GAUGE, about="Whether this actor has said what it counted.")


def exposition(counted: Sequence[Counted]) -> str:
    """Returns one family of lines for each measure; `actor` names who has counted."""
    families: dict[Measure, list[str]] = {_UP: []}
    for told in counted:
        actor = [("actor", told.actor)]
        families[_UP].append(_line(_UP.name, actor, float(told.tally is not None)))
        for measure, series in {} if told.tally is None else told.tally.series().items():
            lines = families.setdefault(measure, [])
            for values, numbers in series.items():
                labels = [*actor, *zip(measure.labels, values, strict=True)]
                lines.extend(_lines(measure, labels, numbers))
    return "".join(text for measure, lines in families.items() for text in (_head(measure), *lines))


def _head(measure: Measure) -> str:
    return f"# HELP {measure.name} {measure.about}\n# TYPE {measure.name} {measure.kind}\n"


def _lines(measure: Measure, labels: list[tuple[str, str]], numbers: list[float]) -> Iterable[str]:
    if measure.kind is not Kind.HISTOGRAM:
        yield _line(measure.name, labels, numbers[0])
        return
    *buckets, total = numbers
    counts = list(accumulate(buckets))
    for bound, count in zip((*measure.bounds, float("inf")), counts, strict=True):
        yield _line(f"{measure.name}_bucket", [*labels, ("le", _number(bound))], count)
    yield _line(f"{measure.name}_sum", labels, total)
    yield _line(f"{measure.name}_count", labels, counts[-1])


def _line(name: str, labels: list[tuple[str, str]], value: float) -> str:
    shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
    return f"{name}{{{shown}}} {_number(value)}\n"


def _number(value: float) -> str:
    if value == float("inf"):
        return "+Inf"
    return str(int(value)) if value.is_integer() else repr(value)


def _escaped(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return escaped.encode("utf-8", "replace").decode()
