"""How jobs go from the tables: one that is forgotten, and those that are past retention."""

from __future__ import annotations

from sqlalchemy import Connection, delete, exists, select

from ditto.store.tables import day_of, events, from_us, holders, jobs, keys, labels, usage


def expired(connection: Connection, before_us: int, limit: int) -> list[str]:
    other = jobs.alias()
    same = other.c.batch == jobs.c.batch
    unfinished = exists().where(same, other.c.ended_us.is_(None))
    later = exists().where(same, other.c.ended_us >= before_us)  # apart, so that an index answers each
    query = (
        select(jobs.c.job_id)
        .where(jobs.c.ended_us < before_us, ~unfinished, ~later)
        .order_by(jobs.c.ended_us, jobs.c.job_id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def expire(connection: Connection, before_us: int, job_ids: list[str]) -> int:
    """Removes those of the jobs that have not been taken up again, nor are being removed by another process.

    What was used before that day goes too.
    """
    ended = select(jobs.c.job_id).where(jobs.c.job_id.in_(job_ids), jobs.c.ended_us < before_us)
    gone = list(connection.execute(ended.with_for_update(skip_locked=True)).scalars())
    remove(connection, gone)
    connection.execute(delete(usage).where(usage.c.day < day_of(from_us(before_us))))
    return len(gone)


def remove(connection: Connection, job_ids: list[str]) -> None:
    for table in (events, keys, labels, jobs):
        connection.execute(delete(table).where(table.c.job_id.in_(job_ids)))
    connection.execute(delete(holders).where(holders.c.name.in_([f"job:{job_id}" for job_id in job_ids])))
