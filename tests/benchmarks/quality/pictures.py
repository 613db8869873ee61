"""The figures as pictures: is a stated confidence true, and how accurate are the most confident answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

_WAYS = {"cold": "tab:blue", "history": "tab:orange", "plurality": "tab:gray", "dawid_skene": "tab:red"}
_SIZE = "5"
_SMALLEST_DOT, _DOTS_AREA = 6.0, 260.0


def draw(figures: dict[str, Any], folder: Path) -> list[Path]:
    """Draws `reliability.png` and `coverage.png` for panels of five, one part for each set; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    sets = {name: sizes[_SIZE]["drawn"] for name, sizes in figures["sets"].items() if _SIZE in sizes}
    return [
        _picture(sets, folder / "reliability.png", _reliability, "Stated confidence and how often it was true"),
        _picture(sets, folder / "coverage.png", _coverage, "Accuracy of the most confident part of the answers"),
    ]


def _picture(sets: dict[str, Any], file: Path, part: Any, title: str) -> Path:
    figure, axes = plt.subplots(2, 3, figsize=(15, 9.5), squeeze=False)
    places = axes.flat
    for place, (name, drawn) in zip(places, sets.items(), strict=False):
        part(place, drawn)
        place.set_title(name)
        place.grid(alpha=0.3)
    for place in places:
        place.axis("off")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower right", bbox_to_anchor=(0.95, 0.2), fontsize=13)
    figure.suptitle(f"{title}, panels of {_SIZE}", fontsize=15)
    figure.tight_layout()
    figure.savefig(file, dpi=90)
    plt.close(figure)
    return file


def _reliability(place: Axes, drawn: dict[str, Any]) -> None:
    place.plot([0, 1], [0, 1], color="black", linewidth=0.8)
    for way, colour in _WAYS.items():
        points = drawn[way]["reliability"]
        total = sum(count for _, _, count in points)
        stated, truth = [point[0] for point in points], [point[1] for point in points]
        place.plot(stated, truth, color=colour, linewidth=1.0, alpha=0.7, label=way)
        areas = [_SMALLEST_DOT + _DOTS_AREA * count / total for _, _, count in points]
        place.scatter(stated, truth, s=areas, color=colour, alpha=0.6)
    place.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="confidence", ylabel="right (area of a dot: share of the answers)")


def _coverage(place: Axes, drawn: dict[str, Any]) -> None:
    for way, colour in _WAYS.items():
        points = drawn[way]["curve"]
        place.plot([point[0] for point in points], [point[1] for point in points], color=colour, label=way)
    place.set(xlim=(0, 1), xlabel="coverage", ylabel="accuracy")
