"""A job that kills whoever takes it up: what its journal shows, and how it is taken up next.

A reply may be such that merging it ends the process. The process comes back, adopts its jobs and dies again, and with
it a thousand others. Each adoption is an event, so the journal of such a job ends in adoptions that nothing followed.
After the second it is taken up apart from others, after the third in a process of its own, and when that has died as
well it is given up. A holder that lived for a minute was not killed by what it had adopted (`job.STALL_S`).
"""

from __future__ import annotations

from enum import Enum

from ditto.domain.job import Job

_SUSPECT = 2
_ALONE = 3


class Handling(Enum):
    """How a job is to be adopted."""

    TOGETHER = "with all others"
    APART = "when the one before has shown that it does no harm"
    ALONE = "in a process of its own"
    NOT = "no more: it is a crash loop"


def handling(job: Job) -> Handling:
    """Returns how a job that nobody runs is to be taken up."""
    if job.stalls < _SUSPECT:
        return Handling.TOGETHER
    if job.stalls < _ALONE:
        return Handling.APART
    return Handling.ALONE if job.stalls == _ALONE else Handling.NOT
