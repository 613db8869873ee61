"""Recorded arithmetic replayed over HTTP: is the merged answer right more often than the models alone?

`python -m tests.benchmarks.replay --data ../shared/data [--json FILE] [--quick]` starts simulated models that replay
the recorded replies and a service that asks them, sends each question to eight models, and counts: the merged answer
is right when the reply that it is was right. Beside it the mean and the best single model, and a plurality over the
answers that another reader has parsed out of the same replies, which knows nothing of Ditto.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import random
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ditto import AsyncDitto, JobView
from tests.acceptance.conftest import service, simulated_models

SET = "gsm8k_zeroeval.jsonl.gz"
ROWS, QUICK_ROWS, PANEL = 50, 10, 8
SEED = 20261
AT_ONCE = 8


def sampled(data: Path, rows: int) -> tuple[list[dict[str, Any]], list[str]]:
    """Returns questions and a panel, drawn by a fixed seed."""
    with gzip.open(data / SET, "rt", encoding="utf-8") as lines:
        recorded = [json.loads(line) for line in lines]
    draw = random.Random(SEED)
    chosen = draw.sample(recorded, rows)
    everywhere = sorted(set.intersection(*(set(row["answers"]) for row in recorded)))
    return chosen, sorted(draw.sample(everywhere, PANEL))


async def merged(url: str, rows: list[dict[str, Any]], panel: list[str]) -> list[JobView[str]]:
    """Returns the service's answer to each question."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(client: AsyncDitto, row: dict[str, Any]) -> JobView[str]:
        async with gate:
            return await client.ask(row["prompt"], models=[f"sim/{model}" for model in panel])

    async with AsyncDitto(url) as client:
        return await asyncio.gather(*(ask(client, row) for row in rows))


def plurality(row: dict[str, Any], panel: Iterable[str]) -> str | None:
    """Returns the commonest parsed answer, of the first model among equals."""
    parsed = [str(row["parsed"][model]) for model in panel if row["parsed"].get(model) is not None]
    return Counter(parsed).most_common(1)[0][0] if parsed else None


def measure(data: Path, rows: int) -> dict[str, Any]:
    """Returns the accuracies."""
    questions, panel = sampled(data, rows)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (
            simulated_models(folder, "--replay", str(data / SET), "--latency", "0") as sim,
            service(folder, sim) as serving,
        ):
            answers = asyncio.run(merged(serving.url, questions, panel))
    verdicts = [answer.structured for answer in answers if answer.structured is not None]
    right = [
        bool(row["correct"][str(verdict.chosen_model).removeprefix("sim/")])
        for row, verdict in zip(questions, verdicts, strict=True)
    ]
    single = {model: sum(bool(row["correct"][model]) for row in questions) / rows for model in panel}
    confidences = [verdict.confidence or 0.0 for verdict in verdicts]
    return {
        "rows": rows,
        "panel": panel,
        "merged": sum(right) / rows,
        "mean_single": sum(single.values()) / len(single),
        "best_single": max(single.values()),
        "plurality": sum(plurality(row, panel) == str(row["gold"]) for row in questions) / rows,
        "mean_confidence": sum(confidences) / rows,
        "failed_calls": sum(len(answer.errors) for answer in answers),
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="the folder of recorded answers")
    parser.add_argument("--json", type=Path, help="write the same figures there")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS} rows")
    options = parser.parse_args()
    figures = measure(options.data, QUICK_ROWS if options.quick else ROWS)
    for name, value in figures.items():
        print(f"{name:16} {value}")
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
