"""From an older schema to this one, a step for each number; all steps that are wanted run in one transaction.

A step says what it does in the words of its own time, not by the tables as they are today.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from ditto.store.tables import label, label_rows, text_of, to_us

_STEP_ROWS = 500


def migrate(connection: Connection, version: int) -> None:
    """Brings tables of this version, 1 or more, to the newest."""
    for number, step in STEPS:
        if number > version:
            step(connection)


def _index_by_what_ended(connection: Connection) -> None:
    """2: events say which version wrote them; the index knows deadline, end, batch and number; texts stay where put."""
    for statement in _TABLES_OF_2:
        connection.exec_driver_sql(statement)
    old = connection.exec_driver_sql(
        "SELECT o.*, (SELECT max(seq) FROM events e WHERE e.job_id = o.job_id) AS seq, "
        "(SELECT body FROM events e WHERE e.job_id = o.job_id AND e.seq = 1) AS accepted FROM jobs_1 o ORDER BY job_id"
    )
    while rows := old.fetchmany(_STEP_ROWS):
        connection.exec_driver_sql(_INSERT_JOB_2, [_job_2(row) for row in rows])
        found = [line for row in rows for line in label_rows(row.job_id, row.created_us, json.loads(row.metadata))]
        if found:
            connection.exec_driver_sql("INSERT INTO labels VALUES (:label, :created_us, :job_id)", found)
    for statement in _END_OF_2:
        connection.exec_driver_sql(statement)


def _job_2(row: Any) -> tuple[Any, ...]:
    batch = json.loads(row.metadata).get("batch")
    try:
        deadline_us = to_us(datetime.fromisoformat(json.loads(row.accepted)["spec"]["deadline_at"]))
    except (TypeError, ValueError, KeyError):
        deadline_us = row.created_us  # its first event cannot be read, so nothing can be done with the job
    return (
        row.job_id,
        row.seq or 0,
        row.state,
        row.holder,
        row.created_us,
        row.updated_us,
        deadline_us,
        None if row.open else row.updated_us,
        row.needs_review,
        None if batch is None else label("batch", text_of(batch)),
    )


_TABLES_OF_2 = (
    "ALTER TABLE events RENAME TO events_1",
    "ALTER TABLE keys RENAME TO keys_1",
    "ALTER TABLE jobs RENAME TO jobs_1",
    "DROP INDEX jobs_newest",
    "DROP INDEX jobs_open",
    """CREATE TABLE events (job_id VARCHAR NOT NULL, seq INTEGER NOT NULL, append_id VARCHAR NOT NULL,
    at_us BIGINT NOT NULL, kind VARCHAR NOT NULL, version VARCHAR NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (job_id, seq))""",
    "CREATE TABLE keys (key VARCHAR NOT NULL, job_id VARCHAR NOT NULL, fingerprint TEXT NOT NULL, PRIMARY KEY (key))",
    """CREATE TABLE jobs (job_id VARCHAR NOT NULL, seq INTEGER NOT NULL, state VARCHAR NOT NULL,
    holder VARCHAR NOT NULL, created_us BIGINT NOT NULL, updated_us BIGINT NOT NULL, deadline_us BIGINT NOT NULL,
    ended_us BIGINT, needs_review BOOLEAN NOT NULL, batch VARCHAR, PRIMARY KEY (job_id)) WITHOUT ROWID""",
    """CREATE TABLE labels (label VARCHAR NOT NULL, created_us BIGINT NOT NULL, job_id VARCHAR NOT NULL,
    PRIMARY KEY (label, created_us, job_id)) WITHOUT ROWID""",
    "CREATE TABLE sought (hexed_id VARCHAR NOT NULL, PRIMARY KEY (hexed_id))",
    """INSERT INTO events (job_id, seq, append_id, at_us, kind, version, body)
    SELECT job_id, seq, append_id, at_us, kind, '', body FROM events_1 ORDER BY job_id, seq""",
    "INSERT INTO keys (key, job_id, fingerprint) SELECT key, job_id, fingerprint FROM keys_1",
)
_INSERT_JOB_2 = """INSERT INTO jobs (job_id, seq, state, holder, created_us, updated_us, deadline_us, ended_us,
    needs_review, batch) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_END_OF_2 = (
    "DROP TABLE events_1",
    "DROP TABLE keys_1",
    "DROP TABLE jobs_1",
    "CREATE INDEX jobs_newest ON jobs (created_us DESC, job_id DESC)",
    "CREATE INDEX jobs_open ON jobs (holder) WHERE ended_us IS NULL",
    "CREATE INDEX jobs_ended ON jobs (ended_us) WHERE ended_us IS NOT NULL",
    "CREATE INDEX jobs_batch ON jobs (batch, ended_us) WHERE batch IS NOT NULL",
    "CREATE INDEX labels_job ON labels (job_id)",
    "CREATE INDEX keys_job ON keys (job_id)",
)


def _keep_skills(connection: Connection) -> None:
    """3: what was learned of the models is kept."""
    blob = "BYTEA" if connection.dialect.name == "postgresql" else "BLOB"
    connection.exec_driver_sql(
        f"CREATE TABLE skills (version INTEGER NOT NULL, since_us BIGINT NOT NULL, body {blob} NOT NULL, "
        "PRIMARY KEY (version))"
    )


def _index_by_what_was_judged(connection: Connection) -> None:
    """4: the index knows when somebody last said something of a job's result."""
    for statement in (
        "ALTER TABLE jobs ADD COLUMN judged_us BIGINT",
        "UPDATE jobs SET judged_us = (SELECT at_us FROM events e WHERE e.job_id = jobs.job_id "
        "AND e.kind = 'job.feedback' ORDER BY seq DESC LIMIT 1) WHERE updated_us > ended_us",
        "CREATE INDEX jobs_judged ON jobs (judged_us) WHERE judged_us IS NOT NULL",
    ):
        connection.exec_driver_sql(statement)


def _give_jobs_to_tenants(connection: Connection) -> None:
    """5: jobs and idempotency keys are a tenant's; tenants have keys, limits, and what they have used."""
    postgres = connection.dialect.name == "postgresql"
    name = 'VARCHAR COLLATE "C"' if postgres else "VARCHAR"
    for statement in (*_JOBS_OF_5, *(_KEYS_OF_5_POSTGRES if postgres else _KEYS_OF_5), *_TABLES_OF_5):
        connection.exec_driver_sql(statement.format(name=name))


_JOBS_OF_5 = (
    "ALTER TABLE jobs ADD COLUMN tenant {name} NOT NULL DEFAULT 'default'",
    "DROP INDEX jobs_newest",
    "CREATE INDEX jobs_newest ON jobs (tenant, created_us DESC, job_id DESC)",
    "CREATE INDEX jobs_running ON jobs (tenant) WHERE ended_us IS NULL",
)
_KEYS_OF_5 = (
    "ALTER TABLE keys RENAME TO keys_4",
    """CREATE TABLE keys (tenant {name} NOT NULL DEFAULT 'default', key {name} NOT NULL, job_id {name} NOT NULL,
    fingerprint TEXT NOT NULL, PRIMARY KEY (tenant, key))""",
    "INSERT INTO keys (tenant, key, job_id, fingerprint) SELECT 'default', key, job_id, fingerprint FROM keys_4",
    "DROP TABLE keys_4",
    "CREATE INDEX keys_job ON keys (job_id)",
)
_KEYS_OF_5_POSTGRES = (
    "ALTER TABLE keys ADD COLUMN tenant {name} NOT NULL DEFAULT 'default'",
    "ALTER TABLE keys DROP CONSTRAINT keys_pkey, ADD PRIMARY KEY (tenant, key)",
)
_TABLES_OF_5 = (
    "CREATE TABLE tenants (name {name} NOT NULL, allowance TEXT NOT NULL, PRIMARY KEY (name))",
    """CREATE TABLE access_keys (id {name} NOT NULL, tenant {name} NOT NULL, digest VARCHAR NOT NULL,
    label TEXT NOT NULL, created_us BIGINT NOT NULL, revoked_us BIGINT, PRIMARY KEY (id))""",
    """CREATE TABLE usage (tenant {name} NOT NULL, day INTEGER NOT NULL, part INTEGER NOT NULL, calls BIGINT NOT NULL,
    tokens BIGINT NOT NULL, PRIMARY KEY (tenant, day, part))""",
)


STEPS: tuple[tuple[int, Callable[[Connection], None]], ...] = (
    (2, _index_by_what_ended),
    (3, _keep_skills),
    (4, _index_by_what_was_judged),
    (5, _give_jobs_to_tenants),
)
"""The number is the schema's after the step. PostgreSQL has begun with 2."""
