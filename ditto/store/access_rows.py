"""Keys, tenants and their usage in the database."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any, Protocol, TypeVar

from pydantic import ValidationError
from sqlalchemy import Connection, Dialect, delete, func, insert, select, update
from sqlalchemy.dialects import sqlite

from ditto.domain import events as ev
from ditto.domain.access_keys import AccessKey
from ditto.domain.tenants import Allowance
from ditto.errors import JournalUnreadable
from ditto.store.access import Register, Usage
from ditto.store.port import Append
from ditto.store.tables import access_keys, day_of, from_us, jobs, tenants, to_us, usage

T = TypeVar("T")
Row = dict[str, Any]
_PARTS = 16


class Work(Protocol):
    """Does something with a connection of the journal's."""

    def __call__(self, run: Callable[[Connection], T], /) -> Awaitable[T]: ...


class SqlAccess:
    """An `Access` in an SQL journal.

    Args:
        read: Runs a query.
        write: Runs a change, in a transaction.
    """

    def __init__(self, read: Work, write: Work) -> None:
        self._read = read
        self._write = write

    async def register(self) -> Register:
        return await self._read(_register)

    async def add(self, key: AccessKey) -> None:
        row = {
            "id": key.id,
            "tenant": key.tenant,
            "digest": key.digest,
            "label": key.label,
            "created_us": to_us(key.created_at),
            "revoked_us": None if key.revoked_at is None else to_us(key.revoked_at),
        }
        await self._write(lambda connection: connection.execute(insert(access_keys), row).rowcount)

    async def revoke(self, key_id: str, at: datetime) -> bool:
        revoked_us = func.coalesce(access_keys.c.revoked_us, to_us(at))
        change = update(access_keys).where(access_keys.c.id == key_id).values(revoked_us=revoked_us)
        return bool(await self._write(lambda connection: connection.execute(change).rowcount))

    async def allow(self, tenant: str, allowance: Allowance) -> None:
        row = {"name": tenant, "allowance": allowance.model_dump_json(exclude_none=True)}

        def run(connection: Connection) -> None:
            connection.execute(delete(tenants).where(tenants.c.name == tenant))
            connection.execute(insert(tenants), row)

        await self._write(run)

    async def running(self, tenant: str) -> int:
        query = select(func.count()).where(jobs.c.tenant == tenant, jobs.c.ended_us.is_(None))
        return int(await self._read(lambda connection: connection.execute(query).scalar_one()))

    async def used(self, tenant: str, at: datetime) -> Usage:
        sums = (func.coalesce(func.sum(column), 0) for column in (usage.c.calls, usage.c.tokens))
        query = select(*sums).where(usage.c.tenant == tenant, usage.c.day == day_of(at))
        calls, tokens = await self._read(lambda connection: connection.execute(query).one())
        return Usage(calls=int(calls), tokens=int(tokens))


def _register(connection: Connection) -> Register:
    found = connection.execute(select(access_keys).order_by(access_keys.c.created_us, access_keys.c.id)).all()
    allowances = {}
    for row in connection.execute(select(tenants).order_by(tenants.c.name)).all():
        try:
            allowances[row.name] = Allowance.model_validate_json(row.allowance)
        except ValidationError as error:
            raise JournalUnreadable(f"what tenant {row.name} may do is nothing that this version knows") from error
    return Register(keys=tuple(_key(row) for row in found), allowances=allowances)


def _key(row: Any) -> AccessKey:
    return AccessKey(
        id=row.id,
        tenant=row.tenant,
        digest=row.digest,
        label=row.label,
        created_at=from_us(row.created_us),
        revoked_at=None if row.revoked_us is None else from_us(row.revoked_us),
    )


def usage_rows(append: Append) -> list[Row]:
    """Returns what these events add to a tenant's usage, a row for each day on which they happened."""
    if append.payer is None:
        return []
    rows: dict[int, Row] = {}
    for at, event in append.events:
        calls, tokens = _spent(event)
        if calls or tokens:
            empty = {"tenant": append.payer, "day": day_of(at), "part": os.getpid() % _PARTS, "calls": 0, "tokens": 0}
            row = rows.setdefault(day_of(at), empty)
            row["calls"] += calls
            row["tokens"] += tokens
    return list(rows.values())


def _spent(event: ev.Event) -> tuple[int, int]:
    """Returns the calls and the tokens of an event."""
    match event:
        case ev.CallStarted() | ev.JudgeStarted():
            return 1, 0
        case ev.CallCompleted(reply=reply) | ev.JudgeCompleted(reply=reply):
            return 0, (reply.input_tokens or 0) + (reply.output_tokens or 0)
        case _:
            return 0, 0


def summed(rows: Iterable[Row]) -> list[Row]:
    """Returns one row for each tenant and day, sorted, so that two processes never wait for each other."""
    sums: dict[tuple[str, int, int], Row] = {}
    for row in rows:
        known = sums.setdefault((row["tenant"], row["day"], row["part"]), {**row, "calls": 0, "tokens": 0})
        known["calls"] += row["calls"]
        known["tokens"] += row["tokens"]
    return [sums[place] for place in sorted(sums)]


def adding(dialect: Dialect) -> Any:
    """Returns the statement that adds a row to what was used."""
    if dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # heavy, and most have no such store

        added: Any = postgresql.insert(usage)
    else:
        added = sqlite.insert(usage)
    sums = {name: usage.c[name] + added.excluded[name] for name in ("calls", "tokens")}
    return added.on_conflict_do_update(index_elements=["tenant", "day", "part"], set_=sums)
