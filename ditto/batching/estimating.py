"""What a batch would ask: rows, calls and tokens, counted without asking anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ditto.batching import places, records
from ditto.batching.reading import records as rows_of
from ditto.batching.records import Done
from ditto.batching.source import BadRow, Row, Source
from ditto.batching.staging import published, working_path
from ditto.batching.work import Plan
from ditto.domain.request import Request

_CHARS_A_TOKEN = 4
"""Of English text; other languages and code take more tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What would be asked.

    Attributes:
        done: Rows that are in the output already, and stay.
        bad: Rows that cannot be asked.
        calls: To all models, without tries again; None where only the service knows its panel.
        input_tokens: Of all calls, by the length of the prompts.
        output_tokens: Likewise, by the mean of the rows that are there; None without any.
    """

    rows: int
    done: int
    bad: int
    to_ask: int
    first_problem: str | None
    calls: int | None
    input_tokens: int | None
    output_tokens: int | None


def estimated(plan: Plan, calls: Callable[[Request], int | None]) -> Estimate:
    """Returns what a batch would ask.

    Args:
        calls: Returns how many calls a request makes, None where only the service knows.

    Raises:
        ConfigurationError: The input cannot be read, or the output is none of a batch's.
    """
    earlier, tokens_a_call = _earlier(plan.output)
    count = _Count(calls)
    with Source(places.listed(plan.source, plan.output), plan.reading) as source:
        for row in source.each():
            before = earlier.get(row.id)
            same = before is not None and before.key == records.row_key(plan.options.name, row)
            again = before is not None and before.state != records.COMPLETE and plan.options.retry_failed
            count.add(row, stays=same and not again)
    return count.estimate(tokens_a_call)


class _Count:
    def __init__(self, calls: Callable[[Request], int | None]) -> None:
        self._calls_of = calls
        self._rows = self._done = self._bad = self._asked = self._characters = 0
        self._first_problem: str | None = None
        self._calls: int | None = 0

    def add(self, row: Row | BadRow, *, stays: bool) -> None:
        self._rows += 1
        if stays:
            self._done += 1
        elif isinstance(row, BadRow):
            self._bad += 1
            self._first_problem = self._first_problem or f"line {row.line}: {row.problems[0]['message']}"
        else:
            self._asked += 1
            calls = self._calls_of(row.request)
            self._calls = None if self._calls is None or calls is None else self._calls + calls
            self._characters += _length(row.request) * (calls or 0)

    def estimate(self, tokens_a_call: float | None) -> Estimate:
        calls = self._calls
        return Estimate(
            rows=self._rows,
            done=self._done,
            bad=self._bad,
            to_ask=self._asked,
            first_problem=self._first_problem,
            calls=calls,
            input_tokens=None if calls is None else self._characters // _CHARS_A_TOKEN,
            output_tokens=None if calls is None or tokens_a_call is None else round(calls * tokens_a_call),
        )


def _earlier(output: str) -> tuple[dict[str, Done], float | None]:
    """Returns what the output has, and how many tokens a call has answered with there."""
    found: dict[str, Done] = {}
    calls = tokens = 0
    for record in _there(output):
        found[str(record["id"])] = records.done(record)
        usage: Mapping[str, Any] = record.get("usage") or {}
        if usage.get("outputTokens") is not None:
            calls += usage["calls"]
            tokens += usage["outputTokens"]
    return found, tokens / calls if calls else None


def _there(output: str) -> Iterator[Mapping[str, Any]]:
    if places.is_pipe(output):
        return
    working = working_path(output)
    if working.exists():
        (file,) = places.listed(str(working), "")
        yield from (row.columns for row in rows_of(file, None) if row.columns is not None)
    else:
        yield from published(output) or ()


def _length(request: Request) -> int:
    turns = sum(len(turn.content) for turn in request.messages or [])
    return len(request.prompt or "") + turns + len(request.system or "")
