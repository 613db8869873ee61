"""A job for a reader: the result, then how sure it is, who supports it, who dissents, and what it took."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ditto.cli import words
from ditto.domain.job import NOT_WAITED, JobState
from ditto.domain.verdict import BasisKind, Intent
from ditto.domain.view import JobView, StructuredView
from ditto.settings import SIMULATED

_BASIS = {
    BasisKind.COLD: "without a history of these models",
    BasisKind.HISTORY: "from the history of these models",
    BasisKind.CALIBRATED: "calibrated on answers known to be right or wrong",
    BasisKind.JUDGE: "with a judge",
}
_STYLES = {"dissent": "yellow", "review": "bold yellow", "failed": "red", "error": "bold red", "warning": "yellow"}
_LABEL_WIDTH = 12
SIMULATED_NOTE = "These are simulated models, no language models. `ditto models` shows how to ask real ones."


def show(job: JobView[Any]) -> None:
    """Prints the job on stdout: wrapped and coloured on a terminal, else as plain lines."""
    result = _result(job)
    if not sys.stdout.isatty():
        print("\n".join([*([result, ""] if result else []), *(f"{k:<{_LABEL_WIDTH}}{v}" for k, v in facts(job))]))
        return
    console = Console(highlight=False)
    if result:
        console.print(Padding(Text(result, style="bold"), (1, 0)))
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, fact in facts(job):
        table.add_row(label, Text(fact, style=_STYLES.get(label, "")))
    console.print(table)


def is_simulated(panel: Iterable[str]) -> bool:
    """Tells whether a simulated model is among these."""
    return any(name.startswith(f"{SIMULATED}/") for name in panel)


def facts(job: JobView[Any]) -> list[tuple[str, str]]:
    """Returns what there is to say besides the result, each with its label."""
    found: list[tuple[str, str]] = []
    if job.error is not None:
        found.append(("error", f"{job.error.type}: {words.one_line(job.error.message)}"))
    elif job.state is not JobState.COMPLETE:
        found.append(("state", str(job.state)))
    if job.structured is not None:
        found += _verdict(job.structured)
    for name, failure in job.errors.items():
        if failure.type != NOT_WAITED:
            found.append(("failed", f"{name}: {failure.type}: {words.one_line(failure.message)}"))
    found += _saved(job)
    found += [("warning", words.one_line(warning)) for warning in job.warnings]
    if job.timings is not None:
        total_s, slowest_s = job.timings.total / 1000, job.timings.slowest / 1000
        found.append(("time", f"{words.duration(total_s)}, the slowest model {words.duration(slowest_s)}"))
    found.append(("calls", _calls(job)))
    return [*found, ("job", job.job_id)]


def _result(job: JobView[Any]) -> str:
    return "" if job.state is not JobState.COMPLETE else words.value(job.result)


def _verdict(verdict: StructuredView) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if verdict.intent is not Intent.ANSWER:
        found.append(("intent", str(verdict.intent)))
    if verdict.answer is not None:
        found.append(("answer", words.short(verdict.answer)))
    found.append(("confidence", _confidence(verdict)))
    if verdict.agreement is not None:
        found.append(("agreement", words.share(verdict.agreement)))
    if verdict.supporting_models:
        found.append(("support", ", ".join(verdict.supporting_models)))
    by_field = any(field.dissent for field in verdict.fields.values())
    for dissent in verdict.dissent:
        if by_field and isinstance(dissent.answer, dict | list):
            continue  # what differs in it follows, field by field
        said = "another answer" if dissent.answer is None else words.short(dissent.answer)
        found.append(("dissent", f"{said} ({', '.join(dissent.models)}; {words.share(dissent.share)})"))
    for path, field in verdict.fields.items():
        for dissent in field.dissent:
            said = f"{path or 'the whole'}: {words.short(dissent.answer)}"
            found.append(("dissent", f"{said} ({', '.join(dissent.models)}; {words.share(dissent.share)})"))
    for intent, label in ((Intent.REFUSAL, "refused"), (Intent.CLARIFICATION, "asked back")):
        if models := [reply.model for reply in verdict.responses if reply.intent is intent]:
            found.append((label, ", ".join(models)))
    if verdict.judge is not None:
        judge = verdict.judge
        found.append(("judge", f"{judge.model} chose {judge.chosen}: {words.one_line(judge.reason)}".rstrip(": ")))
    if verdict.needs_review:
        found.append(("review", "needed: a person should look at this"))
    return found


def _confidence(verdict: StructuredView) -> str:
    if verdict.confidence is None:
        return "none: nothing here could be voted on"
    return f"{words.share(verdict.confidence)}, {_BASIS[verdict.basis.kind]}"


def _saved(job: JobView[Any]) -> list[tuple[str, str]]:
    """Returns who was not waited for, in one line for each reason."""
    by_reason: dict[str, list[str]] = {}
    for name, failure in job.errors.items():
        if failure.type == NOT_WAITED:
            by_reason.setdefault(failure.message, []).append(name)
    return [("saved", f"{', '.join(names)}: {words.one_line(reason)}") for reason, names in by_reason.items()]


def _calls(job: JobView[Any]) -> str:
    usage = job.usage
    said = words.count(usage.calls, "call")
    if usage.input_tokens is not None or usage.output_tokens is not None:
        said += f", {usage.input_tokens or 0:,} tokens in, {usage.output_tokens or 0:,} out"
    return said
