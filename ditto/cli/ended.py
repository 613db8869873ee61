"""`ditto retry`, `merge`, `feedback` and `delete`: what can be done with a job that has ended."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ditto.cli.jobs import AsJson, Config, JobId, Url
from ditto.cli.options import Where, with_groups
from ditto.domain.job import JobState

if TYPE_CHECKING:
    from ditto.cli.doors import Stored
    from ditto.cli.screens import Screen
    from ditto.client.backend import Backend
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


def merge(
    job_id: JobId,
    weight: Annotated[
        list[str] | None, typer.Option(metavar="NAME=W", help="How much a model's reply counts; repeatable.")
    ] = None,
    schema: Annotated[
        Path | None, typer.Option(metavar="FILE", help="JSON Schema of the new result; {} for text.")
    ] = None,
    answer: Annotated[
        list[str] | None, typer.Option(help="What is compared: a kind, or the allowed answers: yes,no or repeated.")
    ] = None,
    as_json: AsJson = False,
    url: Url = None,
    config: Config = None,
) -> None:
    """Merge the replies of a complete job anew, with other weights, another schema or newer skills.

    No model is asked, and the job's own result stays: the new one is the last of its merges.
    """
    from ditto.cli import verdict
    from ditto.cli.doors import wire
    from ditto.cli.ending import reported, run_async
    from ditto.cli.options import answer_of, schema_of, weights_of

    with reported():
        given = {"weights": weights_of(weight), "schema": schema_of(schema), "answer": answer_of(answer)}
        body = {name: value for name, value in given.items() if value is not None}
        found = run_async(_afterwards(Where(url=url, config=config), lambda jobs: jobs.merge(job_id, body)))
        if as_json:
            print(json.dumps(wire(found), ensure_ascii=False, indent=2))
        else:
            last = found.merges[-1]
            verdict.show(found.model_copy(update={"result": last.result, "structured": last.structured}))


def feedback(
    job_id: JobId,
    correct: Annotated[
        bool | None, typer.Option("--correct/--wrong", help="Whether the job's result is right.")
    ] = None,
    answer: Annotated[str | None, typer.Option(help="What the right answer is: JSON, or text.")] = None,
    url: Url = None,
    config: Config = None,
) -> None:
    """Say whether a job's result is right, or what is: confidences are calibrated by it."""
    from ditto.cli.ending import reported, run_async

    with reported():
        body = {"correct": correct, "answer": _value(answer)}
        given = {name: value for name, value in body.items() if value is not None}
        run_async(_afterwards(Where(url=url, config=config), lambda jobs: jobs.feedback(job_id, given)))
        print(f"job {job_id}: noted")


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


async def _afterwards(where: Where, act: Callable[[Backend | Stored], Awaitable[JobView[Any]]]) -> JobView[Any]:
    from ditto.cli.doors import opened, stored

    if where.url is not None:
        async with opened(where) as backend:
            return await act(backend)
    async with stored(where) as store:
        return await act(store)


def _value(text: str | None) -> Any:
    """Returns the JSON that is in the text, or the text itself."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


async def _delete(where: Where, job_id: str) -> None:
    from ditto.cli.doors import opened, stored

    if where.url is not None:
        async with opened(where) as backend:
            await backend.delete(job_id)
        return
    async with stored(where) as store:
        await store.delete(job_id)
