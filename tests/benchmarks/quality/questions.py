"""The recorded questions as requests: what a user would send, and the replies as a job hands them to the merge."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ditto.domain import schemas
from ditto.domain.verdict import Ballot
from ditto.errors import Misfit
from ditto.providers.reply_text import without_thinking
from tests.benchmarks.quality import functions

CHECKABLE = {
    "gsm8k": "gsm8k_zeroeval.jsonl.gz",
    "mmlu_pro": "mmlu_pro.jsonl.gz",
    "crux": "crux.jsonl.gz",
    "bfcl": "bfcl.jsonl.gz",
    "evouna": "evouna_nq.jsonl.gz",
}
INTENTS = "xstest_intent.jsonl.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One recorded question.

    Attributes:
        ballots: Of every recorded model whose reply a job could use, by the model's name.
        right: Whether each model's reply is right.
        row: As recorded.
    """

    id: str
    prompt: str
    schema: dict[str, Any] | None
    ballots: Mapping[str, Ballot]
    right: Mapping[str, bool]
    row: Mapping[str, Any]

    def panel(self, models: Sequence[str]) -> list[Ballot]:
        """Returns the usable replies of these models, in their order."""
        return [self.ballots[model] for model in models if model in self.ballots]


@lru_cache(maxsize=8)
def rows(file: Path) -> tuple[dict[str, Any], ...]:
    """Returns the rows of one recorded file."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return tuple(json.loads(line) for line in lines)


def load(data: Path, name: str) -> list[Question]:
    """Returns the questions of one checkable set."""
    return [_question(row) for row in rows(data / CHECKABLE[name])]


def _question(row: dict[str, Any]) -> Question:
    schema = functions.schema(row["functions"]) if "functions" in row else None
    made = {model: _ballot(model, str(text), schema) for model, text in row["answers"].items()}
    return Question(
        id=row["id"],
        prompt=row["prompt"],
        schema=schema,
        ballots={model: ballot for model, ballot in made.items() if ballot is not None},
        right={model: bool(said) for model, said in row["correct"].items()},
        row=row,
    )


def _ballot(model: str, raw: str, schema: dict[str, Any] | None) -> Ballot | None:
    """Returns a reply as a job hands it to the merge, None where it has no text or misses the schema."""
    text = without_thinking(raw)
    if not text:
        return None
    if schema is None:
        return Ballot(call=model, model=model, text=text)
    try:
        return Ballot(call=model, model=model, text=text, value=schemas.read(text, schema))
    except Misfit:
        return None
