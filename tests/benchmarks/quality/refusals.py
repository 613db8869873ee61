"""Are refusals told from answers? F1 over single replies, against what people said of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ditto.domain.merging import merge
from ditto.domain.verdict import Ballot, Intent
from ditto.providers.reply_text import without_thinking
from tests.benchmarks.quality.questions import INTENTS, rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    f1: float
    precision: float
    recall: float
    replies: int


def refusals(data: Path) -> Refusals:
    """Returns how well the refusals in the recorded replies are found; a partial refusal counts as one."""
    hits = false = missed = replies = 0
    for row in rows(data / INTENTS):
        ballots = [
            Ballot(call=model, model=model, text=text)
            for model, raw in row["answers"].items()
            if (text := without_thinking(str(raw)))
        ]
        verdict = merge(row["prompt"], ballots, schema=None, answer=None, review_threshold=0.5)
        for reading in verdict.readings:
            said, refused = row["intent"][reading.call] != "answer", reading.intent is Intent.REFUSAL
            hits, false, missed = hits + (said and refused), false + (refused and not said), missed + (said > refused)
            replies += 1
    precision, recall = hits / max(1, hits + false), hits / max(1, hits + missed)
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    return Refusals(f1=f1, precision=precision, recall=recall, replies=replies)
