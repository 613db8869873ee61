"""How well replies are read: `python -m tests.benchmarks.reading --data ../shared/data [--quick] [--json FILE]`.

For each set panels of five are drawn by a fixed seed and merged as text. Of the replies that are known to be right,
`read` is the share that gave an answer at all. Of pairs of replies in one panel, `joined` is the share of right pairs
whose answers were taken for the same, and `parted` the share of a right and a wrong one whose answers were not.
Function calls are read by a schema instead and judged by the checker that comes with the data; intents by people.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from ditto.domain import schemas
from ditto.domain.merging import intents, merge
from ditto.domain.verdict import Ballot, Intent, Verdict

PANEL = 5
SETS = ("gsm8k_zeroeval", "mmlu_pro", "crux", "evouna_nq")

Row = dict[str, Any]


def main() -> None:
    """Prints the figures, and writes them where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="a hundred rows of each set, one panel each")
    parser.add_argument("--misses", type=int, default=0, help="print so many wrong readings of each set")
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        sys.exit(f"no recorded replies at {arguments.data}: skipped")
    rows = 100 if arguments.quick else None
    figures: dict[str, dict[str, float]] = {}
    for name in SETS:
        figures[name] = _texts(_rows(arguments.data, name)[:rows], 1 if arguments.quick else 4, arguments.misses)
    figures["bfcl"] = _calls(arguments.data, _rows(arguments.data, "bfcl")[:rows], arguments.misses)
    figures["xstest_intent"] = _intents(_rows(arguments.data, "xstest_intent"), arguments.misses)
    for name, found in figures.items():
        print(f"{name:16}", "  ".join(f"{key} {value:.4g}" for key, value in found.items()))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


def _rows(folder: Path, name: str) -> list[Row]:
    with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _panels(rows: list[Row], draws: int) -> Iterator[tuple[Row, list[Ballot]]]:
    dice = random.Random(20)
    for row in rows:
        for _ in range(draws):
            models = sorted(row["answers"])
            chosen = sorted(dice.sample(models, min(PANEL, len(models))))
            yield row, [Ballot(call=model, model=model, text=row["answers"][model].strip()) for model in chosen]


def _texts(rows: list[Row], draws: int, misses: int) -> dict[str, float]:
    counts: Counter[str] = Counter()
    milliseconds: list[float] = []
    for row, panel in _panels(rows, draws):
        began = time.process_time()
        verdict = merge(row["prompt"], panel, schema=None, answer=None, review_threshold=0.5)
        milliseconds.append(1e3 * (time.process_time() - began))
        misses -= _count(row, verdict, counts, misses)
    return {
        "rows": len(rows),
        "read": counts["right, read"] / counts["right"],
        "wrong_read": counts["wrong, read"] / max(1, counts["wrong"]),
        "joined": counts["right pairs, joined"] / counts["right pairs"],
        "parted": counts["mixed pairs, parted"] / counts["mixed pairs"],
        "accuracy": counts["panels, right"] / counts["panels"],
        "merge_ms": statistics.median(milliseconds),
    }


def _count(row: Row, verdict: Verdict, counts: Counter[str], misses: int) -> int:
    """Adds one verdict to the counts and returns how many misses were shown."""
    groups = [verdict.supporting, *(dissent.models for dissent in verdict.dissent)] if verdict.agreement else []
    group = {model: number for number, models in enumerate(groups) for model in models}
    shown = {reading.call: reading.answer for reading in verdict.readings}
    right = {model: row["correct"][model] for model in shown}
    problems = []
    for model in shown:
        counts["right" if right[model] else "wrong"] += 1
        counts[f"{'right' if right[model] else 'wrong'}, read"] += model in group
        if right[model] and model not in group:
            problems.append(f"UNREAD {model}: {row['answers'][model][-300:]!r}")
    models = [model for model in shown if model in group]
    for at, one in enumerate(models):
        for other in models[at + 1 :]:
            same = group[one] == group[other]
            if right[one] and right[other]:
                counts["right pairs"] += 1
                counts["right pairs, joined"] += same
                if not same:
                    problems.append(f"APART {shown[one]!r} {shown[other]!r}")
            elif right[one] != right[other]:
                counts["mixed pairs"] += 1
                counts["mixed pairs, parted"] += not same
                if same:
                    problems.append(
                        f"TOGETHER right {shown[one if right[one] else other]!r}, wrong "
                        f"{shown[other if right[one] else one]!r}"
                    )
    counts["panels"] += 1
    counts["panels, right"] += verdict.chosen is not None and right[verdict.chosen]
    if problems and misses > 0:
        print(row["id"], row["prompt"][:200].replace("\n", " "), "| gold:", row["gold"], *problems, sep="\n    ")
    return bool(problems)


def _calls(folder: Path, rows: list[Row], misses: int) -> dict[str, float]:
    checker = _checker(folder)
    counts: Counter[str] = Counter()
    for row in rows:
        functions = row["functions"] if isinstance(row["functions"], list) else [row["functions"]]
        schema = calls_schema([function["name"] for function in functions])
        for model, text in row["answers"].items():
            try:
                value = schemas.read(text, schema)
            except schemas.Misfit:
                value = None
            counts["read"] += value is not None
            verdict = value is not None and checker.check(
                [dict(call, arguments=dict(call["arguments"])) for call in value], functions, row["gold"]
            )
            counts["right"] += row["correct"][model]
            counts["right, kept"] += row["correct"][model] and verdict
            counts["wrong, found right"] += not row["correct"][model] and verdict
            counts["replies"] += 1
            if row["correct"][model] != verdict and misses > 0:
                misses -= 1
                print(row["id"], model, f"recorded {row['correct'][model]}", repr(text[:300]), value, sep="\n    ")
    return {
        "rows": len(rows),
        "read": counts["read"] / counts["replies"],
        "right_kept": counts["right, kept"] / counts["right"],
        "wrong_found_right": counts["wrong, found right"] / counts["replies"],
    }


def calls_schema(names: list[str]) -> dict[str, Any]:
    """Returns the schema of a list of calls of these functions."""
    call = {
        "type": "object",
        "properties": {"name": {"enum": names}, "arguments": {"type": "object"}},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }
    return {"type": "array", "items": call}


def _checker(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("bfcl_check", folder / "bfcl_check.py")
    if spec is None or spec.loader is None:
        sys.exit(f"no checker at {folder}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _intents(rows: list[Row], misses: int) -> dict[str, float]:
    counts: Counter[str] = Counter()
    for row in rows:
        for model, text in row["answers"].items():
            people = row["intent"][model] != "answer"
            said = intents.of(text, "stop", row["prompt"]) is Intent.REFUSAL
            counts[f"people {people}, said {said}"] += 1
            if people != said and misses > 0:
                misses -= 1
                print(row["id"], model, f"people: {row['intent'][model]}", repr(text[:500]), sep="\n    ")
    hits = counts["people True, said True"]
    return {
        "replies": sum(counts.values()),
        "precision": hits / max(1, hits + counts["people False, said True"]),
        "recall": hits / max(1, hits + counts["people True, said False"]),
        "f1": 2 * hits / max(1, 2 * hits + counts["people False, said True"] + counts["people True, said False"]),
    }


if __name__ == "__main__":
    main()
