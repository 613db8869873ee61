"""`ditto run`: one question, its panel watched while it answers, and the verdict."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ditto.cli.options import Asked, Where, with_groups, wrong

if TYPE_CHECKING:
    from ditto.cli.screens import Screen
    from ditto.client.backend import Backend
    from ditto.client.job_event import JobEvent
    from ditto.domain.request import Request
    from ditto.domain.view import JobView

_CANCEL_S = 10.0


@with_groups
def run(
    prompt: Annotated[str, typer.Argument(help="The question; - reads it from stdin.")],
    asked: Asked,
    where: Where,
    idempotency_key: Annotated[
        str | None, typer.Option(metavar="KEY", help="The same key again is the same job.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the wire's response and nothing else.")] = False,
) -> None:
    """Ask several models one question.

    Without --model the configured panel is asked; without any configuration, simulated models that need no key.
    """
    from ditto.cli.doors import prepare
    from ditto.cli.ending import FAILED, reported, run_async
    from ditto.cli.screens import screen
    from ditto.domain.job import JobState

    with reported():
        request = _request(prompt, asked, idempotency_key, where)
        with screen(silent=as_json) as shown:
            prepare(where)
            job = run_async(_ask(request, where, shown))
        show(job, as_json=as_json)
        if job.state is not JobState.COMPLETE:
            raise typer.Exit(FAILED)


def _request(prompt: str, asked: Asked, idempotency_key: str | None, where: Where) -> Request:
    from ditto.cli.doors import check_where, own_settings, panel
    from ditto.domain.request import parse

    check_where(where)
    body: dict[str, Any] = {"prompt": _stdin() if prompt == "-" else prompt, **asked.body()}
    if idempotency_key is not None:
        body["idempotencyKey"] = idempotency_key
    request = parse(body)
    settings = own_settings(where)
    if settings is not None and where.url is None:
        panel(settings, request)
    return request


async def _ask(request: Request, where: Where, shown: Screen) -> JobView[Any]:
    from ditto.cli.doors import opened
    from ditto.cli.verdict import SIMULATED_NOTE, is_simulated

    async with opened(where, warm=True) as backend:
        job = await backend.submit(request)
        if is_simulated(job.progress):
            shown.say(SIMULATED_NOTE)
        try:
            await Watch(backend, job.job_id, shown).follow()
        except asyncio.CancelledError:
            async with asyncio.timeout(_CANCEL_S):
                await backend.cancel(job.job_id)
            shown.say(f"job {job.job_id} is cancelled")
            raise
        return await backend.get(job.job_id)


class Watch:
    """A job's panel, from event to event."""

    def __init__(self, backend: Backend, job_id: str, shown: Screen) -> None:
        from ditto.cli.panel import Panel

        self._backend = backend
        self._job_id = job_id
        self._shown = shown
        self._panel = Panel()
        self._seq = 0

    async def catch_up(self) -> None:
        """Reads the events of a job that has ended, and shows nothing."""
        async for event in self._backend.events(self._job_id, 0):
            self._take(event)

    async def follow(self) -> None:
        """Shows the panel until the job has ended."""
        async for event in self._backend.events(self._job_id, self._seq):
            self._take(event)
            self._shown.show(self._panel)

    def _take(self, event: JobEvent) -> None:
        self._seq = self._seq if event.seq is None else event.seq
        self._panel = self._panel.after(event, time.monotonic())


def show(job: JobView[Any], *, as_json: bool) -> None:
    """Prints the job on stdout."""
    from ditto.cli import verdict
    from ditto.cli.doors import wire

    if as_json:
        print(json.dumps(wire(job), ensure_ascii=False, indent=2))
    else:
        verdict.show(job)


def _stdin() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise wrong("prompt", f"stdin is no UTF-8 text: {error.reason} at byte {error.start}") from error
