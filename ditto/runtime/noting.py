"""The end of a job is noted: a line in the log and some counts, without anything of what was asked, and a trace."""

from __future__ import annotations

import logging

from ditto.domain import view
from ditto.domain.job import Completed, Job
from ditto.runtime import tracing
from ditto.runtime.measures import count_job
from ditto.tally import Tally

_log = logging.getLogger("ditto.jobs")


def note_end(job: Job, tally: Tally) -> None:
    """Notes a job that has ended."""
    count_job(tally, job)
    tracing.job_ended(job)
    if not _log.isEnabledFor(logging.INFO):
        return
    used = view.usage(job)
    verdict = job.outcome.verdict if isinstance(job.outcome, Completed) else None
    fields = {
        "job_id": job.id,
        "tenant": job.spec.tenant,
        "state": str(job.state),
        "strategy": str(job.spec.strategy),
        "host": job.holder,
        "models": [call.name for call in job.spec.calls],
        "failed": {name: failure.type for name, failure in job.failures().items()},
        "calls": used["calls"],
        "input_tokens": used["inputTokens"],
        "output_tokens": used["outputTokens"],
        "total_ms": None if job.ended_at is None else round((job.ended_at - job.begun_at).total_seconds() * 1000, 1),
        "confidence": None if verdict is None else verdict.confidence,
        "needs_review": None if verdict is None else verdict.needs_review,
    }
    _log.info("job ended", extra=fields)
