"""`ditto store export|import|check`: the whole store as a file, into another store, and whether it is in order."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

if TYPE_CHECKING:
    from ditto.store.database import Database
    from ditto.store.transfer import Counted

app = typer.Typer(help="Copy the store, move it to another database, or check it.", no_args_is_help=True)

_STANDARD = "-"

Config = Annotated[Path | None, typer.Option(metavar="FILE", help="Settings; they name the store.")]


@app.command("export")
def export(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Where to write; - is standard output.")],
    config: Config = None,
) -> None:
    """Write the whole store as lines of JSON: one state of it, also while a service works on it."""
    from ditto.cli.ending import complain, reported

    with reported(), _opened(config, begun=False) as database:
        from ditto.store.transfer import export_store

        with _written(file) as out:
            counted = export_store(database, out.write)
        _say("exported", counted)
        if counted.faults:
            complain(*counted.faults)
            raise typer.Exit(1)


@app.command("import")
def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="What export has written; - is standard input.")],
    config: Config = None,
) -> None:
    """Write an export into the store that the settings name. Jobs that it has already are compared and passed over."""
    from ditto.cli.ending import reported
    from ditto.cli.words import count

    with reported(), _opened(config, begun=True) as database:
        from ditto.store.transfer import import_store

        with _read(file) as lines:
            counted = import_store(database, lines)
        _say("imported", counted)
        if counted.known:
            print(f"passed over, there already: {count(counted.known, 'job')}", file=sys.stderr)
        if counted.unfinished:
            print(f"not ended, a service goes on: {count(counted.unfinished, 'job')}", file=sys.stderr)


@app.command("check")
def check(config: Config = None) -> None:
    """Read the whole store and say what is wrong with it; the exit code is 1 if anything is."""
    from ditto.cli.ending import reported
    from ditto.cli.words import count, printable

    with reported(), _opened(config, begun=False) as database:
        from ditto.store.audit import Audit

        audit = Audit(database)
        wrong = 0
        for wrong, fault in enumerate(audit.faults(), start=1):  # noqa: B007  # the last number is how many there are
            print(printable(fault), flush=True)
        print(f"checked {count(audit.jobs, 'job')}: {wrong or 'nothing'} wrong", file=sys.stderr)
        if wrong:
            raise typer.Exit(1)


def _say(what: str, counted: Counted) -> None:
    from ditto.cli.words import count

    parts = (count(counted.jobs, "job"), count(counted.events, "event"), count(counted.keys, "key"))
    print(what, ", ".join(parts), file=sys.stderr)


@contextmanager
def _opened(config: Path | None, *, begun: bool) -> Iterator[Database]:
    """Yields the store that the settings name.

    Args:
        begun: One that is not there is begun.

    Raises:
        NotFound: There is none.
    """
    from ditto import settings as configuration
    from ditto.errors import NotFound
    from ditto.store.opening import open_database

    store = configuration.load(config).store
    if not begun and isinstance(store, Path) and not store.is_file():
        raise NotFound(f"there is no store yet at {store}")
    database = open_database(store)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _written(file: str) -> Iterator[BinaryIO]:
    """Yields where to write; a file gets its name when it is whole, and is its user's alone."""
    if file == _STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(file)
    part = path.with_name(f"{path.name}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _read(file: str) -> Iterator[BinaryIO]:
    if file == _STANDARD:
        yield sys.stdin.buffer
        return
    with Path(file).open("rb") as lines:
        yield lines
