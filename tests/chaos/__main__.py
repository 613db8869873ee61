"""`python -m tests.chaos`: kills and freezes everything in a service while clients wait, and says what it has cost."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from tests.chaos import report
from tests.chaos.node_health import watch
from tests.chaos.run import OWN_POSTGRES, Plan, run, short_folder
from tests.chaos.victims import Action, Kind

T = TypeVar("T")
TIMES = 20
_QUICK: dict[tuple[Kind, Action], int] = {
    **{(kind, Action.KILL): 1 for kind in Kind if kind is not Kind.DATABASE},
    **{(kind, Action.FREEZE): 1 for kind in (Kind.ACTOR, Kind.HOST, Kind.CALLER, Kind.REPLICA, Kind.NODE)},
}


def main(
    jobs: Annotated[int, typer.Option(help="Ask at least so many.")] = 1000,
    seed: Annotated[int, typer.Option(help="Decides who asks what, and who is struck when.")] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures there.")] = None,
    quick: Annotated[bool, typer.Option(help="Each kind once or twice, as in CI.")] = False,
    times: Annotated[int, typer.Option(help="How often each fault is done.")] = TIMES,
    kinds: Annotated[str, typer.Option(help="Only these, with commas between.")] = "",
    actions: Annotated[str, typer.Option(help="kill, freeze or both.")] = "kill,freeze",
    rate: Annotated[float, typer.Option(help="Jobs a second.")] = 1.5,
    minutes: Annotated[float | None, typer.Option(help="Begin no fault after so long.")] = None,
    resume: Annotated[bool, typer.Option(help="Do what the runs in the --json file have left, and add to it.")] = False,
    store: Annotated[str | None, typer.Option(help=f"`{OWN_POSTGRES}`: a server of its own; or an address.")] = None,
    rpc_failure: Annotated[bool, typer.Option(help="Let Ray lose calls of its own.")] = False,
    keep: Annotated[bool, typer.Option(help="Keep the folder with the logs.")] = False,
    node_health: Annotated[
        float | None, typer.Option(help="Strike nothing: for so many seconds of full load, see whether a node is lost.")
    ] = None,
) -> None:
    """Prints one table; the exit code is 1 where anything was lost, ended twice, or was paid for twice."""
    console = Console(width=140)
    if node_health is not None:
        raise typer.Exit(_watch_nodes(node_health, json_file, console, keep=keep))
    before = report.read(json_file) if resume and json_file is not None else []
    strikes = _QUICK if quick else _strikes(times, kinds, actions, own_database=store == OWN_POSTGRES)
    plan = Plan(
        jobs=max(0, jobs - sum(part["jobs"] for part in before)),
        seed=seed + len(before),
        strikes=_left(strikes, before),
        rate=rate,
        pause_s=0.2 if quick else 1.0,
        long_freezes=not quick,
        minutes=minutes,
        store=store,
        rpc_failure=rpc_failure,
        keep=keep,
    )

    result = asyncio.run(_until_told_to_stop(run(plan, _speaker(console))))
    parts = [*before, report.as_json(result)]
    if json_file is not None:
        report.write(json_file, parts)
    report.show(parts, console)
    raise typer.Exit(_exit_code(report.total(parts)))


def _watch_nodes(seconds: float, json_file: Path | None, console: Console, *, keep: bool) -> int:
    with short_folder(keep=keep) as folder:
        health = asyncio.run(_until_told_to_stop(watch(folder, seconds, _speaker(console))))
    shown = json.dumps(asdict(health), indent=2)
    console.print_json(shown)
    if json_file is not None:
        json_file.write_text(shown + "\n", encoding="utf-8")
    return int(bool(health.declared_dead))


def _speaker(console: Console) -> Callable[[str], None]:
    return lambda line: console.print(line, markup=False, highlight=False)


async def _until_told_to_stop(work: Coroutine[Any, Any, T]) -> T:
    """Returns what the work returns; SIGTERM cancels it, and then too nothing is left behind."""
    running = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    return await running


def _strikes(times: int, kinds: str, actions: str, *, own_database: bool) -> dict[tuple[Kind, Action], int]:
    wanted = [Kind(name) for name in kinds.split(",") if name]
    if not wanted:
        wanted = [kind for kind in Kind if kind is not Kind.DATABASE or own_database]
    return {
        (kind, Action(action)): times
        for kind in wanted
        for action in actions.split(",")
        if kind is not Kind.DATABASE or action == Action.KILL
    }


def _left(strikes: dict[tuple[Kind, Action], int], before: list[dict[str, Any]]) -> dict[tuple[Kind, Action], int]:
    """Returns the faults that earlier runs have not done yet."""
    done = report.total(before)["kinds"]
    return {
        (kind, action): max(0, times - done.get(f"{kind} {action}", {"faults": 0})["faults"])
        for (kind, action), times in strikes.items()
    }


def _exit_code(total: dict[str, Any]) -> int:
    return int(any(total[name] for name in report.WRONGS))


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    app.command()(main)
    app()
