"""The journals of all jobs as they stand in the store, read past Ditto's own classes, from SQLite or PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from ditto.domain import events as ev
from ditto.domain.events import Recorded, decode
from ditto.domain.spec import JobSpec
from ditto.store.tables import events, from_us, jobs, to_us

_AWAY_S = 10.0
_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenJob:
    """A job that has not ended, as the index has it."""

    job_id: str
    holder: str
    age_s: float


class Store:
    """The store under test, read only.

    Args:
        where: The file of a SQLite journal, or a PostgreSQL address.
    """

    def __init__(self, where: str) -> None:
        self._engine = _engine(where)

    def open_jobs(self) -> list[OpenJob]:
        """Returns the jobs that have not ended, oldest first."""
        rows = self._rows(
            select(jobs.c.job_id, jobs.c.holder, jobs.c.created_us).where(jobs.c.state.in_(("pending", "running")))
        )
        now_us = to_us(datetime.now(UTC))
        aged = [OpenJob(job_id=row.job_id, holder=row.holder, age_s=(now_us - row.created_us) / 1e6) for row in rows]
        return sorted(aged, key=lambda job: -job.age_s)

    def case_numbers(self, job_ids: Sequence[str]) -> list[int]:
        """Returns the numbers of the cases that these jobs are for."""
        return [int(spec.metadata["case"]) for spec in self._specs(job_ids).values()]

    def prompts(self, job_ids: Sequence[str]) -> dict[str, str]:
        """Returns what each of these jobs asks."""
        return {job_id: spec.messages[-1].content for job_id, spec in self._specs(job_ids).items()}

    def first_event_after(self, job_ids: Sequence[str], at: float) -> float | None:
        """Returns the Unix time of the first event of these jobs after `at`, None where there is none yet."""
        query = (
            select(events.c.at_us)
            .where(events.c.job_id.in_(list(job_ids)), events.c.at_us > round(at * 1e6))
            .order_by(events.c.at_us)
            .limit(1)
        )
        found = self._rows(query)
        return found[0].at_us / 1e6 if found else None

    def running_calls(self, job_ids: Sequence[str]) -> list[tuple[str, str, str]]:
        """Returns `(job, call, caller)` for each call of these jobs that has begun and not ended."""
        query = select(events.c.job_id, events.c.body).where(events.c.job_id.in_(list(job_ids))).order_by(events.c.seq)
        running: dict[tuple[str, str], str] = {}
        for row in self._rows(query):
            match decode(row.body):
                case ev.CallStarted(call=call, caller=caller):
                    running[row.job_id, call] = caller
                case ev.CallCompleted(call=call) | ev.CallFailed(call=call):
                    running.pop((row.job_id, call), None)
        return [(job_id, call, caller) for (job_id, call), caller in running.items()]

    def journals(self) -> dict[str, list[Recorded]]:
        """Returns every job's events in order.

        Raises:
            sqlalchemy.exc.DatabaseError: The store cannot be read.
        """
        query = select(events.c.job_id, events.c.seq, events.c.at_us, events.c.body)
        found: dict[str, list[Recorded]] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(query.order_by(events.c.job_id, events.c.seq)):
                record = Recorded(seq=row.seq, at=from_us(row.at_us), event=decode(row.body))
                found.setdefault(row.job_id, []).append(record)
        return found

    def _specs(self, job_ids: Sequence[str]) -> dict[str, JobSpec]:
        query = select(events.c.job_id, events.c.body).where(events.c.job_id.in_(list(job_ids)), events.c.seq == 1)
        accepted = {row.job_id: decode(row.body) for row in self._rows(query)}
        return {job_id: event.spec for job_id, event in accepted.items() if isinstance(event, ev.JobAccepted)}

    def _rows(self, query: Any) -> Sequence[Any]:
        """Returns what is found; while the store is being opened or begun again, waits for it a little."""
        until = time.monotonic() + _AWAY_S
        while True:
            try:
                with self._engine.connect() as connection:
                    return connection.execute(query).all()
            except OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(_PAUSE_S)


def _engine(where: str) -> Engine:
    if "://" in where:
        address = where.replace("postgresql://", "postgresql+psycopg://", 1)
        return create_engine(address, poolclass=NullPool, connect_args={"options": "-csearch_path=ditto"})
    return create_engine(f"sqlite:///file:{Path(where)}?mode=ro&uri=true", poolclass=NullPool)
