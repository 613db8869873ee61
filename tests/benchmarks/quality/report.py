"""The figures as tables, for the eye."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

_SINGLES = ("best_single", "mean_single", "any_right")
_COLUMNS = ("accuracy", "ece", "floor", "brier", "auroc", "at_50", "at_80", "nulls", "rows")


def show(figures: dict[str, Any], console: Console) -> None:
    """Prints all tables."""
    for size, means in figures["means"].items():
        console.print(_table(f"panels of {size}, mean of the sets", means))
        for name, sets in figures["sets"].items():
            if size in sets:
                console.print(_table(f"{name}, panels of {size}", sets[size]))
    _rest(figures, console)


def _table(title: str, part: dict[str, Any]) -> Table:
    singles = ", ".join(f"{name.replace('_', ' ')} {part[name]:.3f}" for name in _SINGLES)
    table = Table(title=title, caption=singles, title_justify="left", caption_justify="left")
    table.add_column("way")
    for column in _COLUMNS:
        table.add_column(column, justify="right")
    for way, score in part["ways"].items():
        table.add_row(way, *(_shown(score[column]) for column in _COLUMNS))
    for way, score in part.get("fields", {}).items():
        table.add_row(f"{way}: fields", *(_shown(score[column]) for column in _COLUMNS))
    return table


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _rest(figures: dict[str, Any], console: Console) -> None:
    for name, rules in figures["stops"].items():
        table = Table(title=f"{name}, panels of 5: settling early", title_justify="left")
        for column in ("rule", "calls saved", "answers changed", "of", "accuracy", "ece"):
            table.add_column(column, justify="left" if column == "rule" else "right")
        for rule, each in rules.items():
            table.add_row(rule, *(_shown(each[key]) for key in ("saved", "changed", "rows", "accuracy", "ece")))
        console.print(table)
    console.print(_left_out(figures["left_out"]))
    refusals = figures["refusals"]
    console.print(
        f"refusals: F1 {refusals['f1']:.3f} (precision {refusals['precision']:.3f}, recall {refusals['recall']:.3f}) "
        f"over {refusals['replies']} replies"
    )
    console.print("one merge: " + ", ".join(f"{size}: {ms:.2f} ms" for size, ms in figures["merge_ms"].items()))


def _left_out(sets: dict[str, Any]) -> Table:
    table = Table(title="numbers chosen on the other sets, panels of 5 (beside: as shipped)", title_justify="left")
    table.add_column("set")
    table.add_column("chosen")
    for way in ("cold", "history"):
        for column in ("accuracy", "ece", "brier"):
            table.add_column(f"{way} {column}", justify="right")
    for name, each in sets.items():
        cells = [
            f"{each[way][column]:.4f} ({each['shipped'][way][column]:.4f})"
            for way in ("cold", "history")
            for column in ("accuracy", "ece", "brier")
        ]
        table.add_row(name, each["chosen"], *cells)
    return table
