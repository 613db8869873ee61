"""The report of a batch: a page to look at beside its output, and the same as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ditto.batching import places
from ditto.batching.formats import ENDINGS
from ditto.batching.page import page
from ditto.batching.publishing import replaced


def report_places(output: str) -> tuple[str, str]:
    """Returns where the page and the JSON go: `answers.csv` has `answers.report.html` and `answers.report.json`."""
    stem = output.removesuffix(".gz")
    ending = next((ending for ending in ENDINGS if stem.lower().endswith(ending)), "")
    stem = stem[: len(stem) - len(ending)] if ending else stem
    return f"{stem}.report.html", f"{stem}.report.json"


def write_report(output: str, told: Mapping[str, Any]) -> str:
    """Writes both and returns where the page is.

    Raises:
        OSError: They could not be written.
    """
    at_page, at_json = report_places(output)
    title = output if places.is_remote(output) else output.rpartition("/")[2]
    for place, text in ((at_json, json.dumps(told, ensure_ascii=False, indent=1)), (at_page, page(title, told))):
        with replaced(place) as file:
            file.write(text.encode("utf-8", "backslashreplace"))
    return at_page
