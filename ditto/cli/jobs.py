"""`ditto jobs`, `ditto job ID`, `ditto cancel ID`: what there is, what became of it, and stopping it.

The first two read the store itself where no URL is given: nothing has to run for that.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ditto.cli.options import Where, pairs, with_groups
from ditto.domain.job import JobState
from ditto.domain.tenants import DEFAULT

if TYPE_CHECKING:
    from ditto.cli.doors import Stored
    from ditto.domain.view import JobView

_POLL_S = 0.3
_CANCEL_S = 60.0

Url = Annotated[str | None, typer.Option(metavar="URL", help="A running service; without it the store is read.")]
Config = Annotated[Path | None, typer.Option(metavar="FILE", help="Settings; they name the store.")]
OfTenant = Annotated[
    str, typer.Option("--tenant", metavar="NAME", help="Whose, where the store is read; a service goes by the key.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON as the wire has it.")]
JobId = Annotated[str, typer.Argument(metavar="ID", help="The job's id.")]


def jobs(
    state: Annotated[JobState | None, typer.Option(help="Only these.")] = None,
    needs_review: Annotated[
        bool | None, typer.Option("--needs-review/--no-review", help="Only those that a person should look at, or not.")
    ] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Only those with this; repeatable.")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="At most so many.")] = 20,
    tenant: OfTenant = DEFAULT,
    as_json: AsJson = False,
    url: Url = None,
    config: Config = None,
) -> None:
    """List jobs, newest first."""
    from ditto.cli.ending import reported, run_async

    with reported():
        where = Where(url=url, config=config)
        listed = run_async(_list(where, tenant, state, needs_review, pairs(metadata, "metadata") or {}, limit))
        if as_json:
            from ditto.cli.doors import wire

            print(json.dumps([wire(job) for job in listed], ensure_ascii=False, indent=2))
        else:
            _table(listed)


def review(
    metadata: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Only those with this; repeatable.")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="At most so many.")] = 20,
    tenant: OfTenant = DEFAULT,
    as_json: AsJson = False,
    url: Url = None,
    config: Config = None,
) -> None:
    """List the complete jobs that a person should look at, newest first."""
    jobs(JobState.COMPLETE, True, metadata, limit, tenant, as_json, url, config)


def job(
    job_id: JobId,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has ended.")] = False,
    as_json: AsJson = False,
    url: Url = None,
    config: Config = None,
) -> None:
    """Show one job; the exit code is 1 where it failed or was cancelled."""
    from ditto.cli import verdict
    from ditto.cli.doors import wire
    from ditto.cli.ending import FAILED, reported, run_async

    with reported():
        found = run_async(_job(Where(url=url, config=config), job_id, wait=wait))
        if as_json:
            print(json.dumps(wire(found), ensure_ascii=False, indent=2))
        else:
            verdict.show(found)
        if found.state in (JobState.ERROR, JobState.CANCELLED):
            raise typer.Exit(FAILED)


@with_groups
def cancel(job_id: JobId, where: Where) -> None:
    """Stop a job; harmless on one that has ended."""
    from ditto.cli.doors import check_where, prepare
    from ditto.cli.ending import reported, run_async

    with reported():
        check_where(where)
        prepare(where)
        found = run_async(_cancel(where, job_id))
        print(f"job {found.job_id}: {found.state}")


async def _list(
    where: Where,
    tenant: str,
    state: JobState | None,
    needs_review: bool | None,
    metadata: Mapping[str, str],
    limit: int,
) -> list[JobView[Any]]:
    from ditto.cli.doors import PAGE, opened, stored
    from ditto.errors import NotFound

    found: list[JobView[Any]] = []
    cursor: str | None = None
    try:
        async with opened(where) if where.url is not None else stored(where, tenant) as records:
            while len(found) < limit:
                page = await records.list(
                    state=state,
                    needs_review=needs_review,
                    metadata=metadata,
                    limit=min(PAGE, limit - len(found)),
                    cursor=cursor,
                )
                found += page.jobs
                cursor = page.cursor
                if cursor is None:
                    break
    except NotFound:
        return []
    return found


async def _job(where: Where, job_id: str, *, wait: bool) -> JobView[Any]:
    from ditto.cli.doors import opened, stored

    if where.url is not None:
        async with opened(where) as backend:
            return await (backend.wait(job_id, None) if wait else backend.get(job_id))
    async with stored(where) as store:
        found = await store.get(job_id)
        if wait and not found.state.ended and await store.is_orphan(job_id, datetime.now(UTC)):
            print(f"ditto: nobody holds {job_id} now; it goes on when Ditto runs on this store", file=sys.stderr)
        return await _ended(store, found) if wait else found


async def _ended(store: Stored, job: JobView[Any]) -> JobView[Any]:
    while not job.state.ended:
        await asyncio.sleep(_POLL_S)
        job = await store.get(job.job_id)
    return job


async def _cancel(where: Where, job_id: str) -> JobView[Any]:
    from ditto.cli.doors import opened
    from ditto.errors import Conflict

    async with opened(where) as backend:
        try:
            async with asyncio.timeout(_CANCEL_S):
                return await backend.cancel(job_id)
        except TimeoutError:
            message = (
                f"whoever holds job {job_id} cannot be reached from here: name its service with --url or --address"
            )
            raise Conflict(message, None, job_id) from None


def _table(listed: list[JobView[Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ditto.cli import words

    if not listed:
        print("no jobs", file=sys.stderr)
        return
    now = datetime.now(UTC)
    rows = [(job.job_id, str(job.state), words.age(job.created_at, now), *_outcome(job)) for job in listed]
    if not sys.stdout.isatty():
        print("\n".join("\t".join(row) for row in rows))
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("job", "state", "begun", "sure"):
        table.add_column(name, no_wrap=True)
    table.add_column("result", no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(highlight=False).print(table)


def _outcome(job: JobView[Any]) -> tuple[str, str]:
    from ditto.cli import words

    if job.error is not None:
        return "", f"{job.error.type}: {words.one_line(job.error.message)}"
    if job.structured is None:
        ended = sum(state in ("answered", "failed") for state in job.progress.values())
        return "", f"{ended} of {words.count(len(job.progress), 'model')} done"
    confidence = job.structured.confidence
    sure = "" if confidence is None else words.share(confidence)
    return f"{sure} review".strip() if job.structured.needs_review else sure, words.short(job.result)
