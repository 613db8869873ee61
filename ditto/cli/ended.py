"""`ditto retry ID` and `ditto delete ID`: what can be done with a job that has ended."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ditto.cli.jobs import AsJson, Config, JobId, Url
from ditto.cli.options import Where, with_groups
from ditto.domain.job import JobState

if TYPE_CHECKING:
    from ditto.cli.screens import Screen
    from ditto.domain.view import JobView


@with_groups
def retry(job_id: JobId, where: Where, as_json: AsJson = False) -> None:
    """Ask the models that failed again, and keep the replies that came.

    A complete job of which no model failed is shown as it is. Ctrl-C leaves the job running.
    """
    from ditto.cli.asking import show
    from ditto.cli.doors import check_where, prepare
    from ditto.cli.ending import FAILED, reported, run_async
    from ditto.cli.screens import screen

    with reported():
        check_where(where)
        with screen(silent=as_json) as shown:
            prepare(where)
            found = run_async(_retry(where, job_id, shown))
        show(found, as_json=as_json)
        if found.state is not JobState.COMPLETE:
            raise typer.Exit(FAILED)


def delete(
    job_id: JobId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether it is meant.")] = False,
    url: Url = None,
    config: Config = None,
) -> None:
    """Forget a job that has ended: its replies, its result, its key. There is no way back."""
    from ditto.cli.ending import FAILED, INTERRUPTED, reported, run_async

    with reported():
        where = Where(url=url, config=config)
        if not yes and sys.stdin.isatty():
            try:
                meant = typer.confirm(f"Forget job {job_id}, its replies and its result?", err=True)
            except typer.Abort:
                raise typer.Exit(INTERRUPTED) from None
            if not meant:
                print("nothing was deleted", file=sys.stderr)
                raise typer.Exit(FAILED)
        run_async(_delete(where, job_id))
        print(f"job {job_id}: deleted")


async def _retry(where: Where, job_id: str, shown: Screen) -> JobView[Any]:
    from ditto.cli.asking import Watch
    from ditto.cli.doors import opened

    async with opened(where) as backend:
        watch = Watch(backend, job_id, shown)
        if (await backend.get(job_id)).state.ended:
            await watch.catch_up()
        retried = await backend.retry(job_id)
        if retried.state.ended:
            shown.say("no model of this job failed: nothing was asked")
            return retried
        try:
            await watch.follow()
        except asyncio.CancelledError:
            shown.say(f"job {job_id} has not ended; it goes on where Ditto runs on its store")
            raise
        return await backend.get(job_id)


async def _delete(where: Where, job_id: str) -> None:
    from ditto.cli.doors import opened, stored

    if where.url is not None:
        async with opened(where) as backend:
            await backend.delete(job_id)
        return
    async with stored(where) as store:
        await store.delete(job_id)
