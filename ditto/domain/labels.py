"""What somebody's word on a result says of its confidence: the task, how sure the result was, and whether it is right.

A task is named by the caller, as `metadata.task`: confidences are corrected task by task, since a correction that was
learned on one task makes another's worse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ditto.domain.job import Completed, Job
from ditto.domain.spec import JSON, JobSpec
from ditto.domain.tenants import DEFAULT
from ditto.domain.verdict import Ballot, Verdict

TASK = "task"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One result that was judged; `confidence` is what was stated before any correction."""

    task: str
    confidence: float
    right: bool


def task_of(metadata: Mapping[str, JSON], tenant: str) -> str | None:
    """Returns the task that a job's metadata name, None where they name none; one tenant's is no other's."""
    task = metadata.get(TASK)
    if not isinstance(task, str) or not task:
        return None
    return task if tenant == DEFAULT else f"{tenant}/{task}"


def label_of(job: Job) -> Label | None:
    """Returns what the last feedback says, None where there is none, or no task, or no confidence to correct."""
    task = task_of(job.spec.metadata, job.spec.tenant)
    if task is None or job.feedback is None or not isinstance(job.outcome, Completed):
        return None
    verdict = job.outcome.verdict
    stated = verdict.confidence if verdict.basis.uncalibrated is None else verdict.basis.uncalibrated
    if stated is None:
        return None
    said = job.feedback
    right = said.correct if said.correct is not None else _same(job.spec, verdict, said.answer)
    return Label(task=task, confidence=stated, right=right)


def _same(spec: JobSpec, verdict: Verdict, answer: JSON) -> bool:
    """Tells whether a result is this answer: by value with a schema, else as the panel's own replies are compared."""
    from ditto.domain import merging  # heavy, and needed where somebody has given an answer
    from ditto.domain.merging import values

    if spec.schema is not None:
        return values.key(verdict.result) == values.key(answer)
    given = verdict.answer if verdict.answer is not None else verdict.result
    ballots = [
        Ballot(call=name, model=name, text=_text(value)) for name, value in (("result", given), ("said", answer))
    ]
    kind = spec.answer if spec.answer is not None else verdict.kind
    both = merging.merge(spec.question, ballots, schema=None, answer=kind, review_threshold=0.0)
    return both.agreement == 1.0


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
