"""The program `ditto` and its list of commands."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from ditto.cli import asking, batches, deployments, ended, jobs, keys, models, services, stores

app = typer.Typer(
    name="ditto",
    help="Several language models, one question, one answer: with a confidence, the dissent, and every reply.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(asking.run)
app.command("batch")(batches.batch)
app.command("jobs")(jobs.jobs)
app.command("job")(jobs.job)
app.command("cancel")(jobs.cancel)
app.command("retry")(ended.retry)
app.command("merge")(ended.merge)
app.command("feedback")(ended.feedback)
app.command("review")(jobs.review)
app.command("delete")(ended.delete)
app.command("models")(models.models)
app.command("serve")(services.serve)
app.command("sim")(services.sim)
app.command("dashboard")(services.dashboard)
app.add_typer(keys.app, name="keys")
app.add_typer(stores.app, name="store")
app.add_typer(deployments.app, name="deploy")


def main(arguments: list[str] | None = None) -> None:
    """Runs the program with these arguments, or with those of the process; ends by `SystemExit`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app(arguments, prog_name="ditto")


def _say_version(value: bool) -> None:
    if value:
        from ditto import __version__

        print(f"ditto {__version__}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version and end.")
    ] = False,
) -> None:
    pass
