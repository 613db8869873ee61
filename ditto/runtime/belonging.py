"""Whose job it is that has an id: a spare's id is handed out ahead of time, and may have become another request's job.

Jobs are tenants': what somebody may not see is as if it were not there. Whose a job is never changes.

Who gave a request to a holder and heard nothing looks into the journal under the id that he meant it to have. What
stands there is his own only if it was accepted with his request: a client never gets another one's answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from ditto.domain.events import JobAccepted, Recorded, decode, encode
from ditto.domain.job import Job, fold
from ditto.domain.spec import JobSpec
from ditto.errors import SpareTaken

_KNOWN = 10_000


class Owners:
    """Whose the jobs are that this process has met last."""

    def __init__(self) -> None:
        self._tenants: dict[str, str] = {}

    def note(self, job_id: str, tenant: str) -> None:
        """Remembers whose a job is."""
        if len(self._tenants) >= _KNOWN:
            del self._tenants[next(iter(self._tenants))]
        self._tenants[job_id] = tenant

    def knows(self, job_id: str, tenant: str) -> bool:
        """Tells whether the job is known to be this tenant's."""
        return self._tenants.get(job_id) == tenant


def own_job(job_id: str, records: Sequence[Recorded], spec: JobSpec) -> Job:
    """Returns the job of these records, which is that of this request.

    Args:
        records: At least one.

    Raises:
        SpareTaken: It is another request's.
    """
    first = records[0].event
    if not isinstance(first, JobAccepted) or first.spec != _journalled(spec):
        raise SpareTaken(f"{job_id} is another request's job")
    return fold(job_id, records)


def _journalled(spec: JobSpec) -> JobSpec:
    """Returns the request as the journal gives it back."""
    accepted = decode(encode(JobAccepted(spec=spec, holder="")))
    assert isinstance(accepted, JobAccepted)
    return accepted.spec
