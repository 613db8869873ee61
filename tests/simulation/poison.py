"""Jobs whose merging kills the process that does it, as a reply may do that makes a parser run out of its stack."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ditto.domain import strategies
from ditto.domain.job import Job
from ditto.domain.verdict import Verdict
from tests.simulation.clockwork import ProcessLoop
from tests.simulation.plans import POISON


class ProcessDied(BaseException):
    """Unwinds what a process did when it died: nothing of it runs on."""


@contextmanager
def deadly(dies: Callable[[ProcessLoop, Job], None]) -> Iterator[None]:
    """Has every process that merges a poisonous job die on the spot; outside of processes merging goes well."""
    merge = strategies.verdict

    def verdict(job: Job) -> Verdict:
        loop = asyncio._get_running_loop()
        if isinstance(loop, ProcessLoop) and is_poison(job):
            dies(loop, job)
            raise ProcessDied
        return merge(job)

    strategies.verdict = verdict
    try:
        yield
    finally:
        strategies.verdict = merge


def is_poison(job: Job) -> bool:
    return POISON in str(job.spec.metadata["tag"])
