"""Recorded replies of real models, given again word for word to the prompts that they were given to."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ditto.sim.asked import Asked, Fault, Refused, digest

_REMEMBERED = 4096


@dataclass(slots=True)
class Replay:
    """Recorded replies by prompt.

    Attributes:
        rows: {prompt: {model: reply}}; where a prompt was recorded twice, a model's first reply counts.
        models: All that have a reply somewhere, in the order of the file.
    """

    rows: dict[str, dict[str, str]]
    models: tuple[str, ...]
    _longest_first: list[str] = field(default_factory=list)
    _found: dict[str, str | None] = field(default_factory=dict)

    def reply(self, model: str, asked: Asked) -> str:
        """Returns what the model once replied to the newest user's message that holds a recorded prompt.

        Raises:
            Refused: No recorded prompt is in the request, or this model has no reply to it.
        """
        messages = [turn.text for turn in reversed(asked.turns) if turn.role == "user"]
        prompt = next((found for text in messages if (found := self._prompt_in(text)) is not None), None)
        if prompt is None:
            shown = messages[0][:80] if messages else ""
            raise Refused(Fault.NO_ROW, f"No recorded prompt is contained in the last user message: {shown!r}", model)
        recorded = self.rows[prompt].get(model)
        if recorded is None:
            raise Refused(Fault.NO_ROW, f"No reply of {model} is recorded for the prompt {prompt[:80]!r}", model)
        return recorded

    def _prompt_in(self, text: str) -> str | None:
        if text in self.rows:
            return text
        key = digest(text)
        if key not in self._found:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            self._found[key] = next((prompt for prompt in self._longest_first if prompt in text), None)
        return self._found[key]


def load(path: Path) -> Replay:
    """Returns the replies in a file of JSON lines, gzipped or not: `prompt` and `answers` {model: reply} in each row.

    Raises:
        ValueError: A line is no such row; the message names file and line.
        OSError: The file cannot be read.
    """
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            return of_lines(lines, str(path))
    with path.open(encoding="utf-8") as lines:
        return of_lines(lines, str(path))


def of_lines(lines: Iterable[str], source: str) -> Replay:
    """Returns the replies in these JSON lines.

    Raises:
        ValueError: A line is no such row.
    """
    rows: dict[str, dict[str, str]] = {}
    models: dict[str, None] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        prompt, answers = _row(line, f"{source}, line {number}")
        known = rows.setdefault(prompt, {})
        for model, reply in answers.items():
            known.setdefault(model, reply)
            models[model] = None
    return Replay(rows=rows, models=tuple(models), _longest_first=sorted(rows, key=len, reverse=True))


def _row(line: str, where: str) -> tuple[str, dict[str, str]]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ValueError(f"{where}: not JSON ({error})") from None
    prompt, answers = (row.get("prompt"), row.get("answers")) if isinstance(row, dict) else (None, None)
    if not isinstance(prompt, str) or not prompt or not isinstance(answers, dict):
        raise ValueError(f"{where}: a row needs a prompt (text) and answers (object of model: reply)")
    if not all(isinstance(reply, str) for reply in answers.values()):
        raise ValueError(f"{where}: every answer must be a text")
    return prompt, answers
